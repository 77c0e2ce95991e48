"""What can be done about paying: start, hear of it, ask about it, give it back, settle what does not fit."""

from liuke.payments.actions.confirm import confirm_payment
from liuke.payments.actions.discrepancies import settle_discrepancy
from liuke.payments.actions.notices import Heard, receive_notice
from liuke.payments.actions.poll import poll_payment, poll_payments
from liuke.payments.actions.refund import refund_order, refund_to_wallet, retry_refund
from liuke.payments.actions.send_refunds import send_refunds
from liuke.payments.actions.start import pay_from_wallet, start_payment

__all__ = [
    "Heard",
    "confirm_payment",
    "pay_from_wallet",
    "poll_payment",
    "poll_payments",
    "receive_notice",
    "refund_order",
    "refund_to_wallet",
    "retry_refund",
    "send_refunds",
    "settle_discrepancy",
    "start_payment",
]
