"""What can be done about deliveries: handing over, looking, accepting, rejecting."""

from liuke.delivery.actions.accept import accept_delivery, accept_overdue
from liuke.delivery.actions.deliver import add_step, deliver_by_hand, deliver_order
from liuke.delivery.actions.policy import set_delivery_policy
from liuke.delivery.actions.reject import reject_delivery, settle_rejection
from liuke.delivery.actions.reveal import mark_tried, reveal
from liuke.delivery.actions.take_back import close_refunded, take_back_order

__all__ = [
    "accept_delivery",
    "accept_overdue",
    "add_step",
    "close_refunded",
    "deliver_by_hand",
    "deliver_order",
    "mark_tried",
    "reject_delivery",
    "reveal",
    "set_delivery_policy",
    "settle_rejection",
    "take_back_order",
]
