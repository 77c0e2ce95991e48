"""Coupons of a kind against a model, on the real database: any order of locking, using, returning, granting."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from liuke.base import clock
from liuke.membership.actions import (
    grant_coupon,
    lock_coupon,
    return_coupon,
    use_coupon,
)
from liuke.membership.errors import BudgetSpent, CouponTaken, EnoughCoupons
from liuke.membership.models import Coupon, CouponKind
from tests.conftest import NOON
from tests.membership import make
from tests.orders.make import member

BUDGET, EACH_MAX, DAYS = 1000, 2, 7
NUMBERS = st.integers(0, 9)


@dataclass
class Held:
    """What the model knows of a coupon."""

    reference: str
    person_id: int
    expires_at: dt.datetime
    state: str = "free"
    order_ref: str = ""
    off_fen: int = 0


class Coupons(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = NOON
        self.clock = clock.running(lambda: self.now)
        self.clock.__enter__()
        self.kind = make.coupon_kind(budget_fen=BUDGET, per_person_max=EACH_MAX, valid_days=DAYS)
        self.people = [member() for _ in range(2)]
        self.coupons: list[Held] = []

    def teardown(self) -> None:
        self.clock.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def spent(self, *states: str) -> int:
        return sum(one.off_fen for one in self.coupons if one.state in states)

    @rule(who=st.integers(0, 1))
    def grant(self, who: int) -> None:
        person = self.people[who]
        had = sum(one.person_id == person.person_id for one in self.coupons)
        try:
            given = grant_coupon(kind_ref=self.kind.reference, person_id=person.person_id)
        except EnoughCoupons:
            assert had == EACH_MAX
            return
        assert had < EACH_MAX
        self.coupons.append(Held(given.reference, person.person_id, given.expires_at))

    @precondition(lambda self: self.coupons)
    @rule(number=NUMBERS, off=st.integers(1, 600), foreign=st.booleans())
    def lock(self, number: int, off: int, foreign: bool) -> None:
        held = self.coupons[number % len(self.coupons)]
        others = [p.person_id for p in self.people if p.person_id != held.person_id]
        order_ref = make.order_ref()
        is_free = held.state == "free" and not foreign and self.now < held.expires_at
        try:
            with transaction.atomic():
                lock_coupon(
                    coupon_ref=held.reference,
                    order_ref=order_ref,
                    person_id=others[0] if foreign else held.person_id,
                    off_fen=off,
                    until=self.now,
                )
        except CouponTaken:
            assert not is_free
            return
        except BudgetSpent:
            assert is_free
            assert self.spent("locked", "used") + off > BUDGET
            return
        assert is_free
        held.state, held.order_ref, held.off_fen = "locked", order_ref, off

    @precondition(lambda self: self.coupons)
    @rule(number=NUMBERS)
    def use(self, number: int) -> None:
        held = self.coupons[number % len(self.coupons)]
        assert use_coupon(order_ref=held.order_ref) == (held.state == "locked")
        if held.state == "locked":
            held.state = "used"

    @precondition(lambda self: self.coupons)
    @rule(number=NUMBERS)
    def give_back(self, number: int) -> None:
        held = self.coupons[number % len(self.coupons)]
        assert return_coupon(order_ref=held.order_ref) == (held.state != "free")
        held.state, held.order_ref, held.off_fen = "free", "", 0

    @rule(days=st.integers(0, 4))
    def wait(self, days: int) -> None:
        self.now += dt.timedelta(days=days)

    @invariant()
    def the_table_is_the_model(self) -> None:
        rows = Coupon.objects.order_by("pk").values_list(
            "reference", "state", "order_ref", "off_fen"
        )
        assert [(ref, state, order or "", off) for ref, state, order, off in rows] == [
            (one.reference, one.state, one.order_ref, one.off_fen) for one in self.coupons
        ]
        kind = CouponKind.objects.get()
        assert (kind.locked_fen, kind.spent_fen) == (self.spent("locked"), self.spent("used"))
        assert kind.locked_fen + kind.spent_fen <= BUDGET


def test_coupons_follow_a_plain_model(db: None) -> None:
    run_state_machine_as_test(
        Coupons,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
