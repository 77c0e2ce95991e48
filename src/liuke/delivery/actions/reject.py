"""The member says that something is wrong: granted by itself within limits, else somebody decides."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction

from liuke.base import clock, ids, live
from liuke.delivery import queries
from liuke.delivery.actions.settle import held_delivery, is_open, move_on
from liuke.delivery.actions.take_back import Part, give_back, part_of
from liuke.delivery.errors import (
    AlreadySettled,
    AnswerMissing,
    KeyReturned,
    NotDelivered,
    NotLateYet,
    RejectionOpen,
    RejectionSettled,
    UnknownDelivery,
    UnknownReason,
)
from liuke.delivery.events import DeliveryRejected
from liuke.delivery.models import DeliveredKey, Delivery, Rejection
from liuke.delivery.rules import NOTE_LETTERS, REJECT_REASONS, is_automatic
from liuke.events.actions import publish
from liuke.orders.actions import held_order
from liuke.people.actions import record_act
from liuke.people.models import Login, Member

_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('delivery.reject', %s))"


@transaction.atomic
def reject_delivery(
    *, line_id: int, member: Member, reason: str, key_id: int | None = None, note: str = ""
) -> Rejection:
    """Give a line back, or one key of it (`key_id`, its row in the delivery). The money goes back at once, or when
    somebody has looked: after many rejections, and for much money.

    Raises:
        UnknownDelivery: there is none, or it is someone else's.
        UnknownReason: not one of those to choose from.
        AlreadySettled, KeyReturned: accepted or returned before.
        NotDelivered, NotLateYet: what waits for hands can be given back once it is late, as too_late.
        RejectionOpen: somebody is already looking at it.
    """
    if reason not in REJECT_REASONS:
        raise UnknownReason
    with connection.cursor() as cursor:  # two rejections at once are counted as two
        cursor.execute(_TAKE_TURNS, [member.person_id])
    delivery = held_delivery(line_id, member.person_id)
    _check_open(delivery, reason)
    key = _key(delivery, key_id)
    part = part_of(delivery, [key] if key else None)
    is_granted = _is_granted(member.person_id, part)
    rejection = Rejection.objects.create(
        reference=ids.new_reference(),
        delivery=delivery,
        key=key,
        person_id=member.person_id,
        reason=reason,
        note=note.strip()[:NOTE_LETTERS],
        state="open",
        rejected_at=clock.now(),
    )
    if is_granted:
        _grant(rejection, part, answer="", is_by_itself=True, by=None)
    _tell(rejection, delivery)
    return rejection


@transaction.atomic
def settle_rejection(
    *, reference: str, is_granted: bool, answer: str, by: Login | None
) -> Rejection:
    """Decide about a rejection that waits for a person; who refuses says why.

    Raises:
        UnknownRejection: there is none.
        RejectionSettled: it was decided before.
        AnswerMissing: a refusal without a word.
    """
    found = queries.rejection_named(reference)
    order = held_order(found.delivery.order_id)
    live.tell("order", order.pk)
    rejection = Rejection.objects.select_related("delivery__line__merchant", "key").get(pk=found.pk)
    if rejection.state != "open":
        raise RejectionSettled
    answer = answer.strip()[:NOTE_LETTERS]
    if is_granted:
        rejection.delivery.order = order
        keys = [rejection.key] if rejection.key else None
        _grant(
            rejection, part_of(rejection.delivery, keys), answer=answer, is_by_itself=False, by=by
        )
    elif not answer:
        raise AnswerMissing
    else:
        _settle(rejection, "refused", 0, answer, by)
    record_act(
        by=by, verb="rejection.settle", about=reference, is_granted=is_granted, answer=answer
    )
    return rejection


def _check_open(delivery: Delivery, reason: str) -> None:
    if not is_open(delivery):
        raise AlreadySettled
    if delivery.state == "waiting":
        if reason != "too_late":
            raise NotDelivered
        if clock.now() <= delivery.promised_at:
            raise NotLateYet
    if Rejection.objects.filter(delivery=delivery, state="open").exists():
        raise RejectionOpen


def _key(delivery: Delivery, key_id: int | None) -> DeliveredKey | None:
    if key_id is None:
        return None
    key = DeliveredKey.objects.filter(pk=key_id, delivery=delivery).first()
    if key is None:
        raise UnknownDelivery
    if key.returned_at is not None:
        raise KeyReturned
    return key


def _is_granted(person_id: int, part: Part) -> bool:
    if part.delivery.line.is_gift:  # there is no money to give back: somebody finds another way
        return False
    policy = queries.policy()
    since = clock.now() - dt.timedelta(days=policy.window_days)
    return is_automatic(
        before=Rejection.objects.filter(person_id=person_id, rejected_at__gt=since).count(),
        amount_fen=part.paid_fen,
        rejections_max=policy.rejections_max,
        automatic_max_fen=policy.automatic_max_fen,
    )


def _grant(
    rejection: Rejection, part: Part, *, answer: str, is_by_itself: bool, by: Login | None
) -> None:
    order = part.delivery.order
    paid = give_back(
        order, [part], why=rejection.reason, key=f"rejection:{rejection.reference}", is_bad=True
    )
    rejection.is_automatic = is_by_itself
    _settle(rejection, "granted", paid, answer, by)
    move_on(order)


def _settle(rejection: Rejection, state: str, paid: int, answer: str, by: Login | None) -> None:
    rejection.state, rejection.refunded_fen, rejection.answer = state, paid, answer
    rejection.settled_at, rejection.by = clock.now(), by
    rejection.save(
        update_fields=["state", "refunded_fen", "answer", "settled_at", "by", "is_automatic"]
    )


def _tell(rejection: Rejection, delivery: Delivery) -> None:
    publish(
        DeliveryRejected(
            order_id=delivery.order_id,
            line_id=delivery.line_id,
            merchant_id=delivery.line.merchant_id,
            person_id=rejection.person_id,
            reason=rejection.reason,
            is_open=rejection.state == "open",
        ),
        member=delivery.order.member_id,
    )
