"""Coupons: given out within limits, in one order at most, within a budget."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.membership import queries
from liuke.membership.actions import (
    grant_coupon,
    lock_coupon,
    make_coupon_kind,
    return_coupon,
    stop_coupon_kind,
    use_coupon,
)
from liuke.membership.errors import (
    BadCouponKind,
    BudgetSpent,
    CouponKindOver,
    CouponTaken,
    EnoughCoupons,
    UnknownCoupon,
)
from liuke.membership.models import Coupon, CouponKind
from tests.conftest import NOON
from tests.membership import make
from tests.orders import make as orders
from tests.orders.make import member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
UNTIL = NOON + dt.timedelta(minutes=15)


def lock(coupon: Coupon, order_ref: str, off_fen: int = 500) -> None:
    lock_coupon(
        coupon_ref=coupon.reference,
        order_ref=order_ref,
        person_id=coupon.person_id,
        off_fen=off_fen,
        until=UNTIL,
    )


def counted() -> tuple[int, int]:
    kind = CouponKind.objects.get()
    return kind.locked_fen, kind.spent_fen


def test_a_coupon_is_locked_by_an_order_and_used_when_it_is_paid() -> None:
    coupon = make.coupon(member())
    lock(coupon, "LK1")
    assert counted() == (500, 0)
    assert use_coupon(order_ref="LK1")
    assert counted() == (0, 500)
    assert not use_coupon(order_ref="LK1")
    coupon.refresh_from_db()
    assert (coupon.state, coupon.order_ref, coupon.used_at) == ("used", "LK1", NOON)
    assert make.broken() == {}


@pytest.mark.parametrize("is_used", [False, True])
def test_a_coupon_comes_back_when_its_order_is_cancelled_or_refunded(is_used: bool) -> None:
    coupon = make.coupon(member())
    lock(coupon, "LK1")
    if is_used:
        use_coupon(order_ref="LK1")
    assert return_coupon(order_ref="LK1")
    assert not return_coupon(order_ref="LK1")
    assert counted() == (0, 0)
    lock(coupon, "LK2")
    assert make.broken() == {}


def test_a_locked_used_late_or_foreign_coupon_is_not_locked() -> None:
    who = member()
    coupon = make.coupon(who)
    with pytest.raises(CouponTaken), transaction.atomic():
        lock_coupon(
            coupon_ref=coupon.reference,
            order_ref="LK1",
            person_id=member().person_id,
            off_fen=500,
            until=UNTIL,
        )
    lock(coupon, "LK1")
    with pytest.raises(CouponTaken), transaction.atomic():
        lock(coupon, "LK2")
    use_coupon(order_ref="LK1")
    with pytest.raises(CouponTaken), transaction.atomic():
        lock(coupon, "LK2")
    assert counted() == (0, 500)


def test_a_coupon_lasts_until_it_expires() -> None:
    from liuke.base import clock

    coupon = make.coupon(member(), valid_days=1)
    shop = orders.shop()
    end = NOON + dt.timedelta(days=1)
    for at, count in ((end - dt.timedelta(seconds=1), 1), (end, 0)):
        held = queries.terms_for(person_id=coupon.person_id, variants=[shop.coins], at=at)
        assert len(held.coupons) == count
    with clock.stopped_at(end), pytest.raises(CouponTaken), transaction.atomic():
        lock(coupon, "LK1")


def test_the_budget_counts_what_is_locked() -> None:
    kind = make.coupon_kind(budget_fen=900)
    first, second = make.coupon(member(), kind), make.coupon(member(), kind)
    lock(first, "LK1")
    with pytest.raises(BudgetSpent), transaction.atomic():
        lock(second, "LK2")
    second.refresh_from_db()
    assert (second.state, counted()) == ("free", (500, 0))
    lock(second, "LK2", off_fen=400)
    assert counted() == (900, 0)
    third = make.coupon(member(), kind)
    held = queries.terms_for(person_id=third.person_id, variants=[orders.shop().coins], at=NOON)
    assert not held.coupons, "what is used up is not offered"


def test_nobody_is_given_more_than_one_may_have() -> None:
    who, kind = member(), make.coupon_kind(per_person_max=2)
    make.coupon(who, kind)
    make.coupon(who, kind)
    with pytest.raises(EnoughCoupons):
        make.coupon(who, kind)
    make.coupon(member(), kind)
    assert sorted(Coupon.objects.values_list("number", flat=True)) == [1, 1, 2]


def test_a_coupon_for_one_occasion_is_given_once() -> None:
    who, kind = member(), make.coupon_kind(per_person_max=5)
    given = {"kind_ref": kind.reference, "person_id": who.person_id, "about": "birthday 2026"}
    assert grant_coupon(**given) == grant_coupon(**given)
    assert Coupon.objects.count() == 1


def test_a_stopped_kind_is_given_out_no_more_but_stays_good() -> None:
    who, kind = member(), make.coupon_kind()
    coupon = make.coupon(who, kind)
    stop_coupon_kind(reference=kind.reference, by=None)
    with pytest.raises(CouponKindOver):
        make.coupon(member(), kind)
    lock(coupon, "LK1")
    with pytest.raises(UnknownCoupon):
        stop_coupon_kind(reference="2222", by=None)


@pytest.mark.parametrize(
    "fields",
    [
        {"off_fen": 0},
        {"off_fen": 5, "percent_off": 5},
        {"percent_off": 10},  # without a bound
        {"off_fen": 5, "min_spend_fen": -1},
        {"off_fen": 5, "per_person_max": 0},
    ],
)
def test_a_kind_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(BadCouponKind):
        make_coupon_kind(name="x", budget_fen=100, valid_days=1, by=None, **fields)
    assert not CouponKind.objects.exists()


def test_the_database_refuses_what_no_coupon_does() -> None:
    coupon = make.coupon(member())
    for statement in (
        "UPDATE membership_coupon_kind SET locked_fen = budget_fen + 1",
        "UPDATE membership_coupon SET state = 'used', order_ref = 'LK1', off_fen = 5, used_at = granted_at",
        "UPDATE membership_coupon SET expires_at = '2030-01-01'",
        "UPDATE membership_coupon SET state = 'locked'",
        "DELETE FROM membership_coupon",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    coupon.refresh_from_db()
    assert coupon.state == "free"


def test_the_audit_notices_sums_that_do_not_add_up() -> None:
    coupon = make.coupon(member())
    lock(coupon, "LK1")
    CouponKind.objects.update(locked_fen=400)
    assert make.broken() == {"membership.coupons_add_up": 1}
