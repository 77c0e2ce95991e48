"""In which states are payments and refunds, and when is a gateway asked again?"""

from __future__ import annotations

import datetime as dt

WALLET = "wallet"
GATEWAYS = (WALLET, "sandbox")

PAYMENT_STATES = (
    "open",
    "paid",
    "closed",
    "odd",
)  # odd: money came that does not fit; a person decides
REFUND_STATES = ("pending", "done", "failed")
DISCREPANCY_KINDS = (
    "unknown_order",  # signed by the gateway, and we never asked for it
    "wrong_amount",
    "wrong_currency",
    "wrong_seller",
    "wrong_app",
    "other_trade",  # one payment of ours, paid under two numbers of the gateway
)
SETTLED_BY = ("refund", "note")

POLL_SECONDS = (5, 15, 30, 60, 120, 300)
POLL_AFTER_SECONDS = 300
LAST_LOOK_SECONDS = 60  # after a payment was closed, once more
CLOSE_BEFORE_SECONDS = 60  # a payment ends at the gateway before the stock of its order is free
REFUND_SECONDS = (60, 300, 1_800, 7_200, 21_600, 21_600, 21_600, 21_600)
IN_HAND_SECONDS = 30  # how long whoever asks a gateway keeps others away


def next_poll(polls: int, at: dt.datetime, expires_at: dt.datetime) -> dt.datetime:
    """When to ask about a payment again that was asked about `polls` times; not past its end before it has ended."""
    wait = POLL_SECONDS[polls] if polls < len(POLL_SECONDS) else POLL_AFTER_SECONDS
    due = at + dt.timedelta(seconds=wait)
    return min(due, expires_at) if at < expires_at else due


def next_refund_try(tries: int, at: dt.datetime) -> dt.datetime | None:
    """When to send a refund again that was sent `tries` times in vain; None when a person has to look."""
    if tries > len(REFUND_SECONDS):
        return None
    return at + dt.timedelta(seconds=REFUND_SECONDS[tries - 1])


def payment_end(now: dt.datetime, order_end: dt.datetime) -> dt.datetime:
    """When a payment of an order ends at the gateway: a little before the order does, where there is time for that."""
    early = order_end - dt.timedelta(seconds=CLOSE_BEFORE_SECONDS)
    return early if early > now + dt.timedelta(seconds=CLOSE_BEFORE_SECONDS) else order_end
