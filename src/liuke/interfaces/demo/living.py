"""A year of invented members: each acts by hidden traits of their own, and through the actions a visitor's taps call.

Time is a heap of moments, and the clock stands at the one that is being lived. What moves the members is kept in
`Life.truth`, never in the database. What the shop does by itself, at night, is `crowd.py`'s.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from liuke.base import chance, clock, ids
from liuke.delivery.actions import (
    accept_delivery,
    deliver_by_hand,
    deliver_order,
    reject_delivery,
    reveal,
)
from liuke.delivery.models import DeliveredKey, Delivery
from liuke.interfaces.demo.shop import Shelf, Shop
from liuke.interfaces.demo.traits import Traits, draw
from liuke.interfaces.demo.visits import Visits
from liuke.ledger import accounts
from liuke.ledger.actions import Move, post
from liuke.membership.actions import grant_coupon
from liuke.orders.actions import place_order
from liuke.orders.errors import PriceChanged
from liuke.orders.models import Order
from liuke.orders.queries import quote
from liuke.payments.actions import pay_from_wallet
from liuke.people.actions import enrol
from liuke.people.models import Login, Member

SOURCE = "site"
_TOP_UP_FEN = 10_000
_CHANGES_MIND = 0.04  # orders and does not pay
_HOUR_WEIGHTS = (2, 1, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 5, 6, 7, 9, 11, 12, 9, 5)
_ANSWERS = {"zone": "官服", "account": "100234567", "wish": "产品经理，三年经验"}
Step = Callable[[], None]


@dataclass
class Somebody:
    """A member of the simulation: what drives them, and where they stand."""

    traits: Traits
    member: Member | None = None
    orders: int = 0
    troubles: int = 0
    wallet_fen: int = 0  # at least
    left_on: dt.date | None = None
    is_waiting: bool = False  # the next need is in the heap


@dataclass
class Life:
    """The simulation. `began` is its first midnight, site-local."""

    shop: Shop
    began: dt.datetime
    days: int
    numbers: Sequence[int]
    hands: Login
    people: list[Somebody] = field(default_factory=list)
    now: dt.datetime = field(init=False)
    visits: Visits = field(init=False)
    _heap: list[tuple[dt.datetime, int, Step]] = field(default_factory=list)
    _tie: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.now = self.began
        ends = self.began + dt.timedelta(days=self.days)
        self.visits = Visits(seed=next(iter(self.numbers), 0), ends=ends)
        self.people = [Somebody(draw(number, self.days)) for number in self.numbers]

    # Time -----------------------------------------------------------------------------------------

    def live(self, day: int) -> None:
        """Live every moment of one day; days come one after another, from 0."""
        self.now = self.began + dt.timedelta(days=day)
        end = self.now + dt.timedelta(days=1)
        with clock.running(lambda: self.now):
            self._welcome([one for one in self.people if one.traits.joins_on_day == day])
            while self._heap and self._heap[0][0] < end:
                self.now, _, step = heapq.heappop(self._heap)
                step()

    def _at(self, moment: dt.datetime, step: Step) -> None:
        if moment < self.began + dt.timedelta(days=self.days):
            heapq.heappush(self._heap, (moment, next(self._tie), step))

    def _on_day(self, day: int) -> dt.datetime:
        """Some moment of a day, by when people buy."""
        lot = chance.source()
        (hour,) = lot.choices(range(24), _HOUR_WEIGHTS)
        return self.began + dt.timedelta(days=day, hours=hour, minutes=lot.uniform(0, 59))

    def _later(self, days: float) -> dt.datetime:
        moment = self._on_day(int((self.now - self.began) / dt.timedelta(days=1) + days))
        return moment if moment > self.now else self.now + dt.timedelta(minutes=20)

    # What members do ------------------------------------------------------------------------------

    def _welcome(self, newcomers: Sequence[Somebody]) -> None:
        """Those who join today do it in the first minute, and buy when people buy."""
        if not newcomers:
            return
        with transaction.atomic():
            enrol(source=SOURCE, names=[one.traits.phone for one in newcomers])
            members = {
                member.phone(): member for member in Member.objects.filter(enrolled_at=self.now)
            }
        for one in newcomers:
            one.member = members[one.traits.phone]
            self._at(self._on_day(one.traits.joins_on_day), self._buying(one))

    def _needing(self, one: Somebody, days: float) -> None:
        if one.left_on is None and not one.is_waiting:
            one.is_waiting = True
            self._at(self._later(days), self._buying(one))

    def _buying(self, one: Somebody) -> Step:
        def buy() -> None:
            one.is_waiting = False
            if one.left_on is not None or one.member is None:
                return
            order = self._order(one, one.member)
            if order is None:
                self._needing(one, one.traits.next_gap() / 3)
            elif not self._paid(one, one.member, order):
                self._needing(one, 0.5)  # thought better of it, for now
            else:
                one.orders += 1
                self._at(self.now + dt.timedelta(minutes=1), self._receiving(one, order))

        return buy

    def _order(self, one: Somebody, member: Member) -> Order | None:
        """Choose and order; None when nothing was worth it."""
        lot = chance.source()
        shelf = self._choice(one)
        self.visits.to_buy(member, shelf, self.now)
        quantity = lot.choices((1, 2, 3, 5), (80, 12, 5, 3))[0]
        wants = [(shelf.variant.reference, quantity)]
        seen = quote(person_id=member.person_id, wants=wants, at=self.now)
        coupon_ref = seen.coupons[0].reference if seen.coupons else None
        if coupon_ref:
            seen = quote(
                person_id=member.person_id, wants=wants, coupon_ref=coupon_ref, at=self.now
            )
        saved = 1 - seen.payable_fen / max(1, seen.list_fen)
        if lot.random() < one.traits.price_sensitivity * 0.25 * (1 - min(1.0, 8 * saved)):
            return None
        try:
            return place_order(
                member=member,
                wants=wants,
                form={**_ANSWERS, "phone": one.traits.phone},
                key=ids.new_reference(),
                expected_fen=seen.payable_fen,
                coupon_ref=coupon_ref,
            )
        except PriceChanged:
            return None  # the other part's night moved their level while they looked: another time

    def _paid(self, one: Somebody, member: Member, order: Order) -> bool:
        """Pay, as a rule, and have what can be had at once."""
        if chance.source().random() < _CHANGES_MIND:
            return False
        short = order.payable_fen - one.wallet_fen
        if short > 0:
            amount = -(-short // _TOP_UP_FEN) * _TOP_UP_FEN
            move = Move(accounts.bank(), accounts.wallet(member.person_id), amount)
            post(key=f"top_up:demo:{order.reference}", kind="top_up", moves=[move])
            one.wallet_fen += amount
        pay_from_wallet(order=order)
        one.wallet_fen -= order.payable_fen
        deliver_order(order_id=order.pk)
        return True

    def _choice(self, one: Somebody) -> Shelf:
        lot = chance.source()
        shelves = self.shop.shelves[one.traits.scene_now()]
        cheap = one.traits.price_sensitivity
        weights = [
            shelf.goods.taste
            * (1 + 2 * cheap if shelf.goods.source_kind == "merchant" else 1)
            / (1 + shelf.variant.price_fen / 3000)
            for shelf in shelves
        ]
        return lot.choices(shelves, weights)[0]

    def _receiving(self, one: Somebody, order: Order) -> Step:
        def receive() -> None:
            found = Delivery.objects.filter(order=order).select_related("line")
            bought = next(delivery for delivery in found if not delivery.line.is_gift)
            if bought.state == "waiting":
                self._at(self._done_at(bought), self._working(one, order, bought))
            else:
                self._look(one, order, bought, [delivery.line_id for delivery in found])

        return receive

    def _done_at(self, delivery: Delivery) -> dt.datetime:
        """When the merchant's hands are done: usually in time."""
        promised = (delivery.promised_at - self.now) / dt.timedelta(minutes=1)
        minutes = promised * chance.source().lognormvariate(-0.7, 0.5)
        return self.now + dt.timedelta(minutes=max(1.0, minutes))

    def _working(self, one: Somebody, order: Order, delivery: Delivery) -> Step:
        def work() -> None:
            deliver_by_hand(line_id=delivery.line_id, note="已完成，请查收", by=self.hands)
            self._look(one, order, delivery, [delivery.line_id])

        return work

    def _look(
        self, one: Somebody, order: Order, delivery: Delivery, line_ids: Sequence[int]
    ) -> None:
        """Look at what came; say whether it works, or leave that to time."""
        assert one.member is not None
        lot = chance.source()
        if delivery.line.kind == "card_key":
            for key in DeliveredKey.objects.filter(delivery=delivery):
                reveal(key_id=key.pk, member=one.member)
        is_dead = lot.random() < self.shop.goods_of(delivery.line.variant_id).dead
        if is_dead:
            one.troubles += 1
            reject_delivery(line_id=delivery.line_id, member=one.member, reason="does_not_work")
            if lot.random() < 0.5:
                grant_coupon(
                    kind_ref=self.shop.sorry_coupon,
                    person_id=one.member.person_id,
                    about=order.reference,
                )
        elif lot.random() < one.traits.looks_at_once:
            for line_id in line_ids:
                accept_delivery(line_id=line_id, member=one.member)
        self._decide(one, is_dead)

    def _decide(self, one: Somebody, is_dead: bool) -> None:
        assert one.member is not None
        leaves = one.traits.trouble_sensitivity if is_dead else one.traits.hazard
        shelves = self.shop.shelves[one.traits.scene]
        if chance.source().random() < leaves:
            one.left_on = clock.today()
            self.visits.until_gone(one.member, shelves, one.traits.gap_days, self.now)
        else:
            gap = one.traits.next_gap()
            self.visits.until_next(one.member, shelves, gap, self.now)
            self._needing(one, gap)

    # What the site does to them -------------------------------------------------------------------

    def reached(self, member_ids: Collection[int]) -> None:
        """A message reached these members: it wakes some who were through, and hurries some who were not."""
        reached = set(member_ids)
        for one in self.people:
            if one.member is None or one.member.pk not in reached:
                continue
            if chance.source().random() < one.traits.contact_reaction:
                one.left_on = None
                self._at(self._later(chance.source().uniform(0, 6)), self._buying(one))

    def truth(self) -> list[dict[str, Any]]:
        """What nobody can see: everyone's traits, what they met, and when they left for good."""
        return [
            {
                "member": one.member.reference if one.member else None,
                **asdict(one.traits),
                "orders": one.orders,
                "troubles": one.troubles,
                "left_on": one.left_on.isoformat() if one.left_on else None,
            }
            for one in self.people
        ]
