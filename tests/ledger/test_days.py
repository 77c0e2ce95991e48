"""A closed day tells when it was altered; sums of unguarded accounts rest on the last one."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection

from liuke.base import clock
from liuke.ledger import accounts, jobs, queries
from liuke.ledger.actions import Move, close_day, post
from liuke.ledger.models import Checkpoint, Day
from tests.ledger import make

pytestmark = pytest.mark.django_db

FIRST, SECOND = dt.date(2026, 3, 14), dt.date(2026, 3, 15)
CLEARING = accounts.gateway_clearing("sandbox")


def test_a_day_is_closed_once_and_chained_to_the_one_before() -> None:
    make.pay("LK1", 10)
    make.pay("LK2", 20)
    assert (close_day(FIRST), close_day(FIRST)) == (True, False)
    make.pay("LK3", 30)
    assert (close_day(SECOND), close_day(FIRST)) == (True, False)
    first, second = Day.objects.order_by("closed_on")
    assert (first.entry_count, second.entry_count) == (2, 1)
    assert bytes(first.hash) != bytes(second.hash)
    assert make.broken() == {}


def test_a_book_without_entries_can_be_closed() -> None:
    assert close_day(FIRST)
    assert close_day(SECOND)
    make.pay("LK1", 10)
    assert make.broken() == {}


def test_sums_go_on_from_the_checkpoint() -> None:
    make.pay("LK1", 10)
    close_day(FIRST)
    make.pay("LK2", 20)
    assert queries.balance_fen(CLEARING) == 30
    close_day(SECOND)
    assert queries.balance_fen(CLEARING) == 30
    assert list(Checkpoint.objects.order_by("day_id").values_list("sum_fen", flat=True)) == [10, 30]
    close_day(SECOND + dt.timedelta(days=1))
    assert Checkpoint.objects.count() == 2, "an account that did not move needs no checkpoint"
    post(key="settle", kind="settlement", moves=[Move(accounts.bank(), CLEARING, 30)])
    assert (queries.balance_fen(CLEARING), queries.balance_fen(accounts.bank())) == (0, 30)
    assert make.broken() == {}


@pytest.mark.parametrize(
    ("alteration", "promise"),
    [
        ("UPDATE ledger_leg SET amount_fen = amount_fen * 2", "closed_days_are_unchanged"),
        (
            "UPDATE ledger_entry SET about = 'LK9' WHERE key LIKE '%LK1'",
            "closed_days_are_unchanged",
        ),
        ("UPDATE ledger_entry SET at = at + interval '1 second'", "closed_days_are_unchanged"),
        ("UPDATE ledger_checkpoint SET sum_fen = 11", "checkpoints_are_sums_of_legs"),
        (
            "UPDATE ledger_account SET balance_fen = 11 WHERE kind = 'escrow'",
            "balances_are_sums_of_legs",
        ),
        (
            "UPDATE ledger_account SET reserved_fen = 1 WHERE kind = 'escrow'",
            "reserved_is_what_is_pending",
        ),
        ("DELETE FROM ledger_leg WHERE amount_fen > 0", "entries_balance"),
        ("DELETE FROM ledger_leg", "entries_balance"),
        ("DELETE FROM ledger_entry", "entries_balance"),
        ("UPDATE ledger_day SET hash = 'x'", "closed_days_are_unchanged"),
    ],
)
def test_whoever_gets_past_the_triggers_is_found_by_the_audit(
    alteration: str, promise: str
) -> None:
    make.pay("LK1", 10)
    close_day(FIRST)
    make.check_at_once()
    with connection.cursor() as cursor:
        for table in ("entry", "leg", "day", "checkpoint", "account"):
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")
        cursor.execute(alteration)
    assert f"ledger.{promise}" in make.broken()


def test_a_reversal_that_was_tampered_with_and_a_lost_posting_are_found() -> None:
    from liuke.ledger.actions import post_reservation, reserve, reverse

    make.fill_wallet(1, 100)
    reverse(key="undo", entry_id=make.pay("LK1", 10).entry_id)
    with clock.stopped_at(make.NOON):
        reserve(
            key="r",
            debit=accounts.wallet(1),
            credit=accounts.bank(),
            amount_fen=5,
            expires_at=make.NOON + dt.timedelta(hours=1),
        )
        post_reservation(key="r")
    make.check_at_once()
    assert make.broken() == {}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_leg DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_leg SET amount_fen = amount_fen * 2")
        cursor.execute("UPDATE ledger_entry SET reverses_id = id + 1 WHERE key = 'undo'")
    assert {
        "ledger.reversals_are_opposites",
        "ledger.reservations_are_posted_once",
    } <= make.broken().keys()


def test_the_jobs_close_yesterday_and_sweep(noon: dt.datetime) -> None:
    jobs.close_day(0)
    jobs.close_day(0)
    jobs.expire_reservations(0)
    assert list(Day.objects.values_list("closed_on", flat=True)) == [FIRST]
