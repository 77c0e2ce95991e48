"""What does an account hold, what was booked about a thing, and what does the book promise?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from liuke.base.audit import Invariant
from liuke.base.prepared import Prepared
from liuke.ledger.accounts import AccountName
from liuke.ledger.models import Account, Entry
from liuke.ledger.promises import promises

_SUM = """
SELECT coalesce(kept.sum_fen, 0) + coalesce((
    SELECT sum(l.amount_fen) FROM ledger_leg l
    WHERE l.account_id = a.id AND l.entry_id > coalesce(kept.last_entry_id, 0)), 0)
FROM ledger_account a LEFT JOIN LATERAL (
    SELECT c.sum_fen, d.last_entry_id FROM ledger_checkpoint c JOIN ledger_day d ON d.closed_on = c.day_id
    WHERE c.account_id = a.id ORDER BY c.day_id DESC LIMIT 1) kept ON true
WHERE (a.kind, a.owner, a.asset) = (%s, %s, %s)
"""


@dataclass(frozen=True)
class BookedLeg:
    """What an entry did to one account: + debit, − credit."""

    account: AccountName
    amount_fen: int


@dataclass(frozen=True)
class Booked:
    """An entry with its legs, debits first."""

    id: int
    key: str
    kind: str
    about: str
    at: dt.datetime
    reverses: int | None
    legs: tuple[BookedLeg, ...]


def balance_fen(name: AccountName) -> int:
    """What the account holds, on the side on which it grows; never negative for a guarded one."""
    if name.is_guarded:
        account = _account(name)
        return (account.balance_fen or 0) if account else 0
    with connection.cursor() as cursor:
        cursor.execute(_SUM, [name.kind, name.owner, name.asset])
        row = cursor.fetchone()
    return name.sign * int(row[0]) if row else 0


def available_fen(name: AccountName) -> int:
    """The balance less what is set aside."""
    if not name.is_guarded:
        return balance_fen(name)
    account = _account(name)
    return (account.balance_fen or 0) - account.reserved_fen if account else 0


def entries_about(about: str) -> list[Booked]:
    """Everything that was booked about a thing (an order's reference), oldest first."""
    entries = Entry.objects.filter(about=about).order_by("id") if about else Entry.objects.none()
    return [_booked(entry) for entry in entries.prefetch_related("legs__account")]


def _booked(entry: Entry) -> Booked:
    legs = [BookedLeg(leg.account.name, leg.amount_fen) for leg in entry.legs.all()]
    legs.sort(key=lambda leg: (leg.amount_fen < 0, leg.account))
    return Booked(
        id=entry.pk,
        key=entry.key,
        kind=entry.kind,
        about=entry.about,
        at=entry.at,
        reverses=entry.reverses_id,
        legs=tuple(legs),
    )


_ACCOUNT = Prepared(
    lambda kind, owner, asset: Account.objects.filter(kind=kind, owner=owner, asset=asset),
    str,
    str,
    str,
)


def _account(name: AccountName) -> Account | None:
    return _ACCOUNT.first(name.kind, name.owner, name.asset)


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return promises()
