"""What is a move of money, and which legs does it write?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from liuke.ledger.accounts import AccountName

RESERVATION_STATES = ("pending", "posted", "voided", "expired")


@dataclass(frozen=True)
class Move:
    """`amount_fen` from `debit` to `credit`, more than nothing; both count the same asset.

    Raises:
        ValueError: nothing or less, an amount that is no integer, one account twice, or two assets.
    """

    debit: AccountName
    credit: AccountName
    amount_fen: int

    def __post_init__(self) -> None:
        if type(self.amount_fen) is not int or self.amount_fen <= 0:
            raise ValueError(f"an amount is a positive integer, not {self.amount_fen!r}")
        if self.debit == self.credit:
            raise ValueError(f"a move needs two accounts, not {self.debit} twice")
        if self.debit.asset != self.credit.asset:
            raise ValueError(f"{self.debit} and {self.credit} count different things")


def legs_of(moves: Iterable[Move]) -> dict[AccountName, int]:
    """Account → + debit or − credit, one leg an account; what only passes through has none.

    Raises:
        ValueError: nothing is moved, or more than one asset.
    """
    legs: dict[AccountName, int] = {}
    for move in moves:
        legs[move.debit] = legs.get(move.debit, 0) + move.amount_fen
        legs[move.credit] = legs.get(move.credit, 0) - move.amount_fen
    legs = {account: amount for account, amount in sorted(legs.items()) if amount}
    if not legs:
        raise ValueError("an entry moves something")
    if len({account.asset for account in legs}) > 1:
        raise ValueError("an entry moves one asset; post two entries in one transaction")
    return legs
