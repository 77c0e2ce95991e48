"""Orders, coupons, offers and deliveries, wanted by many at the same moment. First what happens without the guard."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from liuke.base import clock
from liuke.catalog.models import CardKey
from liuke.delivery.actions import (
    accept_delivery,
    accept_overdue,
    deliver_order,
    reject_delivery,
)
from liuke.delivery.actions import deliver as delivering
from liuke.delivery.models import DeliveredKey
from liuke.membership.actions import grant_coupon, lock_coupon, use_offer
from liuke.membership.models import Coupon, CouponKind, OfferUse
from liuke.orders.actions import cancel_order, place_order
from liuke.orders.actions import place as placing
from liuke.orders.models import Line, Order
from liuke.payments.actions import pay_from_wallet
from tests.conftest import NOON
from tests.delivery import make as delivery
from tests.membership import make as membership
from tests.orders import make
from tests.races.crowd import crowd, outcomes

pytestmark = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("noon"),
]
CONTENDERS = 6


def place(who: Any, variant: Any, number: int, **more: Any) -> Order:
    said = {"form": {}, "key": f"k{number}", "expected_fen": variant.price_fen, **more}
    return place_order(member=who, wants=[(variant.reference, 1)], **said)


def without_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for anybody before looking, and nobody writes before all have looked."""
    all_have_looked = threading.Barrier(CONTENDERS)
    answers = placing._answers

    def look_then_wait(*given: Any) -> Any:
        all_have_looked.wait(timeout=30)
        return answers(*given)

    monkeypatch.setattr(placing, "_take_turns", lambda *_: None)
    monkeypatch.setattr(placing, "_answers", look_then_wait)


# Limits -------------------------------------------------------------------------------------------


def test_control_without_turns_everybody_passes_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    shop, who = make.shop(stock=20, per_person_max=2), make.member()
    without_turns(monkeypatch)
    got = crowd(lambda n: place(who, shop.coins, n), CONTENDERS)
    assert outcomes(got) == {"Order": CONTENDERS}, "the race is real"


def test_the_limit_of_a_product_holds_for_orders_at_once() -> None:
    shop, who = make.shop(stock=20, per_person_max=2), make.member()
    got = crowd(lambda n: place(who, shop.coins, n), CONTENDERS)
    assert outcomes(got) == {"Order": 2, "PersonLimit": CONTENDERS - 2}
    assert Line.objects.count() == 2


def test_unpaid_orders_at_once_are_no_more_than_one_after_the_other() -> None:
    shop, who = make.shop(stock=20), make.member()
    got = crowd(lambda n: place(who, shop.coins, n), CONTENDERS)
    assert outcomes(got) == {"Order": 3, "TooManyUnpaid": CONTENDERS - 3}
    assert CardKey.objects.filter(state="held").count() == 3


def test_one_key_sent_by_every_tab_is_one_order() -> None:
    shop, who = make.shop(stock=20), make.member()
    got = crowd(lambda _n: place(who, shop.coins, 1).pk, CONTENDERS)
    assert len(set(got)) == Order.objects.count() == 1


