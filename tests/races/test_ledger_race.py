"""One entry a key and never less than nothing, whoever comes at the same moment."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from liuke.ledger import accounts, queries
from liuke.ledger.actions import (
    Posted,
    close_day,
    expire_reservations,
    post_reservation,
    reserve,
    void_reservation,
)
from liuke.ledger.errors import NotEnough, ReservationEnded
from liuke.ledger.models import Account, Day, Entry, Reservation
from tests.ledger import make
from tests.races.crowd import crowd, outcomes

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

FIFTY = 50


def test_control_look_then_write_overdraws(db: None) -> None:
    """A balance looked at and then written, without a lock or a constraint, as the peers do it."""
    contenders = 6
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_balance (fen bigint)")
        cursor.execute("INSERT INTO bench_balance VALUES (100)")
    all_have_looked = threading.Barrier(contenders)

    def spend(_number: int) -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT fen FROM bench_balance")
            (fen,) = cursor.fetchone()
            all_have_looked.wait(timeout=30)
            if fen < 100:
                return False
            cursor.execute("UPDATE bench_balance SET fen = fen - 100")
            return True

    try:
        assert crowd(spend, contenders) == [True] * contenders, "the race is real"
        with connection.cursor() as cursor:
            cursor.execute("SELECT fen FROM bench_balance")
            assert cursor.fetchone() == (100 - 100 * contenders,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_balance")


def test_fifty_who_tell_of_one_payment_book_it_once() -> None:
    got = crowd(lambda _n: make.pay("LK1", 990), FIFTY)
    assert outcomes(got) == {"Posted": FIFTY}
    assert sum(each.is_new for each in got) == 1
    assert len({each.entry_id for each in got}) == 1
    assert Entry.objects.count() == 1
    assert queries.balance_fen(accounts.escrow("LK1")) == 990
    assert make.broken() == {}


def test_of_those_who_all_want_the_last_money_one_gets_it() -> None:
    make.fill_wallet(1, 100)
    got = crowd(lambda n: make.transfer(1, 2, 60, key=f"t:{n}"), FIFTY)
    assert outcomes(got) == {"Posted": 1, "NotEnough": FIFTY - 1}
    assert queries.balance_fen(accounts.wallet(1)) == 40
    assert make.broken() == {}


def test_many_small_takers_empty_an_account_to_the_fen() -> None:
    make.fill_wallet(1, 100)

    def take(number: int) -> int:
        taken = 0
        for turn in range(20):
            try:
                make.transfer(1, 2, 3, key=f"t:{number}:{turn}")
                taken += 1
            except NotEnough:
                break
        return taken

    assert sum(crowd(take, 8)) == 33
    assert queries.balance_fen(accounts.wallet(1)) == 1
    assert make.broken() == {}


def test_transfers_in_opposite_directions_do_not_lock_each_other_out() -> None:
    make.fill_wallet(1, 10_000)
    make.fill_wallet(2, 10_000)

    def swing(number: int) -> int:
        pair = (1, 2) if number % 2 else (2, 1)
        for turn in range(25):
            make.transfer(*pair, 7, key=f"t:{number}:{turn}")
        return 25

    assert crowd(swing, 8) == [25] * 8
    assert queries.balance_fen(accounts.wallet(1)) == 10_000
    assert Entry.objects.count() == 202
    assert make.broken() == {}


def test_new_accounts_opened_by_all_at_once_are_one_each() -> None:
    got = crowd(lambda n: make.pay("LK1", 10, key=f"p:{n}"), 12)
    assert outcomes(got) == {"Posted": 12}
    assert Account.objects.count() == 2
    assert queries.balance_fen(accounts.escrow("LK1")) == 120


def test_a_reservation_wanted_by_all_ends_once(noon: dt.datetime) -> None:
    make.fill_wallet(1, 100)
    for number in range(8):
        reserve(
            key=f"r:{number}",
            debit=accounts.wallet(1),
            credit=accounts.bank(),
            amount_fen=10,
            expires_at=noon + dt.timedelta(hours=1),
        )

    def end(number: int) -> int:
        ended = 0
        for which in range(8):
            try:
                if number % 3 == 0:
                    void_reservation(key=f"r:{which}")
                else:
                    ended += post_reservation(key=f"r:{which}", amount_fen=number).is_new
            except ReservationEnded:
                continue
        return ended

    got = crowd(end, 9)
    posted = Reservation.objects.filter(state="posted")
    assert sum(got) == posted.count() == Entry.objects.filter(kind="reservation").count()
    assert not Reservation.objects.filter(state="pending").exists()
    spent = sum(each.posted_fen for each in posted)
    assert queries.available_fen(accounts.wallet(1)) == 100 - spent
    assert make.broken() == {}


def test_setting_aside_and_spending_at_once_never_promise_the_same_money(noon: dt.datetime) -> None:
    make.fill_wallet(1, 100)

    def take(number: int) -> object:
        if number % 2:
            return make.transfer(1, 2, 30, key=f"t:{number}")
        return reserve(
            key=f"r:{number}",
            debit=accounts.wallet(1),
            credit=accounts.bank(),
            amount_fen=30,
            expires_at=noon,
        )

    got = outcomes(crowd(take, 12))
    assert got["NotEnough"] == 9
    assert got["Posted"] + got["Reservation"] == 3
    assert queries.available_fen(accounts.wallet(1)) == 10
    assert sum(crowd(lambda _n: expire_reservations(), 6)) == got["Reservation"]
    assert make.broken() == {}


def test_a_day_closed_while_all_are_booking_loses_no_entry() -> None:
    day = make.NOON.date()

    def work(number: int) -> object:
        if number == 0:
            return sum(close_day(day + dt.timedelta(days=n)) for n in range(5))
        posted: Posted | None = None
        for turn in range(30):
            posted = make.pay(f"LK{number}", 1, key=f"p:{number}:{turn}")
        return posted

    got = crowd(work, 6)
    assert got[0] == 5
    close_day(day + dt.timedelta(days=5))
    assert sum(Day.objects.values_list("entry_count", flat=True)) == Entry.objects.count() == 150
    assert queries.balance_fen(accounts.gateway_clearing("sandbox")) == 150
    assert make.broken() == {}


def test_two_who_close_the_same_day_close_it_once() -> None:
    make.pay("LK1", 10)
    assert sorted(crowd(lambda _n: close_day(make.NOON.date()), 6)) == [False] * 5 + [True]
    assert make.broken() == {}
