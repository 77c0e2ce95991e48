"""Whatever is booked in whatever order, the book says what a plain model says, and keeps its promises."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from liuke.base import clock
from liuke.ledger import accounts, queries
from liuke.ledger.accounts import AccountName
from liuke.ledger.actions import (
    Move,
    close_day,
    expire_reservations,
    post,
    post_reservation,
    reserve,
    reverse,
    void_reservation,
)
from liuke.ledger.errors import AlreadyReversed, KeyUsedOtherwise, NotEnough, ReservationEnded
from tests.ledger import make

pytestmark = pytest.mark.django_db

ORDERS = st.sampled_from(["LK1", "LK2", "LK3"])
PERSONS = st.integers(1, 2)
AMOUNTS = st.integers(1, 100)
CLEARING, TRANSIT = accounts.gateway_clearing("sandbox"), accounts.payout_in_transit()
MERCHANT = accounts.merchant_available("M1")
HOUR = dt.timedelta(hours=1)


class Book(RuleBasedStateMachine):
    """Pay, be told again, release, refund, reverse, give and spend points, set money aside and end that."""

    def __init__(self) -> None:
        super().__init__()
        self.now = make.NOON
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.clock = clock.running(lambda: self.now)
        self.clock.__enter__()
        self.holds: Counter[AccountName] = Counter()  # sum of legs
        self.keys: dict[str, list[Move]] = {}
        self.entries: dict[str, int] = {}
        self.reversed: set[int] = set()
        self.aside: dict[str, list[object]] = {}  # key → [amount, expires_at, state, posted]
        self.day = make.NOON.date()

    def teardown(self) -> None:
        self.clock.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    # What the model expects ------------------------------------------------------------------

    def pending(self) -> int:
        return sum(int(str(a[0])) for a in self.aside.values() if a[2] == "pending")

    def available(self, name: AccountName) -> int:
        return -self.holds[name] - (self.pending() if name == MERCHANT else 0)

    def move(self, moves: list[Move]) -> None:
        for each in moves:
            self.holds[each.debit] += each.amount_fen
            self.holds[each.credit] -= each.amount_fen

    def book(self, key: str, kind: str, *moves: Move) -> None:
        wanted = list(moves)
        if key in self.keys:
            if self.keys[key] == wanted:
                assert post(key=key, kind=kind, moves=wanted).is_new is False
            else:
                with pytest.raises(KeyUsedOtherwise):
                    post(key=key, kind=kind, moves=wanted)
            return
        taken: Counter[AccountName] = Counter()
        for each in moves:
            taken[each.debit] += each.amount_fen
            taken[each.credit] -= each.amount_fen
        is_short = any(a.is_guarded and n > self.available(a) for a, n in taken.items() if n > 0)
        if is_short:
            with pytest.raises(NotEnough):
                post(key=key, kind=kind, moves=wanted)
            return
        posted = post(key=key, kind=kind, moves=wanted)
        assert posted.is_new
        self.keys[key], self.entries[key] = wanted, posted.entry_id
        self.move(wanted)

    # What happens ----------------------------------------------------------------------------

    @rule(order=ORDERS, amount=AMOUNTS)
    def pay(self, order: str, amount: int) -> None:
        self.book(f"pay:{order}", "payment", Move(CLEARING, accounts.escrow(order), amount))

    @rule(order=ORDERS)
    def told_again(self, order: str) -> None:
        if f"pay:{order}" in self.keys:
            (move,) = self.keys[f"pay:{order}"]
            self.pay(order, move.amount_fen)

    @rule(order=ORDERS, fee=st.integers(0, 30), amount=AMOUNTS)
    def release(self, order: str, fee: int, amount: int) -> None:
        escrow, fee = accounts.escrow(order), min(fee, amount - 1)
        moves = [Move(escrow, MERCHANT, amount - fee)]
        if fee:
            moves.append(Move(escrow, accounts.platform_fee(), fee))
        self.book(f"release:{order}:{amount}:{fee}", "release", *moves)

    @rule(order=ORDERS, person=PERSONS, amount=AMOUNTS)
    def refund_to_the_wallet(self, order: str, person: int, amount: int) -> None:
        due = accounts.refund_due(order)
        self.book(f"due:{order}:{amount}", "refund", Move(accounts.escrow(order), due, amount))
        self.book(f"refund:{order}:{amount}", "refund", Move(due, accounts.wallet(person), amount))

    @rule(person=PERSONS, order=ORDERS, amount=AMOUNTS)
    def pay_from_the_wallet(self, person: int, order: str, amount: int) -> None:
        move = Move(accounts.wallet(person), accounts.escrow(order), amount)
        self.book(f"wallet:{person}:{order}", "payment", move)

    @rule(person=PERSONS, amount=AMOUNTS, is_given=st.booleans(), number=st.integers(0, 5))
    def points(self, person: int, amount: int, is_given: bool, number: int) -> None:
        pair = (accounts.points_issued(), accounts.points(person))
        debit, credit = pair if is_given else reversed(pair)
        self.book(f"points:{number}", "points", Move(debit, credit, amount))

    @rule(which=st.integers(0, 20))
    def take_back(self, which: int) -> None:
        if not self.entries:
            return
        key = list(self.entries)[which % len(self.entries)]
        entry_id, moves = self.entries[key], self.keys[key]
        back = [Move(move.credit, move.debit, move.amount_fen) for move in moves]
        if entry_id in self.reversed:
            with pytest.raises(AlreadyReversed):
                reverse(key=f"again:{key}:{which}", entry_id=entry_id)
        elif any(
            a.debit.is_guarded and self.available(a.debit) < self._takes(a, back) for a in back
        ):
            with pytest.raises(NotEnough):
                reverse(key=f"undo:{key}", entry_id=entry_id)
        else:
            reverse(key=f"undo:{key}", entry_id=entry_id)
            self.reversed.add(entry_id)
            self.move(back)

    @staticmethod
    def _takes(one: Move, moves: list[Move]) -> int:
        return sum(move.amount_fen for move in moves if move.debit == one.debit)

    @rule(number=st.integers(0, 3), amount=AMOUNTS, hours=st.integers(1, 3))
    def set_aside(self, number: int, amount: int, hours: int) -> None:
        key = f"payout:{number}"
        told = {"debit": MERCHANT, "credit": TRANSIT, "amount_fen": amount}
        until = self.now + hours * HOUR
        if key in self.aside:
            if self.aside[key][0] == amount:
                reserve(key=key, expires_at=until, **told)  # type: ignore[arg-type]
            else:
                with pytest.raises(KeyUsedOtherwise):
                    reserve(key=key, expires_at=until, **told)  # type: ignore[arg-type]
        elif self.available(MERCHANT) < amount:
            with pytest.raises(NotEnough):
                reserve(key=key, expires_at=until, **told)  # type: ignore[arg-type]
        else:
            reserve(key=key, expires_at=until, **told)  # type: ignore[arg-type]
            self.aside[key] = [amount, until, "pending", 0]

    @rule(number=st.integers(0, 3), share=st.integers(1, 100))
    def post_aside(self, number: int, share: int) -> None:
        key = f"payout:{number}"
        if key not in self.aside:
            return
        amount, until, state, posted = self.aside[key]
        wanted = max(1, int(str(amount)) * share // 100)
        if state == "pending" and until > self.now:  # type: ignore[operator]
            assert post_reservation(key=key, amount_fen=wanted).is_new
            self.aside[key] = [amount, until, "posted", wanted]
            self.move([Move(MERCHANT, TRANSIT, wanted)])
        elif state == "posted" and posted == wanted:
            assert not post_reservation(key=key, amount_fen=wanted).is_new
        else:
            with pytest.raises(ReservationEnded):
                post_reservation(key=key, amount_fen=wanted)

    @rule(number=st.integers(0, 3))
    def void_aside(self, number: int) -> None:
        key = f"payout:{number}"
        if key in self.aside and self.aside[key][2] == "posted":
            with pytest.raises(ReservationEnded):
                void_reservation(key=key)
        elif key in self.aside:
            void_reservation(key=key)
            if self.aside[key][2] == "pending":
                self.aside[key][2] = "voided"

    @rule(hours=st.integers(0, 3))
    def time_passes_and_the_sweeper_comes(self, hours: int) -> None:
        self.now += hours * HOUR
        due = [a for a in self.aside.values() if a[2] == "pending" and a[1] <= self.now]  # type: ignore[operator]
        assert expire_reservations() == len(due)
        for each in due:
            each[2] = "expired"

    @rule()
    def the_day_is_closed(self) -> None:
        assert close_day(self.day)
        self.day += dt.timedelta(days=1)

    # What always holds -----------------------------------------------------------------------

    @invariant()
    def the_book_says_what_the_model_says(self) -> None:
        make.check_at_once()
        assert make.broken() == {}
        for name, held in self.holds.items():
            assert queries.balance_fen(name) == name.sign * held, name
            if name.is_guarded:
                assert queries.available_fen(name) == self.available(name) >= 0, name


def test_the_book_answers_as_a_plain_model_does(db: None) -> None:
    run_state_machine_as_test(
        Book,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
