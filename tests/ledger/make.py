"""Legal bookings for the tests of `ledger`, as the rooms above will make them."""

from __future__ import annotations

import datetime as dt
from itertools import count

from django.db import connection

from liuke.base.audit import check
from liuke.ledger import accounts, queries
from liuke.ledger.actions import Move, Posted, post
from liuke.ledger.models import Account, Entry, Leg

NOON = dt.datetime(2026, 3, 15, 4, 0, tzinfo=dt.UTC)  # noon in Shanghai
_numbers = count(1)


def pay(order: str, amount_fen: int, *, key: str = "", gateway: str = "sandbox") -> Posted:
    """A gateway took the price of an order."""
    return post(
        key=key or f"pay:{gateway}:{order}",
        kind="payment",
        moves=[Move(accounts.gateway_clearing(gateway), accounts.escrow(order), amount_fen)],
        about=order,
        at=NOON,
    )


def fill_wallet(person_id: int, amount_fen: int) -> Posted:
    """A person has money with us."""
    return post(
        key=f"fill:{next(_numbers)}",
        kind="top_up",
        moves=[Move(accounts.gateway_clearing("sandbox"), accounts.wallet(person_id), amount_fen)],
        at=NOON,
    )


def transfer(giver: int, taker: int, amount_fen: int, key: str = "") -> Posted:
    """From one wallet to another, as no room does it; the shortest way to two guarded accounts."""
    return post(
        key=key or f"transfer:{next(_numbers)}",
        kind="transfer",
        moves=[Move(accounts.wallet(giver), accounts.wallet(taker), amount_fen)],
        at=NOON,
    )


def book() -> tuple[int, int, list[tuple[str, str, int | None, int]]]:
    """All there is, to compare before and after: entries, legs, and accounts with what they hold."""
    rows = Account.objects.order_by("id").values_list(
        "kind", "owner", "balance_fen", "reserved_fen"
    )
    return Entry.objects.count(), Leg.objects.count(), list(rows)


def check_at_once() -> None:
    """Ask now what would be asked at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def broken() -> dict[str, int]:
    """The promises of the book that do not hold now."""
    found = [check(promise) for promise in queries.invariants()]
    return {each.invariant.name: each.violations for each in found if each.violations}


def allow_emptying() -> None:
    """Let Django empty the tables of a test database between tests; UPDATE and DELETE stay refused."""
    with connection.cursor() as cursor:
        for table, trigger in (
            ("ledger_entry", "entries_are_never_emptied"),
            ("ledger_leg", "legs_are_never_emptied"),
            ("ledger_account", "accounts_are_never_emptied"),
            ("ledger_day", "days_are_never_emptied"),
        ):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
