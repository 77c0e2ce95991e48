"""Money set aside: counted at once, ended once, in part or whole."""

from __future__ import annotations

import datetime as dt

import pytest

from liuke.base import clock
from liuke.ledger import accounts, queries
from liuke.ledger.actions import (
    expire_reservations,
    post_reservation,
    reserve,
    void_reservation,
)
from liuke.ledger.errors import (
    KeyUsedOtherwise,
    MoreThanReserved,
    NotEnough,
    ReservationEnded,
    UnknownReservation,
)
from liuke.ledger.models import Reservation
from tests.ledger import make

pytestmark = pytest.mark.django_db

MERCHANT, TRANSIT = accounts.merchant_available("M1"), accounts.payout_in_transit()
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def earned(noon: dt.datetime) -> None:
    """The merchant has 1000."""
    from liuke.ledger.actions import Move, post

    post(key="earned", kind="top_up", moves=[Move(accounts.bank(), MERCHANT, 1000)])


def payout(amount_fen: int, key: str = "payout:1") -> Reservation:
    return reserve(
        key=key,
        debit=MERCHANT,
        credit=TRANSIT,
        amount_fen=amount_fen,
        expires_at=clock.now() + HOUR,
        about="M1",
    )


def holds() -> tuple[int, int, int]:
    """(balance, available, in transit)"""
    assert make.broken() == {}
    return (
        queries.balance_fen(MERCHANT),
        queries.available_fen(MERCHANT),
        queries.balance_fen(TRANSIT),
    )


def test_what_is_set_aside_cannot_be_spent_or_set_aside_again() -> None:
    payout(700)
    assert holds() == (1000, 300, 0)
    with pytest.raises(NotEnough):
        payout(301, key="payout:2")
    from liuke.ledger.actions import Move, post

    with pytest.raises(NotEnough):
        post(key="charge", kind="charge", moves=[Move(MERCHANT, accounts.bank(), 301)])
    assert holds() == (1000, 300, 0)
    assert Reservation.objects.count() == 1


def test_posting_all_of_it_moves_it() -> None:
    payout(700)
    posted = post_reservation(key="payout:1")
    assert posted.is_new
    assert holds() == (300, 300, 700)
    (entry,) = queries.entries_about("M1")
    assert (entry.id, entry.key) == (posted.entry_id, "reservation:payout:1")


def test_posting_a_part_frees_the_rest() -> None:
    payout(700)
    post_reservation(key="payout:1", amount_fen=200)
    assert holds() == (800, 800, 200)


def test_even_all_there_is_can_be_set_aside_and_posted() -> None:
    payout(1000)
    post_reservation(key="payout:1")
    assert holds() == (0, 0, 1000)


def test_voiding_frees_it() -> None:
    payout(700)
    void_reservation(key="payout:1")
    void_reservation(key="payout:1")
    assert holds() == (1000, 1000, 0)


def test_what_nobody_ends_expires_and_can_then_not_be_posted() -> None:
    payout(700)
    with clock.stopped_at(clock.now() + HOUR):
        with pytest.raises(ReservationEnded):
            post_reservation(key="payout:1")
        assert (expire_reservations(), expire_reservations()) == (1, 0)
        with pytest.raises(ReservationEnded):
            post_reservation(key="payout:1")
        void_reservation(key="payout:1")
    assert Reservation.objects.get().state == "expired"
    assert holds() == (1000, 1000, 0)


def test_what_is_not_due_is_not_swept() -> None:
    payout(700)
    with clock.stopped_at(clock.now() + HOUR - dt.timedelta(seconds=1)):
        assert expire_reservations() == 0
    assert holds() == (1000, 300, 0)


def test_no_more_is_swept_than_asked_for() -> None:
    for number in range(5):
        payout(10, key=f"payout:{number}")
    with clock.stopped_at(clock.now() + HOUR):
        assert [expire_reservations(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert holds() == (1000, 1000, 0)


def test_each_step_told_again_is_the_same_step() -> None:
    assert payout(700).pk == payout(700).pk
    with pytest.raises(KeyUsedOtherwise):
        payout(699)
    first = post_reservation(key="payout:1", amount_fen=200)
    again = post_reservation(key="payout:1", amount_fen=200)
    assert (again.entry_id, again.is_new) == (first.entry_id, False)
    with pytest.raises(ReservationEnded):
        post_reservation(key="payout:1", amount_fen=201)
    with pytest.raises(ReservationEnded):
        void_reservation(key="payout:1")
    assert holds() == (800, 800, 200)


def test_a_voided_reservation_is_not_posted_and_an_unknown_one_not_ended() -> None:
    payout(700)
    void_reservation(key="payout:1")
    with pytest.raises(ReservationEnded):
        post_reservation(key="payout:1")
    with pytest.raises(UnknownReservation):
        post_reservation(key="payout:2")
    with pytest.raises(UnknownReservation):
        void_reservation(key="payout:2")
    assert holds() == (1000, 1000, 0)


def test_more_than_was_set_aside_or_nothing_is_not_posted() -> None:
    payout(700)
    with pytest.raises(MoreThanReserved):
        post_reservation(key="payout:1", amount_fen=701)
    for amount in (0, -1):
        with pytest.raises(ValueError, match="positive integer"):
            post_reservation(key="payout:1", amount_fen=amount)
    assert holds() == (1000, 300, 0)


def test_nothing_is_set_aside_on_an_account_that_cannot_run_short() -> None:
    with pytest.raises(ValueError, match="cannot run short"):
        reserve(
            key="x",
            debit=accounts.bank(),
            credit=TRANSIT,
            amount_fen=1,
            expires_at=clock.now() + HOUR,
        )
    assert Reservation.objects.count() == 0
