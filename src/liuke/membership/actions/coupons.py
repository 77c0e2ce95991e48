"""Coupons: given out, locked by one order, used when that is paid, returned when it comes to nothing.

The row of the kind is touched last in each statement's transaction and refuses what would exceed the budget.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Max

from liuke.base import clock, ids
from liuke.membership.actions.offers import broken_rule
from liuke.membership.errors import (
    BadCouponKind,
    BudgetSpent,
    CouponKindOver,
    CouponTaken,
    EnoughCoupons,
)
from liuke.membership.models import Coupon, CouponKind
from liuke.membership.queries import coupon_kind_named
from liuke.people.actions import record_act
from liuke.people.models import Login

_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('membership.grant', %s))"
_LOCK = """
UPDATE membership_coupon SET state = 'locked', order_ref = %(order)s, off_fen = %(off)s, locked_until = %(until)s
WHERE reference = %(coupon)s AND person_id = %(person)s AND state = 'free' AND expires_at > %(at)s
RETURNING kind_id
"""


@transaction.atomic
def make_coupon_kind(
    *, name: str, budget_fen: int, valid_days: int, by: Login | None, **fields: Any
) -> CouponKind:
    """Make a kind of coupon; `fields` are those of the model, `starts_at` now unless told.

    Raises:
        BadCouponKind: the fields contradict each other.
    """
    now = clock.now()
    kind = CouponKind(
        reference=ids.new_reference(),
        name=name,
        budget_fen=budget_fen,
        valid_days=valid_days,
        made_at=now,
        by=by,
        **{"starts_at": now, **fields},
    )
    try:
        with transaction.atomic():
            kind.save(force_insert=True)
    except IntegrityError as refused:
        raise BadCouponKind(reason=broken_rule(refused)) from refused
    record_act(by=by, verb="coupon_kind.make", about=kind.reference, budget_fen=budget_fen)
    return kind


@transaction.atomic
def stop_coupon_kind(*, reference: str, by: Login | None) -> None:
    """Give out no more of them; those given out stay good. Again changes nothing.

    Raises:
        UnknownCoupon: there is no such kind.
    """
    kind, now = coupon_kind_named(reference), clock.now()
    if kind.ends_at is None or kind.ends_at > now:
        CouponKind.objects.filter(pk=kind.pk).update(ends_at=now)
        record_act(by=by, verb="coupon_kind.stop", about=reference)


@transaction.atomic
def grant_coupon(*, kind_ref: str, person_id: int, about: str = "") -> Coupon:
    """Give a person a coupon; with `about` (what it is for) once: the one they have for it already.

    Raises:
        UnknownCoupon: there is no such kind.
        CouponKindOver: it is not given out now.
        EnoughCoupons: they have had as many as one may have.
    """
    kind, now = coupon_kind_named(kind_ref), clock.now()
    if now < kind.starts_at or (kind.ends_at is not None and now >= kind.ends_at):
        raise CouponKindOver
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS, [person_id])
    had = Coupon.objects.filter(kind=kind, person_id=person_id)
    known = had.filter(about=about).first() if about else None
    if known is not None:
        return known
    number = (had.aggregate(last=Max("number"))["last"] or 0) + 1
    if number > kind.per_person_max:
        raise EnoughCoupons
    return Coupon.objects.create(
        reference=ids.new_reference(),
        kind=kind,
        person_id=person_id,
        number=number,
        about=about,
        granted_at=now,
        expires_at=now + dt.timedelta(days=kind.valid_days),
    )


@transaction.atomic
def lock_coupon(
    *, coupon_ref: str, order_ref: str, person_id: int, off_fen: int, until: dt.datetime
) -> None:
    """An unpaid order takes a coupon for itself, worth `off_fen` there.

    Raises:
        CouponTaken: another order has it, it is used or too old, or it is not this person's.
        BudgetSpent: the kind has no so much left.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK,
            {
                "coupon": coupon_ref,
                "order": order_ref,
                "person": person_id,
                "off": off_fen,
                "until": until,
                "at": clock.now(),
            },
        )
        found = cursor.fetchone()
    if found is None:
        raise CouponTaken
    within = CouponKind.objects.filter(
        pk=found[0], budget_fen__gte=F("spent_fen") + F("locked_fen") + off_fen
    )
    if not within.update(locked_fen=F("locked_fen") + off_fen):
        raise BudgetSpent


@transaction.atomic
def use_coupon(*, order_ref: str) -> bool:
    """The order was paid: its coupon is used. False when it has none locked."""
    coupon = _of(order_ref, "locked")
    if coupon is None:
        return False
    off = coupon.off_fen
    coupon.state, coupon.locked_until, coupon.used_at = "used", None, clock.now()
    coupon.save(update_fields=["state", "locked_until", "used_at"])
    CouponKind.objects.filter(pk=coupon.kind_id).update(
        locked_fen=F("locked_fen") - off, spent_fen=F("spent_fen") + off
    )
    return True


@transaction.atomic
def return_coupon(*, order_ref: str) -> bool:
    """The order was cancelled, or refunded as a whole: its coupon is free again, as long as it lasts.

    False when it has none.
    """
    coupon = _of(order_ref, "locked", "used")
    if coupon is None:
        return False
    counted, off = ("locked_fen" if coupon.state == "locked" else "spent_fen"), coupon.off_fen
    coupon.state, coupon.order_ref, coupon.off_fen = "free", None, 0
    coupon.locked_until = coupon.used_at = None
    coupon.save(update_fields=["state", "order_ref", "off_fen", "locked_until", "used_at"])
    CouponKind.objects.filter(pk=coupon.kind_id).update(**{counted: F(counted) - off})
    return True


def _of(order_ref: str, *states: str) -> Coupon | None:
    """The coupon of an order in one of these states, held until the transaction ends."""
    return (
        Coupon.objects.select_for_update(no_key=True)
        .filter(order_ref=order_ref, state__in=states)
        .first()
    )