def test_one_key_without_turns_is_still_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has the last word."""
    shop, who = make.shop(stock=20), make.member()
    without_turns(monkeypatch)
    got = crowd(lambda _n: place(who, shop.coins, 1), CONTENDERS)
    assert outcomes(got) == {"Order": 1, "IntegrityError": CONTENDERS - 1}
    assert CardKey.objects.filter(state="held").count() == 1


def test_the_last_one_is_sold_to_one() -> None:
    shop = make.shop(stock=1)
    people = [make.member() for _ in range(CONTENDERS)]
    got = crowd(lambda n: place(people[n], shop.coins, n), CONTENDERS)
    assert outcomes(got) == {"Order": 1, "OutOfStock": CONTENDERS - 1}
    assert delivery.broken() == {}


# Coupons and offers -------------------------------------------------------------------------------

_PLAIN = """
CREATE TABLE plain_coupon (id int PRIMARY KEY, order_ref text);
INSERT INTO plain_coupon VALUES (1, NULL);
"""


def test_control_who_looks_first_and_writes_then_uses_a_coupon_many_times() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PLAIN)
    all_have_looked = threading.Barrier(CONTENDERS)

    def look_then_write(number: int) -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT order_ref IS NULL FROM plain_coupon")
            (is_free,) = cursor.fetchone()
            all_have_looked.wait(timeout=30)
            if is_free:
                cursor.execute("UPDATE plain_coupon SET order_ref = %s", [f"LK{number}"])
            return bool(is_free)

    try:
        assert crowd(look_then_write, CONTENDERS) == [True] * CONTENDERS, "the race is real"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE plain_coupon")


def test_a_coupon_in_every_tab_is_locked_by_one_order() -> None:
    shop, who = make.shop(price_fen=2500, stock=20), make.member()
    coupon = membership.coupon(who)
    got = crowd(
        lambda n: place(who, shop.coins, n, coupon_ref=coupon.reference, expected_fen=2000),
        CONTENDERS,
    )
    assert outcomes(got) == {"Order": 1, "CouponDoesNotFit": CONTENDERS - 1}
    assert (CouponKind.objects.get().locked_fen, Order.objects.count()) == (500, 1)


def lock(coupon: Coupon, number: int) -> None:
    lock_coupon(
        coupon_ref=coupon.reference,
        order_ref=f"LK{number}",
        person_id=coupon.person_id,
        off_fen=500,
        until=NOON,
    )


def test_a_coupon_is_locked_once_whoever_asks() -> None:
    coupon = membership.coupon(make.member())
    got = crowd(lambda n: lock(coupon, n), CONTENDERS)
    assert outcomes(got) == {"NoneType": 1, "CouponTaken": CONTENDERS - 1}
    assert membership.broken() == {}


def test_a_budget_is_never_exceeded_by_many_at_once() -> None:
    kind = membership.coupon_kind(budget_fen=1999)
    coupons = [membership.coupon(make.member(), kind) for _ in range(CONTENDERS)]
    got = crowd(lambda n: lock(coupons[n], n), CONTENDERS)
    assert outcomes(got) == {"NoneType": 3, "BudgetSpent": CONTENDERS - 3}
    assert Coupon.objects.filter(state="locked").count() == 3
    assert membership.broken() == {}


def test_nobody_is_given_more_coupons_by_asking_at_once() -> None:
    kind, who = membership.coupon_kind(per_person_max=2), make.member()
    got = crowd(
        lambda _n: grant_coupon(kind_ref=kind.reference, person_id=who.person_id), CONTENDERS
    )
    assert outcomes(got) == {"Coupon": 2, "EnoughCoupons": CONTENDERS - 2}


def test_the_first_order_offer_is_used_once_whoever_asks() -> None:
    shop, who = make.shop(), make.member()
    offer = membership.first_order(shop.coins)

    def use(number: int) -> None:
        use_offer(
            offer_id=offer.pk, grant_id=None, person_id=who.person_id, order_ref=f"LK{number}"
        )

    assert outcomes(crowd(use, CONTENDERS)) == {"NoneType": 1, "OfferGone": CONTENDERS - 1}
    assert OfferUse.objects.count() == 1


def test_two_first_orders_at_once_bring_one_gift() -> None:
    shop, who = make.shop(stock=20), make.member()
    membership.first_order(make.product(shop.merchant, price_fen=500, stock=9, title="Gift"))
    got = crowd(lambda n: place(who, shop.coins, n), 3)
    assert outcomes(got) == {"Order": 3}
    assert Line.objects.filter(is_gift=True).count() == 1


# Paying, handing over, giving back ----------------------------------------------------------------


def test_an_order_is_handed_over_once_however_often_it_is_told() -> None:
    order = delivery.paid(make.order(make.shop().coins, 2))
    got = crowd(lambda _n: deliver_order(order_id=order.pk), CONTENDERS)
    assert sorted(got) == [False] * (CONTENDERS - 1) + [True]
    assert DeliveredKey.objects.count() == 2
    assert delivery.broken() == {}


def test_an_order_without_its_lock_is_still_handed_over_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database has the last word."""
    order = delivery.paid(make.order(make.shop().coins, 2))
    all_have_looked = threading.Barrier(CONTENDERS)
    take = delivering._take

    def look_then_wait(*given: Any) -> Any:
        all_have_looked.wait(timeout=30)
        return take(*given)

    monkeypatch.setattr(delivering, "held_order", lambda pk: Order.objects.get(pk=pk))
    monkeypatch.setattr(delivering, "_take", look_then_wait)
    got = crowd(lambda _n: deliver_order(order_id=order.pk), CONTENDERS)
    assert outcomes(got) == {"bool": 1, "IntegrityError": CONTENDERS - 1}
    assert DeliveredKey.objects.count() == 2
    assert delivery.broken() == {}


