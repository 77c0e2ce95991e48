"""Write an entry, or take one back by its opposite. Nothing else moves money."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from liuke.base import clock
from liuke.base.prepared import rows
from liuke.ledger.accounts import AccountName
from liuke.ledger.errors import AlreadyReversed, KeyUsedOtherwise, NotEnough, UnknownEntry
from liuke.ledger.models import Entry, Leg
from liuke.ledger.rules import Move, legs_of

_POST = """
SELECT entry_id, is_new, refused FROM ledger_post(
    %s, %s, %s, %s, %s, %s::text[], %s::text[], %s::text[], %s::boolean[], %s::bigint[])
"""


@dataclass(frozen=True)
class Posted:
    """The entry of a key; `is_new` is False when it had been booked before, with the same legs."""

    entry_id: int
    is_new: bool


def post(
    *,
    key: str,
    kind: str,
    moves: Sequence[Move],
    about: str = "",
    reverses: int | None = None,
    at: dt.datetime | None = None,
) -> Posted:
    """Book one business event, in the caller's transaction or by itself, in one round trip.

    `key` is derived from the event (`pay:{gateway}:{trade}`), never random: the event is booked once, however often it
    is told. `about` is the public reference of what it is about. A refusal has changed nothing, and the transaction
    goes on. Whoever posts several entries in one transaction does it in the order in which others would.

    Raises:
        NotEnough: a guarded account would fall below zero, reservations counted.
        KeyUsedOtherwise: the key stands for an entry of another kind or other legs.
        AlreadyReversed: another entry takes back `reverses`.
        ValueError: the moves make no sense.
    """
    return _book(key, kind, legs_of(moves), about, reverses, at)


def reverse(*, key: str, entry_id: int, at: dt.datetime | None = None) -> Posted:
    """Take an entry back by its exact opposite.

    Raises:
        UnknownEntry: there is none of that number.
        AlreadyReversed: it was taken back before, under another key.
        NotEnough: what it brought is no longer there.
    """
    entry = Entry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise UnknownEntry
    opposite = {account: -amount for account, amount in _legs(entry_id).items()}
    return _book(key, "reversal", opposite, entry.about, entry_id, at)


def _book(
    key: str,
    kind: str,
    legs: Mapping[AccountName, int],
    about: str,
    reverses: int | None,
    at: dt.datetime | None,
) -> Posted:
    told: list[list[Any]] = [
        [account.kind for account in legs],
        [account.owner for account in legs],
        [account.asset for account in legs],
        [account.is_guarded for account in legs],
        list(legs.values()),
    ]
    given = [key, kind, about, reverses, at or clock.now(), *told]
    ((entry_id, is_new, refused),) = rows(_POST, given)
    if refused == "never_overdrawn":
        raise NotEnough
    if refused is not None:
        raise AlreadyReversed
    if not is_new:
        entry = Entry.objects.get(pk=entry_id)
        if (entry.kind, entry.reverses_id, _legs(entry_id)) != (kind, reverses, dict(legs)):
            raise KeyUsedOtherwise
    return Posted(entry_id, is_new)


def _legs(entry_id: int) -> dict[AccountName, int]:
    legs = Leg.objects.filter(entry_id=entry_id).select_related("account")
    return {leg.account.name: leg.amount_fen for leg in legs}
