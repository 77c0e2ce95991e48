"""Where does an order stand when one of its lines has moved? Delivered, and when nothing is open, released.

Everything that happens to the deliveries of an order happens while its row is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from liuke.base import live
from liuke.base.prepared import Prepared
from liuke.delivery.errors import UnknownDelivery
from liuke.delivery.models import Delivery
from liuke.delivery.rules import fee_fen, paid_out
from liuke.ledger import accounts
from liuke.ledger.actions import Move, post
from liuke.ledger.queries import balance_fen
from liuke.orders.actions import complete, mark_delivered
from liuke.orders.models import Order

_HELD_BY_LINE = Prepared(
    lambda line_id: Order.objects.select_for_update(no_key=True, of=("self",)).filter(
        deliveries__line_id=line_id
    ),
    int,
)
_HELD_OF_PERSON = Prepared(
    lambda line_id, person_id: Order.objects.select_for_update(no_key=True, of=("self",)).filter(
        deliveries__line_id=line_id, person_id=person_id
    ),
    int,
    int,
)
_DELIVERIES = Prepared(
    lambda order_id: Delivery.objects.filter(order_id=order_id).select_related("line__merchant"),
    int,
)


def held_delivery(line_id: int, person_id: int | None = None) -> Delivery:
    """The delivery of a line with its order held; with `person_id`, only that person's.

    Raises:
        UnknownDelivery: there is none, or it is someone else's.
    """
    return held_deliveries(line_id, person_id)[0]


def held_deliveries(line_id: int, person_id: int | None = None) -> list[Delivery]:
    """The deliveries of the order that a line belongs to, the line's own first, with the order held.

    Raises:
        UnknownDelivery: there is none, or it is someone else's.
    """
    held = _HELD_BY_LINE(line_id) if person_id is None else _HELD_OF_PERSON(line_id, person_id)
    if not held:
        raise UnknownDelivery
    (order,) = held
    live.tell("order", order.pk)
    deliveries = _DELIVERIES(order.pk)
    for delivery in deliveries:
        delivery.order = order
    return sorted(deliveries, key=lambda delivery: delivery.line_id != line_id)


def is_open(delivery: Delivery) -> bool:
    """Whether anything can still be done about it: neither accepted nor returned, and its order is alive."""
    return delivery.state in ("waiting", "delivered") and delivery.order.state in (
        "paid",
        "delivered",
    )


def move_on(order: Order, deliveries: Sequence[Delivery] | None = None) -> None:
    """Let the order follow its deliveries: delivered when nothing waits, completed and paid out when nothing is open.

    An order of which everything went back is refunded by whoever gave the money back.
    """
    if deliveries is None:
        deliveries = _DELIVERIES(order.pk)
    states = {delivery.state for delivery in deliveries}
    if "waiting" in states or states == {"returned"}:
        return
    if order.state == "paid":
        order.state = mark_delivered(order_id=order.pk).state
    if "delivered" not in states:
        _release(order, deliveries)
        complete(order_id=order.pk)


def _release(order: Order, deliveries: Sequence[Delivery]) -> None:
    """What was accepted is the merchants' from now on, less the platform's part; once an order.

    Money that staff gave back beside any line is missing in escrow: the merchants bear it in proportion.
    """
    escrow = accounts.escrow(order.reference)
    owed = [delivery.line.goods_fen - delivery.returned_goods_fen for delivery in deliveries]
    earned: dict[str, int] = defaultdict(int)
    fees = 0
    for delivery, goods in zip(deliveries, paid_out(owed, balance_fen(escrow)), strict=True):
        fee = fee_fen(goods, delivery.line.fee_permyriad)
        earned[delivery.line.merchant.reference] += goods - fee
        fees += fee
    moves = [
        Move(escrow, accounts.merchant_available(merchant), amount)
        for merchant, amount in sorted(earned.items())
        if amount
    ]
    if fees:
        moves.append(Move(escrow, accounts.platform_fee(), fees))
    post(key=f"release:{order.reference}", kind="release", moves=moves, about=order.reference)
