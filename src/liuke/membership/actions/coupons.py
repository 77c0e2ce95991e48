"""Coupons: given out, locked by one order, used when that is paid, returned when it comes to nothing.

Coupon and budget change in one statement. Many want the row of the kind: whoever calls this does it last.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from liuke.base import clock, ids
from liuke.base.prepared import rows, run
from liuke.membership.actions.offers import broken_rule
from liuke.membership.errors import (
    BadCouponKind,
    BudgetSpent,
    CouponKindOver,
    CouponTaken,
    EnoughCoupons,
    NeedsPhone,
)
from liuke.membership.models import Coupon, CouponKind
from liuke.membership.queries import coupon_kind_named
from liuke.people.actions import record_act
from liuke.people.models import Login, Member

_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('membership.grant', %s))"
_LOCK = """
WITH taken AS (
    UPDATE membership_coupon SET state = 'locked', order_ref = %(order)s, off_fen = %(off)s, locked_until = %(until)s
    WHERE reference = %(coupon)s AND person_id = %(person)s AND state = 'free' AND expires_at > %(at)s
    RETURNING kind_id
), counted AS (
    UPDATE membership_coupon_kind k SET locked_fen = k.locked_fen + %(off)s FROM taken
    WHERE k.id = taken.kind_id AND k.spent_fen + k.locked_fen + %(off)s <= k.budget_fen RETURNING k.id
)
SELECT EXISTS (SELECT 1 FROM taken), EXISTS (SELECT 1 FROM counted)
"""
_USE = """
WITH used AS (
    UPDATE membership_coupon SET state = 'used', locked_until = NULL, used_at = %(at)s
    WHERE order_ref = %(order)s AND state = 'locked' RETURNING kind_id, off_fen
)
UPDATE membership_coupon_kind k SET locked_fen = k.locked_fen - used.off_fen, spent_fen = k.spent_fen + used.off_fen
FROM used WHERE k.id = used.kind_id
"""
_RETURN = """
WITH held AS MATERIALIZED (
    SELECT * FROM membership_coupon WHERE order_ref = %(order)s FOR NO KEY UPDATE
), freed AS (
    UPDATE membership_coupon c
    SET state = 'free', order_ref = NULL, off_fen = 0, locked_until = NULL, used_at = NULL
    FROM held WHERE c.id = held.id
)
UPDATE membership_coupon_kind k
SET locked_fen = k.locked_fen - CASE held.state WHEN 'locked' THEN held.off_fen ELSE 0 END,
    spent_fen = k.spent_fen - CASE held.state WHEN 'used' THEN held.off_fen ELSE 0 END
FROM held WHERE k.id = held.kind_id
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
def give_coupon(*, kind_ref: str, member: Member, by: Login | None) -> Coupon:
    """Somebody who works here gives a member a coupon, and that is written down.

    Raises:
        NeedsPhone: nobody could ever sign in to use it.
        UnknownCoupon, CouponKindOver, EnoughCoupons: as `grant_coupon`.
    """
    if member.phone_index is None:
        raise NeedsPhone
    coupon = grant_coupon(kind_ref=kind_ref, person_id=member.person_id)
    record_act(by=by, verb="coupon.give", about=member.reference, name=coupon.kind.name)
    return coupon


@transaction.atomic(savepoint=False)
def lock_coupon(
    *, coupon_ref: str, order_ref: str, person_id: int, off_fen: int, until: dt.datetime
) -> None:
    """An unpaid order takes a coupon for itself, worth `off_fen` there. Refused, the transaction cannot go on.

    Raises:
        CouponTaken: another order has it, it is used or too old, or it is not this person's.
        BudgetSpent: the kind has not so much left.
    """
    given: dict[str, Any] = {
        "coupon": coupon_ref,
        "order": order_ref,
        "person": person_id,
        "off": off_fen,
        "until": until,
        "at": clock.now(),
    }
    ((is_taken, is_within),) = rows(_LOCK, given)
    if not is_taken:
        raise CouponTaken
    if not is_within:
        raise BudgetSpent


def use_coupon(*, order_ref: str) -> bool:
    """The order was paid: its coupon is used. False when it has none locked."""
    return bool(run(_USE, {"order": order_ref, "at": clock.now()}))


def return_coupon(*, order_ref: str) -> bool:
    """The order was cancelled, or refunded as a whole: its coupon is free again, as long as it lasts.

    False when it has none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RETURN, {"order": order_ref})
        return bool(cursor.rowcount)
