"""Move an order on: paid, delivered, completed, cancelled, refunded. The order's row is held; others find it moved."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from liuke.base import clock, live
from liuke.base.prepared import Prepared, one, run
from liuke.catalog.actions import hold_stock, release_hold
from liuke.events.actions import publish
from liuke.membership.actions import (
    lock_coupon,
    return_coupon,
    return_offer,
    use_coupon,
    use_offer,
)
from liuke.membership.queries import uses_in
from liuke.orders.errors import OrderCancelled as WasCancelled
from liuke.orders.errors import OrderMovedOn, TooMuchRefunded, UnknownOrder
from liuke.orders.events import (
    OrderCancelled,
    OrderCompleted,
    OrderDelivered,
    OrderPaid,
    OrderRefunded,
)
from liuke.orders.models import Line, Order
from liuke.orders.rules import HOLD_GRACE_MINUTES
from liuke.people.actions import record_act
from liuke.people.models import Login

EXPIRE_AT_ONCE = 200
# The page of the order hears of it in the same statement, as by `live.tell`.
_MOVE = """
UPDATE orders_order SET state = '{after}', {after}_at = %(at)s WHERE id = %(order)s AND state = '{before}'
RETURNING {columns}, pg_notify(%(channel)s, %(topic)s)
"""
_FORGET_SECRETS = """
UPDATE orders_line SET secrets_sealed = NULL WHERE order_id = %s AND secrets_sealed IS NOT NULL
"""
_HELD = Prepared(
    lambda order_id: Order.objects.select_for_update(no_key=True).filter(pk=order_id), int
)


def held_order(order_id: int) -> Order:
    """The order, held until the transaction ends.

    Raises:
        UnknownOrder: there is none.
    """
    order = _HELD.first(order_id)
    if order is None:
        raise UnknownOrder
    return order


def mark_paid(*, order_id: int) -> Order:
    """The money is there, says the caller's transaction, which a refusal does not touch.

    An order that only time has cancelled takes its stock, offers and coupon once more.

    Raises:
        OrderCancelled: somebody cancelled it.
        OrderMovedOn: it was paid before.
        OutOfStock, CouponTaken, BudgetSpent, OfferGone: too late, and what it had is gone.
    """
    order = _move(order_id, "placed", "paid") or _pay_late(order_id)
    if order.coupon_ref:
        use_coupon(order_ref=order.reference)
    publish(
        OrderPaid(
            order_id=order.pk,
            reference=order.reference,
            person_id=order.person_id,
            is_guest=order.guest_index is not None,
            payable_fen=order.payable_fen,
        ),
        member=order.member_id,
    )
    return order


@transaction.atomic
def _pay_late(order_id: int) -> Order:
    order = _held(order_id)
    if order.state != "cancelled":
        raise OrderMovedOn
    if order.cancel_reason != "expired":
        raise WasCancelled
    _take_again(order)
    order.state, order.paid_at = "paid", clock.now()
    order.cancelled_at, order.cancel_reason = None, ""
    order.save(update_fields=["state", "paid_at", "cancelled_at", "cancel_reason"])
    return order


def _take_again(order: Order) -> None:
    until = clock.now() + dt.timedelta(minutes=HOLD_GRACE_MINUTES)
    lines = list(Line.objects.filter(order=order))
    for use in uses_in(order.reference):
        use_offer(
            offer_id=use.offer_id,
            grant_id=use.grant_id,
            person_id=use.person_id,
            order_ref=order.reference,
        )
    hold_stock(
        token=order.reference,
        wants=[(line.variant_id, line.quantity) for line in lines],
        until=until,
    )
    if order.coupon_ref:
        off = -sum(fen for line in lines for kind, _, fen in line.steps if kind == "coupon")
        lock_coupon(
            coupon_ref=order.coupon_ref,
            order_ref=order.reference,
            person_id=order.person_id,
            off_fen=off,
            until=until,
        )


@transaction.atomic(savepoint=False)
def mark_delivered(*, order_id: int) -> Order:
    """Everything was handed over. Refused, the transaction cannot go on.

    Raises:
        OrderMovedOn: it was not waiting for that.
    """
    order = _moved(order_id, "paid", "delivered")
    publish(
        OrderDelivered(order_id=order.pk, reference=order.reference, person_id=order.person_id),
        member=order.member_id,
    )
    return order


@transaction.atomic(savepoint=False)
def complete(*, order_id: int) -> Order:
    """The member is content; what they told in secret is forgotten. Refused, the transaction cannot go on.

    Raises:
        OrderMovedOn: it was not waiting for that.
    """
    order = _moved(order_id, "delivered", "completed")
    _forget_secrets(order)
    publish(
        OrderCompleted(
            order_id=order.pk,
            reference=order.reference,
            person_id=order.person_id,
            is_guest=order.guest_index is not None,
            amount_fen=order.payable_fen - order.refunded_fen,
        ),
        member=order.member_id,
    )
    return order


@transaction.atomic
def mark_refunded(*, order_id: int, amount_fen: int) -> Order:
    """So much went back to the member. When nothing is left, the order is over, and its coupon and offers are free.

    Raises:
        OrderMovedOn: it was not paid, or it is completed already.
        TooMuchRefunded: more than was left of it, or nothing.
    """
    order = _held(order_id)
    if order.state not in ("paid", "delivered"):
        raise OrderMovedOn
    if not 0 < amount_fen <= order.payable_fen - order.refunded_fen:
        raise TooMuchRefunded
    order.refunded_fen += amount_fen
    is_whole = order.refunded_fen == order.payable_fen
    if is_whole:
        order.state, order.refunded_at = "refunded", clock.now()
    order.save(update_fields=["refunded_fen", "state", "refunded_at"])
    if is_whole:
        _let_go(order)
    publish(
        OrderRefunded(
            order_id=order.pk,
            reference=order.reference,
            person_id=order.person_id,
            is_guest=order.guest_index is not None,
            amount_fen=amount_fen,
            is_whole=is_whole,
            was_completed=False,
        ),
        member=order.member_id,
    )
    return order


@transaction.atomic
def cancel_order(*, order_id: int, reason: str = "member", by: Login | None = None) -> Order:
    """An unpaid order is given up; its stock, coupon and offers are free. `reason` is member, staff or expired.

    Raises:
        OrderMovedOn: it is not waiting for its money.
    """
    order = _held(order_id)
    if order.state != "placed":
        raise OrderMovedOn
    order.state, order.cancelled_at, order.cancel_reason = "cancelled", clock.now(), reason
    order.save(update_fields=["state", "cancelled_at", "cancel_reason"])
    release_hold(token=order.reference)
    _let_go(order)
    publish(
        OrderCancelled(
            order_id=order.pk, reference=order.reference, person_id=order.person_id, reason=reason
        ),
        member=order.member_id,
    )
    if reason == "staff":
        record_act(by=by, verb="order.cancel", about=order.reference)
    return order


def expire_orders(*, limit: int = EXPIRE_AT_ONCE) -> int:
    """Cancel what was not paid in time, each in a transaction of its own; how many."""
    due = Order.objects.filter(state="placed", expires_at__lte=clock.now()).order_by("expires_at")
    done = 0
    for order_id in list(due.values_list("pk", flat=True)[:limit]):
        try:
            cancel_order(order_id=order_id, reason="expired")
            done += 1
        except OrderMovedOn:  # paid, or cancelled by somebody, at this moment
            continue
    return done


def _let_go(order: Order) -> None:
    if order.coupon_ref:
        return_coupon(order_ref=order.reference)
    return_offer(order_ref=order.reference)
    _forget_secrets(order)


def _forget_secrets(order: Order) -> None:
    run(_FORGET_SECRETS, [order.pk])


def _held(order_id: int) -> Order:
    order = held_order(order_id)
    live.tell("order", order_id)
    return order


def _moved(order_id: int, before: str, after: str) -> Order:
    """The order, moved from one state to another at this moment, or refused."""
    order = _move(order_id, before, after)
    if order is not None:
        return order
    _held(order_id)  # an unknown one is refused as such
    raise OrderMovedOn


def _move(order_id: int, before: str, after: str) -> Order | None:
    """A compare-and-set: the order as it is afterwards, None when it was elsewhere."""
    told = {"channel": live.CHANNEL, "topic": live.topic_of("order", order_id)}
    given = {"order": order_id, "at": clock.now(), **told}
    statement = _MOVE.format(before=before, after=after, columns="{columns}")
    return one(Order, statement, given)
