"""Whatever is done to stock in whatever order, it is where a plain model says, and the audit finds nothing broken."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from liuke.base import clock
from liuke.base.audit import check
from liuke.catalog import actions, queries
from liuke.catalog.errors import HoldInUse, KeyEnded, KeyHeld, OutOfStock, StockTaken, UnknownHold
from liuke.catalog.models import CardKey, Hold, Variant
from liuke.merchants.models import Merchant
from tests.catalog import make
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

TOKENS = st.sampled_from([f"o{n}" for n in range(6)])
QUANTITIES = st.integers(1, 3)
MINUTE = dt.timedelta(minutes=1)


class Stock(RuleBasedStateMachine):
    """Two kinds of key, one count, and a bundle of the keys, under six tokens."""

    @initialize()
    def open(self) -> None:
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.now = NOON
        self.running = clock.running(lambda: self.now)
        self.running.__enter__()
        merchant = Merchant.objects.first() or make.merchants.merchant()
        self.one = make.variant(make.product(merchant), "一")
        self.two = make.variant(self.one.product, "二")
        self.count = make.variant(make.product(merchant, kind="top_up"), stock_count=2)
        self.bundle = make.variant(
            self.one.product, "套餐", stock_kind="bundle", parts=[(self.one, 1), (self.two, 2)]
        )
        self.free = {self.one.pk: 0, self.two.pk: 0, self.count.pk: 2}
        self.held: dict[str, tuple[dict[int, int], dt.datetime]] = {}
        self.taken: dict[str, list[actions.TakenKey]] = {}
        self.ended = 0
        self.imported = 0

    def teardown(self) -> None:
        if hasattr(self, "outer"):
            self.running.__exit__(None, None, None)
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    def parts(self, wants: list[tuple[Variant, int]]) -> dict[int, int]:
        needed: dict[int, int] = {}
        for variant, quantity in wants:
            of_bundle = [(self.one.pk, quantity), (self.two.pk, 2 * quantity)]
            single = [(variant.pk, quantity)]
            for pk, n in of_bundle if variant == self.bundle else single:
                needed[pk] = needed.get(pk, 0) + n
        return needed

    @rule(second=st.booleans(), count=st.integers(1, 4))
    def bring_keys(self, second: bool, count: int) -> None:
        variant = self.two if second else self.one
        make.import_keys(variant, count, start=self.imported + 1)
        self.imported += count
        self.free[variant.pk] += count

    @rule(count=QUANTITIES)
    def bring_counted(self, count: int) -> None:
        actions.add_stock(variant=self.count, quantity=count, by=None)
        self.free[self.count.pk] += count

    @rule(
        token=TOKENS,
        pick=st.lists(st.tuples(st.integers(0, 3), QUANTITIES), min_size=1, max_size=3),
    )
    def hold(self, token: str, pick: list[tuple[int, int]]) -> None:
        known = [self.one, self.two, self.count, self.bundle]
        wants = [(known[n], quantity) for n, quantity in pick]
        needed = self.parts(wants)
        try:
            make.hold(token, *wants, minutes=10)
        except HoldInUse:
            assert token in self.held or token in self.taken
        except OutOfStock:
            assert any(self.free[pk] < n for pk, n in needed.items())
        else:
            assert token not in self.held
            assert token not in self.taken
            for pk, n in needed.items():
                self.free[pk] -= n
            self.held[token] = (needed, self.now + 10 * MINUTE)

    @rule(token=TOKENS)
    def release(self, token: str) -> None:
        try:
            actions.release_hold(token=token)
        except StockTaken:
            assert token in self.taken
        else:
            self.back(token)

    def back(self, token: str) -> None:
        needed, _ = self.held.pop(token, ({}, None))
        for pk, n in needed.items():
            self.free[pk] += n

    @rule(token=TOKENS)
    def extend(self, token: str) -> None:
        until = self.now + 30 * MINUTE
        try:
            actions.extend_hold(token=token, until=until)
        except (StockTaken, UnknownHold):
            assert token not in self.held
        else:
            self.held[token] = (self.held[token][0], until)

    @rule(token=TOKENS)
    def take(self, token: str) -> None:
        try:
            keys = actions.take_stock(token=token)
        except UnknownHold:
            assert token not in self.held
            assert token not in self.taken
            return
        if token in self.taken:
            assert keys == self.taken[token]
            return
        needed, _ = self.held.pop(token)
        needed.pop(self.count.pk, None)
        assert len(keys) == sum(needed.values())
        before = {key.key_id for taken in self.taken.values() for key in taken}
        assert not before & {key.key_id for key in keys}
        self.taken[token] = keys

    @rule(minutes=st.sampled_from([1, 9, 11, 31]), limit=st.integers(1, 3))
    def expire(self, minutes: int, limit: int) -> None:
        self.now += minutes * MINUTE
        due = sorted((until, token) for token, (_, until) in self.held.items() if until <= self.now)
        assert actions.expire_holds(limit=limit) == min(limit, len(due))
        left = set(Hold.objects.filter(taken_at=None).values_list("token", flat=True))
        for _, token in due:
            if token not in left:
                self.back(token)

    @rule(second=st.booleans(), is_bad=st.booleans(), place=st.integers(0, 5))
    def end_a_key(self, second: bool, is_bad: bool, place: int) -> None:
        variant = self.two if second else self.one
        keys = list(CardKey.objects.filter(variant=variant).order_by("id"))
        if not keys:
            return
        key = keys[place % len(keys)]
        end = actions.mark_bad if is_bad else actions.revoke_key
        try:
            end(key_id=key.pk, why="a test")
        except KeyHeld:
            assert key.state == "held"
        except KeyEnded:
            assert key.state in ("revoked", "bad")
        else:
            self.free[variant.pk] -= key.state == "free"
            self.ended += 1

    @invariant()
    def stock_is_as_the_model_says(self) -> None:
        if not hasattr(self, "free"):
            return
        left = queries.stock_of([*self.free, self.bundle.pk])
        assert left == {
            **self.free,
            self.bundle.pk: min(self.free[self.one.pk], self.free[self.two.pk] // 2),
        }
        open_holds = Hold.objects.filter(taken_at=None).values_list("token", flat=True)
        assert set(open_holds) == set(self.held)
        assert CardKey.objects.filter(ended_at__isnull=False).count() == self.ended
        assert CardKey.objects.count() == self.imported

    @invariant()
    def nothing_is_broken(self) -> None:
        assert [p.name for p in queries.invariants() if check(p).violations] == []


def test_stock_follows_a_plain_model() -> None:
    run_state_machine_as_test(
        Stock,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
