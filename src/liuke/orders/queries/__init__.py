"""What does it cost, and what was ordered?"""

from liuke.orders.queries.again import Again, again_of
from liuke.orders.queries.offers import OfferDone, offers_done
from liuke.orders.queries.orders import (
    SECRETS_PURPOSE,
    file_of,
    guest_index,
    guest_token,
    has_bought,
    is_guest,
    last_answers,
    lines_of,
    order_named,
    order_of,
    order_of_guest,
    orders_of,
    quantities_of,
    secrets_of,
)
from liuke.orders.queries.promises import invariants
from liuke.orders.queries.quotes import (
    CouponChoice,
    LineQuote,
    Quote,
    Want,
    policy,
    quote,
    shown_fen,
)
from liuke.orders.queries.staff import find_orders

__all__ = [
    "SECRETS_PURPOSE",
    "Again",
    "CouponChoice",
    "LineQuote",
    "OfferDone",
    "Quote",
    "Want",
    "again_of",
    "file_of",
    "find_orders",
    "guest_index",
    "guest_token",
    "has_bought",
    "invariants",
    "is_guest",
    "last_answers",
    "lines_of",
    "offers_done",
    "order_named",
    "order_of",
    "order_of_guest",
    "orders_of",
    "policy",
    "quantities_of",
    "quote",
    "secrets_of",
    "shown_fen",
]
