"""What was handed over, what waits for somebody, and what was rejected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, QuerySet, When

from liuke.base.audit import Invariant
from liuke.base.prepared import Prepared
from liuke.delivery.errors import UnknownDelivery, UnknownRejection
from liuke.delivery.models import (
    Delivery,
    DeliveryPolicy,
    Rejection,
    Step,
)
from liuke.delivery.rules import fee_fen
from liuke.merchants.models import Merchant
from liuke.orders.models import Order

_POLICY = Prepared(lambda: DeliveryPolicy.objects.order_by("-version")[:1])


def policy() -> DeliveryPolicy:
    """When a rejection is granted by itself."""
    return _POLICY()[0]


def deliveries_of(order_id: int) -> QuerySet[Delivery]:
    """What was handed over of an order, a line each, with keys, steps and rejections at hand."""
    return (
        Delivery.objects.filter(order_id=order_id)
        .select_related("line")
        .prefetch_related("keys__key", "steps", "rejections")
        .order_by("line__number")
    )


def undelivered(order_ids: Collection[int]) -> list[int]:
    """Those of these orders that are paid and of which nothing was handed over, the oldest first."""
    found = Order.objects.filter(pk__in=order_ids, state="paid", deliveries=None)
    return list(found.order_by("id").values_list("pk", flat=True))


def delivery_for(person_id: int, line_id: int) -> Delivery:
    """A person's delivery of a line.

    Raises:
        UnknownDelivery: there is none, or it is someone else's.
    """
    found = Delivery.objects.filter(line_id=line_id, order__person_id=person_id).first()
    if found is None:
        raise UnknownDelivery
    return found


def waiting_for_hands(merchant: Merchant | None = None) -> QuerySet[Delivery]:
    """Lines that somebody has to deliver, those promised first on top; with `merchant`, of theirs only."""
    waiting = Delivery.objects.filter(state="waiting").select_related(
        "line__product", "line__merchant", "order__member"
    )
    if merchant is not None:
        waiting = waiting.filter(line__merchant=merchant)
    return waiting.order_by("promised_at", "id")


def deliveries_by(merchant: Merchant, state: str = "") -> QuerySet[Delivery]:
    """What a merchant delivers: what waits for hands on top, promised first; then the last first."""
    found = Delivery.objects.filter(line__merchant=merchant).select_related("line", "order")
    if state:
        found = found.filter(state=state)
    waiting = Case(When(state="waiting", then=F("promised_at")))
    return found.order_by(waiting.asc(nulls_last=True), "-id")


def owed_fen(delivery: Delivery) -> int:
    """What the merchant gets for a line when what is left of it is accepted: less what went back, less the fee."""
    goods = delivery.line.goods_fen - delivery.returned_goods_fen
    return goods - fee_fen(goods, delivery.line.fee_permyriad)


def open_rejections(merchant: Merchant | None = None) -> QuerySet[Rejection]:
    """Rejections that a person has to decide about, the oldest first; with `merchant`, of their lines only."""
    found = Rejection.objects.filter(state="open").select_related(
        "delivery__order", "delivery__line__merchant", "key__key", "person"
    )
    if merchant is not None:
        found = found.filter(delivery__line__merchant=merchant)
    return found.order_by("rejected_at")


def rejection_named(reference: str) -> Rejection:
    """The rejection of that reference.

    Raises:
        UnknownRejection: there is none.
    """
    found = Rejection.objects.filter(reference=reference).first()
    if found is None:
        raise UnknownRejection
    return found


def overdue(at: dt.datetime) -> QuerySet[Delivery]:
    """Deliveries that time accepts now: nobody is looking at them."""
    open_one = Rejection.objects.filter(delivery=OuterRef("pk"), state="open")
    due = Delivery.objects.filter(state="delivered", due_at__lte=at)
    return due.exclude(Exists(open_one)).order_by("due_at", "id")


def steps_of(delivery_id: int) -> QuerySet[Step]:
    """What was done by hand, in order."""
    return Step.objects.filter(delivery_id=delivery_id).select_related("by").order_by("id")


def file_of(person_id: int) -> dict[str, Any]:
    """What was handed over to a person and what they gave back, as plain data, for the member, who may ask for it.

    Keys by their last four letters: they are read on the page of their order, where each look is written down.
    """
    deliveries = Delivery.objects.filter(order__person_id=person_id).select_related("order", "line")
    rejections = Rejection.objects.filter(person_id=person_id).select_related("delivery__order")
    return {
        "deliveries": [
            {
                "order": delivery.order.reference,
                "title": delivery.line.title,
                "state": delivery.state,
                "promised_at": delivery.promised_at.isoformat(),
                "delivered_at": _moment(delivery.delivered_at),
                "accepted_at": _moment(delivery.accepted_at),
                "refunded_fen": delivery.refunded_fen,
                "keys": [
                    {
                        "ends_in": handed.key.last_four,
                        "revealed_at": _moment(handed.revealed_at),
                        "tried_at": _moment(handed.tried_at),
                        "returned_at": _moment(handed.returned_at),
                    }
                    for handed in delivery.keys.all()
                ],
                "steps": [step.text for step in delivery.steps.all()],
            }
            for delivery in deliveries.prefetch_related("keys__key", "steps").order_by("id")
        ],
        "rejections": [
            {
                "order": rejection.delivery.order.reference,
                "reason": rejection.reason,
                "note": rejection.note,
                "state": rejection.state,
                "answer": rejection.answer,
                "refunded_fen": rejection.refunded_fen,
                "rejected_at": rejection.rejected_at.isoformat(),
            }
            for rejection in rejections.order_by("id")
        ],
    }


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


# Promises -----------------------------------------------------------------------------------------


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return [
        Invariant(
            "delivery.a_key_goes_to_one_line",
            "Every delivered key is in one delivery, of a line that sold it, and was handed out under that order",
            "SELECT k.id FROM delivery_delivered_key k JOIN delivery_delivery d ON d.id = k.delivery_id"
            " JOIN orders_line l ON l.id = d.line_id JOIN orders_order o ON o.id = d.order_id"
            " LEFT JOIN catalog_card_key c ON c.id = k.key_id LEFT JOIN catalog_hold_line h ON h.id = c.line_id"
            " LEFT JOIN catalog_hold t ON t.id = h.hold_id WHERE (t.token, h.variant_id)"
            " IS DISTINCT FROM (o.reference, l.variant_id) OR c.delivered_at IS NULL UNION ALL"
            " SELECT key_id FROM delivery_delivered_key GROUP BY key_id HAVING count(*) > 1",
        ),
        Invariant(
            "delivery.handed_out_keys_are_delivered",
            "Every key that left the stock for an order is in a delivery of it",
            "SELECT c.id FROM catalog_card_key c JOIN catalog_hold_line h ON h.id = c.line_id"
            " JOIN catalog_hold t ON t.id = h.hold_id JOIN orders_order o ON o.reference = t.token"
            " LEFT JOIN delivery_delivered_key k ON k.key_id = c.id"
            " WHERE c.delivered_at IS NOT NULL AND k.id IS NULL",
        ),
        Invariant(
            "delivery.orders_are_where_their_lines_are",
            "A delivered order has every line handed over, a completed one has none open",
            "SELECT o.id FROM orders_order o JOIN orders_line l ON l.order_id = o.id"
            " LEFT JOIN delivery_delivery d ON d.line_id = l.id WHERE (o.state IN ('delivered', 'completed')"
            " AND (d.id IS NULL OR d.state = 'waiting' OR d.order_id <> o.id))"
            " OR (o.state = 'completed' AND d.state NOT IN ('accepted', 'returned'))",
        ),
        Invariant(
            "delivery.returned_is_returned",
            "No more of a line went back than was in it; of a returned one everything, of an accepted one not all",
            "SELECT d.id FROM delivery_delivery d JOIN orders_line l ON l.id = d.line_id"
            " WHERE d.returned_goods_fen > l.goods_fen OR d.refunded_fen > l.total_fen"
            " OR (d.state = 'returned' AND (d.returned_goods_fen, d.refunded_fen) <> (l.goods_fen, l.total_fen))"
            " OR (d.state = 'accepted' AND d.returned_goods_fen >= l.goods_fen AND l.goods_fen > 0)",
        ),
        Invariant(
            "delivery.completed_is_released",
            "The merchants got their money for an order once it was completed, and for no other",
            "SELECT o.id, o.reference FROM orders_order o LEFT JOIN ledger_entry e ON e.key = 'release:' || o.reference"
            " WHERE (o.state = 'completed') <> (e.id IS NOT NULL)",
        ),
        Invariant(
            "delivery.granted_is_paid_back",
            "What was granted to rejections of an order went back of it",
            "SELECT o.id, o.reference FROM orders_order o JOIN delivery_delivery d ON d.order_id = o.id"
            " JOIN delivery_rejection r ON r.delivery_id = d.id GROUP BY o.id"
            " HAVING sum(r.refunded_fen) > o.refunded_fen",
        ),
    ]
