"""Orders from the tap to the merchant's money, in any order of events, against a plain model and every promise.

Two members, two products (one delivered by hand), coupons, a first-order gift, partial rejections, time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import connection, transaction
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
from liuke.base.errors import Conflict
from liuke.catalog.errors import OutOfStock
from liuke.catalog.models import CardKey
from liuke.delivery.actions import (
    accept_delivery,
    accept_overdue,
    deliver_by_hand,
    deliver_order,
    reject_delivery,
    reveal,
    set_delivery_policy,
    settle_rejection,
    take_back_order,
)
from liuke.delivery.errors import KeyReturned
from liuke.delivery.queries import open_rejections
from liuke.ledger import accounts
from liuke.ledger.queries import balance_fen
from liuke.orders.actions import cancel_order, expire_orders
from liuke.orders.errors import OrderMovedOn, PersonLimit, TooManyUnpaid
from liuke.orders.models import Order
from liuke.payments.actions import pay_from_wallet, refund_order
from liuke.payments.errors import NotPayable
from tests.conftest import NOON
from tests.delivery import make
from tests.membership import make as membership
from tests.orders import make as orders

FILLED = 100_000
NUMBERS = st.integers(0, 9)
AUDIT_EVERY = 4  # steps


@dataclass
class Known:
    """What the model knows of an order."""

    row: Order
    state: str = "placed"
    seen: set[int] = field(default_factory=set)


class Shop(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.clock = clock.running(lambda: self.now)
        self.clock.__enter__()
        shop = orders.shop(price_fen=1000, stock=8, per_person_max=12)
        self.merchant = shop.merchant
        self.by_hand = orders.product(
            shop.merchant, kind="top_up", price_fen=2100, stock=4, arrival_minutes=60
        )
        self.variants = [shop.coins, self.by_hand]
        membership.first_order(
            orders.product(shop.merchant, price_fen=500, stock=2, title="Gift"),
            min_payable_fen=1500,
        )
        self.people = [orders.member() for _ in range(2)]
        kind = membership.coupon_kind(off_fen=300, min_spend_fen=1000, per_person_max=2)
        for who in self.people:
            make.fill_wallet(who, FILLED)
            membership.coupon(who, kind)
        set_delivery_policy(by=None, rejections_max=2)
        self.orders: list[Known] = []
        self.steps = 0

    def teardown(self) -> None:
        self.clock.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    def one(self, number: int) -> Known:
        return self.orders[number % len(self.orders)]

    def attempt(self, act: Callable[[], object]) -> bool:
        """Whether it was done; what is refused has to have changed nothing, which the invariants look at."""
        try:
            with transaction.atomic():
                act()
        except Conflict:
            return False
        return True

    # What visitors do -------------------------------------------------------------------------

    @rule(
        who=st.integers(0, 1),
        what=st.integers(0, 1),
        quantity=st.integers(1, 3),
        coupon=st.booleans(),
    )
    def place(self, who: int, what: int, quantity: int, coupon: bool) -> None:
        member, variant = self.people[who], self.variants[what]
        asked = orders.quote(variant, quantity, of=member)
        chosen = asked.coupons[0].reference if coupon and asked.coupons else None
        with suppress(OutOfStock, TooManyUnpaid, PersonLimit), transaction.atomic():
            row = orders.order(variant, quantity, of=member, coupon_ref=chosen)
            self.orders.append(Known(row))

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS)
    def pay(self, number: int) -> None:
        known = self.one(number)
        in_time = self.now < known.row.expires_at
        try:
            with transaction.atomic():
                pay_from_wallet(order=known.row)
        except NotPayable:
            assert known.state != "placed" or not in_time
            return
        assert known.state == "placed"
        known.state = "paid"

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS)
    def deliver(self, number: int) -> None:
        known = self.one(number)
        has_any = bool(make.deliveries(known.row))
        assert deliver_order(order_id=known.row.pk) == (known.state == "paid" and not has_any)

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS)
    def work(self, number: int) -> None:
        for delivery in make.deliveries(self.one(number).row):
            if delivery.state == "waiting":
                deliver_by_hand(line_id=delivery.line_id, note="done", by=None)

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS)
    def look(self, number: int) -> None:
        known = self.one(number)
        for key in make.keys(known.row):
            try:
                reveal(key_id=key.pk, member=known.row.member)
                known.seen.add(key.key_id)
            except KeyReturned:
                assert key.returned_at is not None or known.state == "refunded"

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS)
    def accept(self, number: int) -> None:
        known = self.one(number)
        for delivery in make.deliveries(known.row):
            self.attempt(
                lambda line=delivery.line_id: accept_delivery(line_id=line, member=known.row.member)
            )

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, which=NUMBERS, one_key=st.booleans())
    def reject(self, number: int, which: int, one_key: bool) -> None:
        known = self.one(number)
        found = make.deliveries(known.row)
        if not found:
            return
        delivery = found[which % len(found)]
        keys = list(delivery.keys.all())
        key = keys[which % len(keys)].pk if one_key and keys else None
        self.attempt(
            lambda: reject_delivery(
                line_id=delivery.line_id,
                member=known.row.member,
                reason="too_late" if delivery.state == "waiting" else "does_not_work",
                key_id=key,
            )
        )

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        known = self.one(number)
        try:
            cancel_order(order_id=known.row.pk)
        except OrderMovedOn:
            assert known.state != "placed"
            return
        assert known.state == "placed"

    # What staff and time do -------------------------------------------------------------------

    @rule(is_granted=st.booleans())
    def decide(self, is_granted: bool) -> None:
        for rejection in open_rejections():
            settle_rejection(
                reference=rejection.reference, is_granted=is_granted, answer="seen", by=None
            )

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS)
    def take_back(self, number: int) -> None:
        self.attempt(
            lambda: take_back_order(order_id=self.one(number).row.pk, why="staff", by=None)
        )

    @precondition(lambda self: self.orders)
    @rule(number=NUMBERS, amount=st.integers(1, 700))
    def give_something_back(self, number: int, amount: int) -> None:
        self.attempt(
            lambda: refund_order(
                order=self.one(number).row, amount_fen=amount, why="kindness", by=None
            )
        )

    @rule(minutes=st.sampled_from([5, 15, 61, 1440, 3 * 1440]))
    def time_passes(self, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes)
        expire_orders()
        accept_overdue()

    # What has to be so ------------------------------------------------------------------------

    @invariant()
    def states_only_go_their_way(self) -> None:
        allowed = {
            "placed": {"placed", "cancelled"},
            "paid": {"paid", "delivered", "completed", "refunded"},
            "delivered": {"delivered", "completed", "refunded"},
        }
        for known in self.orders:
            state = Order.objects.get(pk=known.row.pk).state
            assert state in allowed.get(known.state, {known.state})
            known.state = state

    @invariant()
    def every_fen_is_somewhere(self) -> None:
        wallets = sum(make.wallet(who) for who in self.people)
        held = sum(make.escrow(known.row) for known in self.orders)
        fees = balance_fen(accounts.platform_fee())
        subsidies = balance_fen(accounts.coupon_subsidy())
        assert wallets + held + make.earned(self.merchant) + fees == 2 * FILLED + subsidies
        assert min(wallets, held, fees, subsidies) >= 0

    @invariant()
    def a_key_is_seen_by_one_member_and_sold_once(self) -> None:
        seen = [key for known in self.orders for key in known.seen]
        assert len(seen) == len(set(seen))
        assert not CardKey.objects.filter(pk__in=seen, state__in=("free", "held")).exists()

    @invariant()
    def every_promise_holds(self) -> None:
        self.steps += 1
        if self.steps % AUDIT_EVERY:
            return
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert make.broken() == {}


def test_orders_follow_a_plain_model_and_keep_every_promise(db: None) -> None:
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
