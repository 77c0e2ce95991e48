"""What can be done to the book: post, take back, reserve, close a day."""

from liuke.ledger.actions.close_day import close_day
from liuke.ledger.actions.post import Posted, post, reverse
from liuke.ledger.actions.reserve import (
    expire_reservations,
    post_reservation,
    reserve,
    void_reservation,
)
from liuke.ledger.rules import Move

__all__ = [
    "Move",
    "Posted",
    "close_day",
    "expire_reservations",
    "post",
    "post_reservation",
    "reserve",
    "reverse",
    "void_reservation",
]
