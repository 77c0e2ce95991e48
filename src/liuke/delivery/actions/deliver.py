"""Hand an order over: keys at once, the rest by hand. Called right after payment, and again by whoever doubts it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import transaction

from liuke.base import clock
from liuke.base.prepared import Prepared, Written, run
from liuke.catalog.actions import TakenKey, hold_stock, take_stock
from liuke.catalog.errors import OutOfStock, UnknownHold
from liuke.delivery.actions.settle import (
    held_deliveries,
    held_delivery,
    is_open,
    move_on,
)
from liuke.delivery.errors import NotByHand, SayWhatWasDone
from liuke.delivery.models import DeliveredKey, Delivery, Step
from liuke.delivery.rules import STEP_LETTERS
from liuke.orders.actions import held_order
from liuke.orders.models import Line, Order
from liuke.payments.actions import refund_order
from liuke.people.actions import record_act
from liuke.people.models import Login

BY_ITSELF = "card_key"
_LINES = Prepared(
    lambda order_id: (
        Line.objects.filter(order_id=order_id).select_related("delivery").order_by("number")
    ),
    int,
)
_DELIVERY = Written(Delivery)
_KEYS = """
INSERT INTO delivery_delivered_key (delivery_id, key_id, seq)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::int[])
"""


@transaction.atomic
def deliver_order(*, order_id: int) -> bool:
    """Hand over what was paid for; False when that is done, or cannot be. Again changes nothing.

    When the stock is gone, because the money came too late, all of it goes back by itself.
    """
    order = held_order(order_id)
    if order.state != "paid":
        return False
    lines = _LINES(order_id)
    if any(hasattr(line, "delivery") for line in lines):
        return False
    try:
        taken = _take(order, lines)
    except OutOfStock:
        refund_order(order=order, why="out_of_stock", by=None)
        return False
    now = clock.now()
    deliveries = [_DELIVERY(_delivery(order, line, now)) for line in lines]
    keys = list(_keys(deliveries, lines, taken))
    if keys:
        told = zip(*((key.delivery_id, key.key_id, key.seq) for key in keys), strict=True)
        run(_KEYS, [list(column) for column in told])
    move_on(order, deliveries)
    return True


def _take(order: Order, lines: Sequence[Line]) -> list[TakenKey]:
    try:
        return take_stock(token=order.reference)
    except UnknownHold:  # it waited so long that its stock was put back
        wants = [(line.variant_id, line.quantity) for line in lines]
        until = clock.now() + dt.timedelta(hours=1)
        with transaction.atomic():
            hold_stock(token=order.reference, wants=wants, until=until)
        return take_stock(token=order.reference)


def _delivery(order: Order, line: Line, now: dt.datetime) -> Delivery:
    is_done = line.kind == BY_ITSELF
    return Delivery(
        order=order,
        line=line,
        state="delivered" if is_done else "waiting",
        promised_at=(order.paid_at or now) + dt.timedelta(minutes=line.arrival_minutes),
        delivered_at=now if is_done else None,
        due_at=_due(line, now) if is_done else None,
    )


def _due(line: Line, now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(days=line.accept_days)


def _keys(
    deliveries: Sequence[Delivery], lines: Sequence[Line], taken: Sequence[TakenKey]
) -> Iterator[DeliveredKey]:
    """Lines of one variant (something bought and the same as a gift) share its keys by their quantities."""
    keys: dict[tuple[int, int], list[int]] = defaultdict(list)
    for key in taken:
        keys[key.variant_id, key.part_id].append(key.key_id)
    wanted: dict[int, int] = defaultdict(int)
    for line in lines:
        wanted[line.variant_id] += line.quantity
    before: dict[int, int] = defaultdict(int)
    for delivery, line in zip(deliveries, lines, strict=True):
        start = before[line.variant_id]
        before[line.variant_id] = end = start + line.quantity
        mine = [
            key_id
            for (variant_id, _), key_ids in keys.items()
            if variant_id == line.variant_id
            for key_id in _part(key_ids, start, end, wanted[variant_id])
        ]
        for seq, key_id in enumerate(mine, start=1):
            yield DeliveredKey(delivery=delivery, key_id=key_id, seq=seq)


def _part(key_ids: Sequence[int], start: int, end: int, whole: int) -> Sequence[int]:
    each = len(key_ids) // whole  # a bundle has several keys of a part
    return key_ids[start * each : end * each]


@transaction.atomic
def add_step(*, line_id: int, text: str, by: Login | None, proof: str = "") -> Step:
    """Tell the member how far the work is.

    Raises:
        NotByHand: nobody's hands are waited for.
        SayWhatWasDone: no words, or too many.
        UnknownDelivery: nothing is delivered for this line.
    """
    delivery = held_delivery(line_id)
    if delivery.state != "waiting" or not is_open(delivery):
        raise NotByHand
    return _write_step(delivery, text, proof, by)


@transaction.atomic
def deliver_by_hand(*, line_id: int, note: str, by: Login | None, proof: str = "") -> Delivery:
    """The work for a line is done: the member reads `note`, `proof` shows it.

    Raises:
        NotByHand: it was delivered or returned before.
        SayWhatWasDone: no words, or too many.
        UnknownDelivery: nothing is delivered for this line.
    """
    delivery, *others = held_deliveries(line_id)
    if delivery.state != "waiting" or not is_open(delivery):
        raise NotByHand
    _write_step(delivery, note, proof, by)
    now = clock.now()
    delivery.state, delivery.delivered_at = "delivered", now
    delivery.due_at = _due(delivery.line, now)
    delivery.save(update_fields=["state", "delivered_at", "due_at"])
    record_act(by=by, verb="delivery.by_hand", about=delivery.order.reference, line=line_id)
    move_on(delivery.order, [delivery, *others])
    return delivery


def _write_step(delivery: Delivery, text: str, proof: str, by: Login | None) -> Step:
    if not text.strip() or len(text) > STEP_LETTERS or len(proof) > STEP_LETTERS:
        raise SayWhatWasDone(most=STEP_LETTERS)
    return Step.objects.create(
        delivery=delivery, text=text.strip(), proof=proof.strip(), by=by, at=clock.now()
    )
