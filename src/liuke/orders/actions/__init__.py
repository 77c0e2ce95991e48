"""What can be done about orders: placing them, and moving them on."""

from liuke.orders.actions.claim import claim_by_link, claim_orders, join_as_guest
from liuke.orders.actions.forget import forget_answers, prune_answers
from liuke.orders.actions.move import (
    cancel_order,
    complete,
    expire_orders,
    held_order,
    mark_delivered,
    mark_paid,
    mark_refunded,
)
from liuke.orders.actions.place import place_order
from liuke.orders.actions.policy import set_order_policy

__all__ = [
    "cancel_order",
    "claim_by_link",
    "claim_orders",
    "complete",
    "expire_orders",
    "forget_answers",
    "held_order",
    "join_as_guest",
    "mark_delivered",
    "mark_paid",
    "mark_refunded",
    "place_order",
    "prune_answers",
    "set_order_policy",
]
