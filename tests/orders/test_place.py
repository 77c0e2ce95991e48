"""Placing an order: the price is the server's, the stock is held, limits hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.base import clock, ids
from liuke.base.audit import check
from liuke.base.errors import Refusal
from liuke.catalog.actions import edit_variant, hide_product
from liuke.catalog.errors import OutOfStock
from liuke.catalog.models import CardKey, Hold, Product, Variant
from liuke.catalog.rules import Question
from liuke.events.queries import events_of
from liuke.membership.models import Coupon, OfferUse
from liuke.merchants.actions import pause_merchant
from liuke.orders import queries
from liuke.orders.actions import cancel_order, place_order, set_order_policy
from liuke.orders.errors import (
    BadOrderKey,
    BadOrderPolicy,
    BadOrderQuantity,
    CouponDoesNotFit,
    EmptyOrder,
    NotOffered,
    OrderKeyUsed,
    OrderLimit,
    PersonLimit,
    PriceChanged,
    TooManyUnpaid,
    UnknownOrder,
    WrongAnswers,
)
from liuke.orders.events import OrderPlaced
from liuke.orders.models import LastAnswers, Line, Order
from liuke.people.models import Member
from tests.membership import make as membership
from tests.orders import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

FORM = (
    {"key": "server", "label": "区服", "kind": "choice", "choices": ["官服", "B服"]},
    {"key": "account", "label": "账号", "kind": "text", "pattern": r"\d{6,10}"},
    {"key": "password", "label": "密码", "kind": "secret", "is_required": False},
)
TOLD = {"server": "官服", "account": "1234567", "password": "hunter2"}


def broken() -> dict[str, int]:
    found = [check(promise) for promise in queries.invariants()]
    return {each.invariant.name: each.violations for each in found if each.violations}


def nothing_happened() -> bool:
    """Whether no order, hold or use was left behind by a refusal."""
    return not (
        Order.objects.exists()
        or Hold.objects.exists()
        or OfferUse.objects.exists()
        or CardKey.objects.exclude(state="free").exists()
        or Coupon.objects.exclude(state="free").exists()
    )


def place(who: Member, variant: Variant, quantity: Any = 1, **more: Any) -> Order:
    said: dict[str, Any] = {
        "form": {},
        "key": "k1",
        "expected_fen": variant.price_fen * quantity if isinstance(quantity, int) else 0,
        **more,
    }
    return place_order(member=who, wants=[(variant.reference, quantity)], **said)


def test_an_order_fixes_the_price_and_holds_the_stock(noon: dt.datetime) -> None:
    shop = make.shop(price_fen=1000, stock=3)
    who = make.member()
    order = make.order(shop.coins, 2, of=who)
    assert (order.state, order.payable_fen, order.goods_fen) == ("placed", 2000, 2000)
    assert order.expires_at == noon + dt.timedelta(minutes=15)
    assert ids.read_order_number(order.reference) == order.reference
    line = Line.objects.get(order=order)
    assert (line.title, line.variant_name, line.quantity, line.total_fen) == (
        "Coins",
        "60",
        2,
        2000,
    )
    assert line.steps == [["list", "", 2000]]
    assert CardKey.objects.filter(state="held").count() == 2
    edit_variant(variant=shop.coins, name="60", price_fen=1, by=None)
    order.refresh_from_db()
    assert order.payable_fen == 2000
    told = events_of(who.pk)[0].fact
    assert told == OrderPlaced(order.pk, order.reference, who.person_id, False, 2000, 0)
    assert broken() == {}


def test_a_price_that_changed_meanwhile_is_not_charged() -> None:
    shop, who = make.shop(), make.member()
    for expected in (999, 1001, 0, -1000):
        with pytest.raises(PriceChanged):
            place(who, shop.coins, expected_fen=expected)
    assert nothing_happened()


def test_a_second_tap_is_the_same_order_and_another_content_is_refused() -> None:
    shop, who = make.shop(), make.member()
    first = place(who, shop.coins)
    assert place(who, shop.coins) == first
    edit_variant(variant=shop.coins, name="60", price_fen=2000, by=None)
    assert place(who, shop.coins, expected_fen=1000) == first, "also when the price moved on"
    for more in ({"quantity": 2}, {"form": {"x": "y"}}, {"coupon_ref": "ABC"}):
        with pytest.raises(OrderKeyUsed):
            place(who, shop.coins, **more)
    assert place(make.member(), shop.coins, expected_fen=2000) != first, "a key is a person's own"
    assert Order.objects.count() == 2
    for key in ("", "x" * 65):
        with pytest.raises(BadOrderKey):
            place(who, shop.coins, key=key)


@pytest.mark.parametrize("quantity", [0, -1, 101, 10**12, True, 1.0, "1"])
def test_a_quantity_that_makes_no_sense_is_refused(quantity: Any) -> None:
    shop, who = make.shop(), make.member()
    with pytest.raises(BadOrderQuantity):
        place(who, shop.coins, quantity)
    assert nothing_happened()


def test_lines_of_one_variant_are_counted_together() -> None:
    shop, who = make.shop(stock=10), make.member()
    set_order_policy(by=None, quantity_max=5)
    wants = [(shop.coins.reference, 3), (shop.coins.reference, 3)]
    with pytest.raises(BadOrderQuantity):
        queries.quote(person_id=who.person_id, wants=wants, at=clock.now())
    (line,) = queries.quote(person_id=None, wants=wants[:1] + wants[:0], at=clock.now()).lines
    assert line.quantity == 3


def test_what_is_not_for_sale_is_refused() -> None:
    shop, who = make.shop(), make.member()
    with pytest.raises(EmptyOrder):
        place_order(member=who, wants=[], form={}, key="k", expected_fen=0)
    with pytest.raises(NotOffered):
        place_order(member=who, wants=[("2222", 1)], form={}, key="k", expected_fen=0)
    hide_product(product=shop.product, by=None)
    with pytest.raises(NotOffered):
        place(who, shop.coins)
    other = make.shop()
    pause_merchant(reference=other.merchant.reference, by=None)
    with pytest.raises(NotOffered):
        place(who, other.coins)
    assert nothing_happened()


def test_what_is_sold_out_is_refused_and_leaves_nothing_behind() -> None:
    shop, who = make.shop(stock=2), make.member()
    coupon = membership.coupon(who)
    membership.grant(membership.special(), who)
    asked = make.quote(shop.coins, 3, of=who, coupon_ref=coupon.reference)
    with pytest.raises(OutOfStock):
        place(who, shop.coins, 3, expected_fen=asked.payable_fen, coupon_ref=coupon.reference)
    assert nothing_happened()


def test_limits_of_a_product_hold_for_an_order_and_for_a_person() -> None:
    shop, who = make.shop(stock=20, per_order_max=3, per_person_max=5), make.member()
    with pytest.raises(OrderLimit):
        place(who, shop.coins, 4)
    first = place(who, shop.coins, 3)
    with pytest.raises(PersonLimit) as refused:
        place(who, shop.coins, 3, key="k2")
    assert refused.value.params == {"most": 5, "had": 3}
    place(who, shop.coins, 2, key="k2")
    cancel_order(order_id=first.pk)
    place(who, shop.coins, 3, key="k3")
    place(make.member(), shop.coins, 3)


def test_unpaid_orders_are_few() -> None:
    shop, who = make.shop(stock=20), make.member()
    for key in ("k1", "k2", "k3"):
        place(who, shop.coins, key=key)
    with pytest.raises(TooManyUnpaid):
        place(who, shop.coins, key="k4")
    place(make.member(), shop.coins)
    with clock.stopped_at(clock.now() + dt.timedelta(minutes=16)):
        place(who, shop.coins, key="k4")


def test_answers_are_checked_kept_and_filled_in_again_but_never_the_secret_ones() -> None:
    shop, who = make.shop(order_form=FORM), make.member()
    with pytest.raises(WrongAnswers) as refused:
        place(who, shop.coins, form={"server": "美服", "account": "12"})
    assert refused.value.wrong == {"server": "not_a_choice", "account": "bad_form"}
    assert nothing_happened()
    order = place(who, shop.coins, form={**TOLD, "unasked": "x"})
    line = Line.objects.get(order=order)
    assert line.answers == {"server": "官服", "account": "1234567"}
    assert queries.secrets_of(line) == {"password": "hunter2"}
    assert b"hunter2" not in bytes(line.secrets_sealed or b"")
    assert queries.last_answers(who.person_id, shop.product.pk) == line.answers
    place(who, shop.coins, form={**TOLD, "account": "7654321"}, key="k2")
    assert LastAnswers.objects.get().answers["account"] == "7654321"
    assert queries.last_answers(make.member().person_id, shop.product.pk) == {}


def test_a_coupon_is_locked_with_the_order_and_no_other_takes_it() -> None:
    shop, who = make.shop(price_fen=2500), make.member()
    coupon = membership.coupon(who)
    asked = make.quote(shop.coins, of=who)
    assert [(choice.reference, choice.off_fen) for choice in asked.coupons] == [
        (coupon.reference, 500)
    ]
    order = place(who, shop.coins, expected_fen=2000, coupon_ref=coupon.reference)
    assert (order.payable_fen, order.subsidy_fen, order.goods_fen) == (2000, 500, 2500)
    with pytest.raises(CouponDoesNotFit):
        place(who, shop.coins, expected_fen=2000, coupon_ref=coupon.reference, key="k2")
    with pytest.raises(CouponDoesNotFit):
        make.quote(shop.coins, of=make.member(), coupon_ref=coupon.reference)
    assert Order.objects.count() == 1
    assert (broken(), membership.broken()) == ({}, {})


def test_a_special_price_is_really_charged_and_really_ends() -> None:
    shop, who = make.shop(price_fen=1000), make.member()
    membership.grant(membership.special(percent_off=30), who, days=1)
    order = make.order(shop.coins, of=who)
    assert (order.payable_fen, order.subsidy_fen) == (700, 300)
    assert Line.objects.get(order=order).steps[1] == ["special", "Come back", -300]
    assert make.quote(shop.coins, of=who).payable_fen == 1000, "one order a grant"
    cancel_order(order_id=order.pk)
    assert make.quote(shop.coins, of=who).payable_fen == 700
    with clock.stopped_at(clock.now() + dt.timedelta(days=1)):
        assert make.quote(shop.coins, of=who).payable_fen == 1000
    assert broken() == {}


def test_gold_pays_95_percent_and_the_merchant_gets_everything() -> None:
    shop, who = make.shop(price_fen=999), make.member()
    membership.spend(who, *[20_000] * 5)
    order = make.order(shop.coins, of=who)
    assert (order.payable_fen, order.goods_fen) == (949, 999)
    assert Line.objects.get(order=order).steps[1] == ["level", "黄金会员", -50]


def test_a_gift_that_came_to_ask_questions_is_left_out_and_nobody_is_kept_from_buying() -> None:
    shop = make.shop(stock=9)
    gift = make.product(shop.merchant, price_fen=500, stock=1, title="Gift")
    membership.first_order(gift)
    Product.objects.filter(pk=gift.product_id).update(
        order_form=[Question("uid", "UID", "text").stored()]
    )
    order = make.order(shop.coins)
    assert [line.is_gift for line in Line.objects.filter(order=order)] == [False]
    assert broken() == {}


def test_the_first_order_brings_its_gift_once_and_while_there_is_some() -> None:
    shop, who = make.shop(stock=9), make.member()
    gift = make.product(shop.merchant, price_fen=500, stock=1, title="Gift")
    membership.first_order(gift)
    assert [line.is_gift for line in make.quote(shop.coins, of=who).lines] == [False, True]
    order = make.order(shop.coins, of=who)
    assert (order.payable_fen, order.goods_fen, order.subsidy_fen) == (1000, 1500, 500)
    assert not any(line.is_gift for line in make.quote(shop.coins, of=who).lines)
    assert not any(line.is_gift for line in make.quote(shop.coins, of=make.member()).lines), (
        "there is none left"
    )
    assert broken() == {}


def test_the_database_refuses_what_no_order_does() -> None:
    shop = make.shop(price_fen=1000)
    order = make.order(shop.coins)
    before = Order.objects.filter(pk=order.pk).values().get()
    for statement in (
        "UPDATE orders_order SET payable_fen = 1, goods_fen = 1, list_fen = 1",
        "UPDATE orders_order SET state = 'delivered', paid_at = placed_at, delivered_at = placed_at",
        "UPDATE orders_order SET state = 'paid'",
        "UPDATE orders_order SET state = 'cancelled', cancelled_at = placed_at",
        "UPDATE orders_order SET refunded_fen = 1",
        "UPDATE orders_order SET person_id = 0, member_id = 0",
        "UPDATE orders_order SET expires_at = '2030-01-01'",
        "DELETE FROM orders_order",
        "UPDATE orders_line SET total_fen = 0",
        "UPDATE orders_line SET answers = '{\"a\": 1}'",
        "DELETE FROM orders_line",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Order.objects.filter(pk=order.pk).values().get() == before


@pytest.mark.django_db(transaction=True)
def test_an_order_that_is_not_the_sum_of_its_lines_is_never_committed() -> None:
    order = make.order(make.shop(price_fen=1000).coins)
    line = Line.objects.get(order=order)
    line.pk, line.number = None, 2
    with pytest.raises(IntegrityError, match="sum of its lines"), transaction.atomic():
        line.save(force_insert=True)
    assert Line.objects.count() == 1


def test_someone_elses_order_is_as_unknown_as_one_that_never_was() -> None:
    order = make.order(make.shop().coins)
    other = make.member()
    said = set()
    for person_id, text in (
        (other.person_id, order.reference),
        (order.person_id, ids.new_order_number(clock.today())),
        (order.person_id, order.reference[:-1]),
        (order.person_id, "; DROP TABLE"),
    ):
        with pytest.raises(UnknownOrder) as refused:
            queries.order_of(person_id, text)
        said.add((refused.value.code, str(refused.value)))
    assert len(said) == 1
    typed = ids.dashed_order_number(order.reference).lower()
    assert queries.order_of(order.person_id, f" {typed} ") == order
    assert queries.order_named(typed) == order


def test_a_policy_that_makes_no_sense_is_refused() -> None:
    for fields in ({"pay_minutes": 0}, {"unpaid_per_person": -1}, {"colour": 1}):
        with pytest.raises(BadOrderPolicy):
            set_order_policy(by=None, **fields)
    assert queries.policy().pay_minutes == 15
    assert set_order_policy(by=None, pay_minutes=30).unpaid_per_person == 3


def test_every_refusal_says_its_sentence() -> None:
    for refusal in (PersonLimit(most=1, had=2), WrongAnswers({"a": "missing"}), EmptyOrder(most=1)):
        assert isinstance(refusal, Refusal)
        assert str(refusal)
