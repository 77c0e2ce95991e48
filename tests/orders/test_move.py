"""The way of an order, and what it takes and lets go on it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction

from liuke.base import clock
from liuke.catalog.errors import OutOfStock
from liuke.catalog.models import CardKey
from liuke.events.queries import events_of
from liuke.membership.errors import CouponTaken
from liuke.membership.models import Coupon, CouponKind, OfferUse
from liuke.orders import queries
from liuke.orders.actions import (
    cancel_order,
    complete,
    expire_orders,
    forget_answers,
    mark_delivered,
    mark_paid,
    mark_refunded,
    prune_answers,
)
from liuke.orders.errors import OrderCancelled, OrderMovedOn, TooMuchRefunded, UnknownOrder
from liuke.orders.events import OrderCompleted, OrderRefunded
from liuke.orders.models import LastAnswers, Line, Order
from liuke.people.actions import erase_member
from tests.membership import make as membership
from tests.orders import make
from tests.orders.test_place import FORM, TOLD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
MOVES = {
    "mark_paid": lambda pk: mark_paid(order_id=pk),
    "mark_delivered": lambda pk: mark_delivered(order_id=pk),
    "complete": lambda pk: complete(order_id=pk),
    "refund": lambda pk: mark_refunded(order_id=pk, amount_fen=1000),
    "cancel": lambda pk: cancel_order(order_id=pk),
}
WAYS = {
    "placed": (),
    "paid": ("mark_paid",),
    "delivered": ("mark_paid", "mark_delivered"),
    "completed": ("mark_paid", "mark_delivered", "complete"),
    "refunded": ("mark_paid", "refund"),
    "cancelled": ("cancel",),
}
ALLOWED = {
    ("placed", "mark_paid"): "paid",
    ("placed", "cancel"): "cancelled",
    ("paid", "mark_delivered"): "delivered",
    ("paid", "refund"): "refunded",
    ("delivered", "complete"): "completed",
    ("delivered", "refund"): "refunded",
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", WAYS)
def test_from_each_state_only_its_own_moves_are_made(state: str, move: str) -> None:
    order = make.order(make.shop(price_fen=1000).coins)
    for step in WAYS[state]:
        MOVES[step](order.pk)
    order.refresh_from_db()
    assert order.state == state
    before = Order.objects.filter(pk=order.pk).values().get()
    if (state, move) in ALLOWED:
        assert MOVES[move](order.pk).state == ALLOWED[state, move]
    else:
        with pytest.raises((OrderMovedOn, OrderCancelled)), transaction.atomic():
            MOVES[move](order.pk)
        assert Order.objects.filter(pk=order.pk).values().get() == before


def test_an_unknown_order_is_unknown() -> None:
    for move in MOVES.values():
        with pytest.raises(UnknownOrder), transaction.atomic():
            move(0)


def with_everything(who_buys: str = "") -> tuple[make.Shop, Order, Coupon]:
    """An order with a coupon, a special price and a gift."""
    shop, who = make.shop(price_fen=3000, stock=1), make.member(who_buys)
    membership.first_order(make.product(shop.merchant, price_fen=500, stock=1, title="Gift"))
    membership.grant(membership.special(percent_off=10), who)
    coupon = membership.coupon(who)
    return shop, make.order(shop.coins, of=who, coupon_ref=coupon.reference), coupon


def test_a_cancelled_order_lets_everything_go() -> None:
    shop, order, coupon = with_everything()
    assert (order.list_fen, order.payable_fen) == (3500, 2200)
    assert OfferUse.objects.filter(returned_at=None).count() == 2
    cancel_order(order_id=order.pk)
    coupon.refresh_from_db()
    assert (coupon.state, CouponKind.objects.get().locked_fen) == ("free", 0)
    assert not OfferUse.objects.filter(returned_at=None).exists()
    assert not CardKey.objects.exclude(state="free").exists()
    assert make.quote(shop.coins, of=order.member).payable_fen == 2700


def test_a_paid_order_has_used_its_coupon_and_a_refund_of_all_gives_it_back() -> None:
    _, order, coupon = with_everything()
    mark_paid(order_id=order.pk)
    coupon.refresh_from_db()
    assert (coupon.state, CouponKind.objects.get().spent_fen) == ("used", 500)
    mark_refunded(order_id=order.pk, amount_fen=200)
    coupon.refresh_from_db()
    assert coupon.state == "used"
    mark_refunded(order_id=order.pk, amount_fen=2000)
    coupon.refresh_from_db()
    assert (coupon.state, CouponKind.objects.get().spent_fen) == ("free", 0)
    assert not OfferUse.objects.filter(returned_at=None).exists()
    told = [
        fact for each in events_of(order.member_id) if isinstance(fact := each.fact, OrderRefunded)
    ]
    assert [(fact.amount_fen, fact.is_whole) for fact in told] == [(2000, True), (200, False)]


def test_no_more_goes_back_than_was_paid() -> None:
    order = make.order(make.shop(price_fen=1000).coins)
    mark_paid(order_id=order.pk)
    for amount in (1001, 0, -1):
        with pytest.raises(TooMuchRefunded):
            mark_refunded(order_id=order.pk, amount_fen=amount)
    mark_refunded(order_id=order.pk, amount_fen=400)
    with pytest.raises(TooMuchRefunded):
        mark_refunded(order_id=order.pk, amount_fen=601)
    mark_delivered(order_id=order.pk)
    complete(order_id=order.pk)
    told = events_of(order.member_id)[0].fact
    assert isinstance(told, OrderCompleted)
    assert told.amount_fen == 600


def test_unpaid_orders_expire_at_their_moment_and_give_back_what_they_held() -> None:
    shop, order, _ = with_everything()
    paid = make.order(make.shop().coins)
    mark_paid(order_id=paid.pk)
    with clock.stopped_at(order.expires_at - dt.timedelta(microseconds=1)):
        assert expire_orders() == 0
    with clock.stopped_at(order.expires_at):
        assert expire_orders() == 1
        assert expire_orders() == 0
    order.refresh_from_db()
    assert (order.state, order.cancel_reason) == ("cancelled", "expired")
    assert not CardKey.objects.filter(variant=shop.coins).exclude(state="free").exists()


def test_money_that_comes_late_still_pays_while_everything_is_there() -> None:
    shop, order, coupon = with_everything()
    with clock.stopped_at(order.expires_at):
        expire_orders()
        assert mark_paid(order_id=order.pk).state == "paid"
    order.refresh_from_db()
    coupon.refresh_from_db()
    assert (order.cancelled_at, order.cancel_reason, coupon.state) == (None, "", "used")
    assert CardKey.objects.get(variant=shop.coins).state == "held"
    assert OfferUse.objects.filter(returned_at=None).count() == 2


def test_money_that_comes_late_pays_nothing_when_the_goods_are_gone() -> None:
    shop, order, coupon = with_everything()
    with clock.stopped_at(order.expires_at):
        expire_orders()
        make.order(shop.coins)
        with pytest.raises(OutOfStock):
            mark_paid(order_id=order.pk)
    order.refresh_from_db()
    coupon.refresh_from_db()
    assert (order.state, coupon.state) == ("cancelled", "free")
    uses = OfferUse.objects.filter(order_ref=order.reference)
    assert all(use.returned_at is not None for use in uses)


def test_money_that_comes_late_pays_nothing_when_the_coupon_is_in_another_order() -> None:
    shop, who = make.shop(price_fen=3000), make.member()
    coupon = membership.coupon(who)
    order = make.order(shop.coins, of=who, coupon_ref=coupon.reference)
    with clock.stopped_at(order.expires_at):
        expire_orders()
        make.order(shop.coins, of=who, coupon_ref=coupon.reference)
        with pytest.raises(CouponTaken), transaction.atomic():
            mark_paid(order_id=order.pk)
    order.refresh_from_db()
    assert order.state == "cancelled"
    assert CardKey.objects.filter(state="held").count() == 1


def test_an_order_that_somebody_cancelled_is_never_paid() -> None:
    order = make.order(make.shop().coins)
    cancel_order(order_id=order.pk, reason="staff")
    with pytest.raises(OrderCancelled):
        mark_paid(order_id=order.pk)


def test_secrets_are_forgotten_when_they_were_needed() -> None:
    shop = make.shop(order_form=FORM)
    kept, gone = (make.order(shop.coins, form=TOLD) for _ in range(2))
    for order in (kept, gone):
        mark_paid(order_id=order.pk)
        mark_delivered(order_id=order.pk)
    complete(order_id=gone.pk)
    assert queries.secrets_of(Line.objects.get(order=kept)) == {"password": "hunter2"}
    assert queries.secrets_of(Line.objects.get(order=gone)) == {}
    cancelled = make.order(shop.coins, form=TOLD)
    cancel_order(order_id=cancelled.pk)
    assert queries.secrets_of(Line.objects.get(order=cancelled)) == {}


def test_what_an_erased_person_told_is_forgotten_once_it_is_not_needed() -> None:
    shop = make.shop(order_form=FORM)
    who = make.member()
    done, running = (
        make.order(shop.coins, of=who, form=TOLD),
        make.order(shop.coins, of=who, form=TOLD),
    )
    cancel_order(order_id=done.pk)
    erase_member(member=who, by=None)
    assert forget_answers(person_id=who.person_id) == 1
    assert not LastAnswers.objects.exists()
    assert Line.objects.get(order=done).answers == {}
    assert Line.objects.get(order=running).answers == {"server": "官服", "account": "1234567"}
    assert prune_answers() == 0
    cancel_order(order_id=running.pk)
    assert prune_answers() == 1
    assert Line.objects.get(order=running).answers == {}
