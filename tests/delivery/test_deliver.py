"""Handing over: once, to the right line, and what happens when there is nothing to hand over."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.base import clock
from liuke.catalog.actions import expire_holds, make_variant
from liuke.catalog.models import CardKey
from liuke.catalog.queries import access_history
from liuke.delivery import queries
from liuke.delivery.actions import (
    accept_delivery,
    add_step,
    close_refunded,
    deliver_by_hand,
    deliver_order,
    mark_tried,
    reveal,
)
from liuke.delivery.errors import (
    AlreadySettled,
    KeyReturned,
    NotByHand,
    NotDelivered,
    NotSeenYet,
    SayWhatWasDone,
    UnknownDelivery,
)
from liuke.delivery.models import DeliveredKey, Delivery, Step
from liuke.events.dispatcher import dispatch_pending
from liuke.orders.actions import place_order
from liuke.orders.models import Order
from liuke.payments.actions import refund_order
from tests.conftest import NOON
from tests.delivery import make
from tests.membership import make as membership
from tests.orders import make as orders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


def test_every_line_gets_its_own_keys_in_order() -> None:
    shop = orders.shop(stock=5)
    other = orders.product(shop.merchant, stock=5, title="Other")
    who = orders.member()
    order = place_order(
        member=who,
        wants=[(other.reference, 1), (shop.coins.reference, 3)],
        form={},
        key="k",
        expected_fen=4000,
    )
    make.delivered(order)
    first, second = make.deliveries(order)
    assert [key.key.variant_id for key in first.keys.all()] == [other.pk]
    assert [key.seq for key in second.keys.order_by("seq")] == [1, 2, 3]
    assert {key.key.variant_id for key in second.keys.all()} == {shop.coins.pk}
    assert second.due_at == NOON + dt.timedelta(days=3)
    assert make.broken() == {}


def test_delivering_again_changes_nothing() -> None:
    order = make.delivered(orders.order(orders.shop().coins, 2))
    before = [key.key_id for key in make.keys(order)]
    assert not deliver_order(order_id=order.pk)
    assert [key.key_id for key in make.keys(order)] == before
    assert not deliver_order(order_id=orders.order(orders.shop().coins).pk), "unpaid"


def test_the_reaction_delivers_when_nobody_did_at_once() -> None:
    order = make.paid(orders.order(orders.shop().coins))
    dispatch_pending()
    order.refresh_from_db()
    assert order.state == "delivered"
    shop_product = order.lines.get().product
    shop_product.refresh_from_db()
    assert shop_product.sold_count == 1


def test_the_same_thing_bought_and_given_shares_its_keys() -> None:
    shop = orders.shop(price_fen=1000, stock=4)
    membership.first_order(shop.coins)
    order = make.delivered(orders.order(shop.coins, 2))
    bought, gift = make.deliveries(order)
    assert (bought.keys.count(), gift.keys.count(), gift.line.is_gift) == (2, 1, True)
    assert len({key.key_id for key in make.keys(order)}) == 3
    assert make.broken() == {}


def test_a_bundle_hands_over_the_keys_of_its_parts() -> None:
    shop = orders.shop(stock=9)
    bundle = make_variant(
        product=shop.product,
        name="Three",
        price_fen=2500,
        stock_kind="bundle",
        parts=[(shop.coins, 3)],
        by=None,
    )
    order = make.delivered(orders.order(bundle, 2))
    assert len(make.keys(order)) == 6
    assert make.broken() == {}


def test_stock_that_was_put_back_before_the_money_came_is_held_once_more() -> None:
    order = make.paid(orders.order(orders.shop(stock=1).coins))
    with clock.stopped_at(NOON + dt.timedelta(hours=3)):
        assert expire_holds() == 1
        assert deliver_order(order_id=order.pk)
    assert len(make.keys(order)) == 1


def test_when_the_stock_is_gone_all_the_money_goes_back() -> None:
    shop = orders.shop(price_fen=1000, stock=1)
    late, quick = orders.member(), orders.member()
    order = make.paid(orders.order(shop.coins, of=late))
    with clock.stopped_at(NOON + dt.timedelta(hours=3)):
        expire_holds()
        make.delivered(orders.order(shop.coins, of=quick))
        assert not deliver_order(order_id=order.pk)
        assert not deliver_order(order_id=order.pk)
    order.refresh_from_db()
    assert (order.state, make.wallet(late), make.escrow(order)) == ("refunded", 1000, 0)
    assert not make.keys(order)
    assert make.broken() == {}


# Looking ------------------------------------------------------------------------------------------


def test_only_the_owner_sees_a_key_and_every_look_is_written_down() -> None:
    who, other = orders.member(), orders.member()
    order = make.delivered(orders.order(orders.shop().coins, of=who))
    (key,) = make.keys(order)
    with pytest.raises(UnknownDelivery):
        reveal(key_id=key.pk, member=other)
    with pytest.raises(NotSeenYet):
        mark_tried(key_id=key.pk, member=who)
    assert not access_history(key.key_id)
    first = reveal(key_id=key.pk, member=who, ip="203.0.113.7")
    with clock.stopped_at(NOON + dt.timedelta(hours=1)):
        assert reveal(key_id=key.pk, member=who) == first
        mark_tried(key_id=key.pk, member=who)
    key.refresh_from_db()
    assert (key.revealed_at, key.tried_at) == (NOON, NOON + dt.timedelta(hours=1))
    looks = list(access_history(key.key_id))
    assert [(look.person_id, look.role, look.network) for look in looks] == [
        (who.person_id, "buyer", "203.0.113.7"),
        (who.person_id, "buyer", ""),
    ]


def test_a_key_whose_price_went_back_is_shown_to_nobody() -> None:
    who = orders.member()
    order = make.delivered(orders.order(orders.shop().coins, of=who))
    (key,) = make.keys(order)
    refund_order(order=order, why="kindness", by=None)
    with pytest.raises(KeyReturned):
        reveal(key_id=key.pk, member=who)
    dispatch_pending()
    close_refunded(order_id=order.pk)
    key.refresh_from_db()
    assert (key.key.state, make.deliveries(order)[0].state) == ("revoked", "returned")
    assert not access_history(key.key_id)
    assert make.broken() == {}


# By hand ------------------------------------------------------------------------------------------


def by_hand() -> Order:
    seller = orders.merchant()
    top_up = orders.product(
        seller, kind="top_up", price_fen=3000, arrival_minutes=30, title="Top-up"
    )
    return make.paid(orders.order(top_up))


def test_work_by_hand_is_told_step_by_step_and_ends_with_a_note() -> None:
    order = by_hand()
    assert deliver_order(order_id=order.pk)
    order.refresh_from_db()
    line = make.line_id(order)
    (waiting,) = queries.waiting_for_hands()
    assert (order.state, waiting.line_id, waiting.promised_at) == (
        "paid",
        line,
        NOON + dt.timedelta(minutes=30),
    )
    with pytest.raises(NotDelivered):
        accept_delivery(line_id=line, member=order.member)
    add_step(line_id=line, text="Logged in", by=None)
    for text in ("", "  ", "x" * 1001):
        with pytest.raises(SayWhatWasDone):
            deliver_by_hand(line_id=line, note=text, by=None)
    deliver_by_hand(line_id=line, note="Topped up", proof="serial 123", by=None)
    order.refresh_from_db()
    assert order.state == "delivered"
    assert [(step.text, step.proof) for step in queries.steps_of(waiting.pk)] == [
        ("Logged in", ""),
        ("Topped up", "serial 123"),
    ]
    with pytest.raises(NotByHand):
        deliver_by_hand(line_id=line, note="again", by=None)
    with pytest.raises(NotByHand):
        add_step(line_id=line, text="again", by=None)
    accept_delivery(line_id=line, member=order.member)
    assert make.earned(Order.objects.get().lines.get().merchant) == 2910
    assert not queries.waiting_for_hands()
    assert make.broken() == {}


def test_an_order_of_both_kinds_is_delivered_when_the_last_line_is() -> None:
    shop = orders.shop()
    top_up = orders.product(shop.merchant, kind="top_up", price_fen=3000, title="Top-up")
    who = orders.member()
    order = place_order(
        member=who,
        wants=[(shop.coins.reference, 1), (top_up.reference, 1)],
        form={},
        key="k",
        expected_fen=4000,
    )
    make.delivered(order)
    assert order.state == "paid"
    accept_delivery(line_id=make.line_id(order, 1), member=who)
    deliver_by_hand(line_id=make.line_id(order, 2), note="done", by=None)
    order.refresh_from_db()
    assert (order.state, make.earned(shop.merchant)) == ("delivered", 0)
    accept_delivery(line_id=make.line_id(order, 2), member=who)
    with pytest.raises(AlreadySettled):
        accept_delivery(line_id=make.line_id(order, 2), member=who)
    order.refresh_from_db()
    assert (order.state, make.earned(shop.merchant)) == ("completed", 3880)
    assert make.broken() == {}


def test_two_merchants_are_paid_each_their_own_less_their_own_fee() -> None:
    first, second = orders.shop(price_fen=999, fee_permyriad=300), orders.shop(fee_permyriad=1000)
    who = orders.member()
    wants = [(first.coins.reference, 1), (second.coins.reference, 2)]
    order = make.delivered(
        place_order(member=who, wants=wants, form={}, key="k", expected_fen=2999)
    )
    for number in (1, 2):
        accept_delivery(line_id=make.line_id(order, number), member=who)
    assert make.earned(first.merchant) == 999 - 29  # 29.97, rounded for the merchant
    assert make.earned(second.merchant) == 1800
    assert make.escrow(order) == 0


def test_money_that_staff_gave_back_beside_is_missing_in_what_the_merchant_gets() -> None:
    shop = orders.shop(price_fen=1000, fee_permyriad=0)
    order = make.delivered(orders.order(shop.coins))
    refund_order(order=order, amount_fen=300, why="kindness", by=None)
    accept_delivery(line_id=make.line_id(order), member=order.member)
    assert (make.earned(shop.merchant), make.escrow(order)) == (700, 0)
    assert make.broken() == {}


# What the database refuses ------------------------------------------------------------------------


def test_the_database_refuses_what_no_delivery_does() -> None:
    one = make.delivered(orders.order(orders.shop().coins))
    other = make.delivered(orders.order(orders.shop().coins))
    deliver_order(order_id=by_hand().pk)
    waiting = queries.waiting_for_hands()[0]
    add_step(line_id=waiting.line_id, text="Began", by=None)
    (key,) = make.keys(one)
    delivery = Delivery.objects.get(order=other)
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveredKey.objects.create(delivery=delivery, key_id=key.key_id, seq=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(order=other, line=delivery.line, state="waiting", promised_at=NOON)
    for statement in (
        "UPDATE delivery_delivered_key SET key_id = 0",
        "DELETE FROM delivery_delivered_key",
        "UPDATE delivery_delivered_key SET tried_at = '2026-01-01'",
        "UPDATE delivery_delivery SET state = 'waiting', delivered_at = NULL, due_at = NULL",
        "UPDATE delivery_delivery SET refunded_fen = -1",
        "DELETE FROM delivery_delivery",
        "UPDATE delivery_step SET text = 'x'",
        "DELETE FROM delivery_step",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert (DeliveredKey.objects.count(), Step.objects.count()) == (2, 1)


def test_the_audit_notices_a_key_that_belongs_elsewhere() -> None:
    order = make.delivered(orders.order(orders.shop().coins))
    loose = CardKey.objects.filter(state="free").first()
    assert loose is not None
    DeliveredKey.objects.create(delivery=Delivery.objects.get(order=order), key=loose, seq=2)
    assert make.broken() == {"delivery.a_key_goes_to_one_line": 1}