def test_of_paying_cancelling_and_running_out_of_time_one_happens() -> None:
    order = make.order(make.shop().coins)
    delivery.fill_wallet(order.member)

    def act(number: int) -> Any:
        if number % 3 == 0:
            return pay_from_wallet(order=order)
        if number % 3 == 1:
            return cancel_order(order_id=order.pk)
        return cancel_order(order_id=order.pk, reason="expired")

    crowd(act, CONTENDERS)
    order.refresh_from_db()
    assert order.state in ("paid", "cancelled")
    assert delivery.wallet(order.member) == (999_000 if order.state == "paid" else 1_000_000)
    assert delivery.broken() == {}


def test_a_key_given_back_in_every_tab_is_paid_back_once() -> None:
    order = delivery.delivered(make.order(make.shop().coins, 2))
    key = delivery.keys(order)[0]
    line = delivery.line_id(order)

    def reject(_number: int) -> Any:
        return reject_delivery(
            line_id=line, member=order.member, reason="does_not_work", key_id=key.pk
        )

    got = outcomes(crowd(reject, CONTENDERS))
    assert got == {"Rejection": 1, "KeyReturned": CONTENDERS - 1}
    assert delivery.wallet(order.member) == 1000
    assert delivery.broken() == {}


def test_accepted_and_given_back_at_once_the_money_goes_one_way() -> None:
    shop = make.shop(fee_permyriad=0)
    order = delivery.delivered(make.order(shop.coins))
    line = delivery.line_id(order)

    def act(number: int) -> Any:
        if number % 2:
            return accept_delivery(line_id=line, member=order.member)
        return reject_delivery(line_id=line, member=order.member, reason="does_not_work")

    got = outcomes(crowd(act, CONTENDERS))
    assert got["AlreadySettled"] == CONTENDERS - 1
    assert delivery.wallet(order.member) + delivery.earned(shop.merchant) == 1000
    assert delivery.broken() == {}


def test_limits_of_rejections_hold_for_rejections_at_once() -> None:
    shop, who = make.shop(stock=20), make.member()
    ordered = [delivery.delivered(make.order(shop.coins, of=who)) for _ in range(CONTENDERS)]

    def reject(number: int) -> bool:
        rejection = reject_delivery(
            line_id=delivery.line_id(ordered[number]), member=who, reason="does_not_work"
        )
        return rejection.is_automatic

    assert sum(crowd(reject, CONTENDERS)) == 3
    assert delivery.broken() == {}


def test_time_is_on_nobodys_side(noon: dt.datetime) -> None:
    """A late acceptance by time and a rejection at the same moment: one of them."""
    shop = make.shop(fee_permyriad=0)
    order = delivery.delivered(make.order(shop.coins))
    line = delivery.line_id(order)
    with clock.stopped_at(noon + dt.timedelta(days=3)):
        got = crowd(
            lambda n: (
                accept_overdue()
                if n % 2
                else reject_delivery(line_id=line, member=order.member, reason="does_not_work")
            ),
            2,
        )
    assert outcomes(got) in ({"int": 1, "Rejection": 1}, {"int": 1, "AlreadySettled": 1})
    assert delivery.wallet(order.member) + delivery.earned(shop.merchant) == 1000
    assert delivery.broken() == {}
