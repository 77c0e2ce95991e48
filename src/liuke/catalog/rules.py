"""In which words do we speak of products, stock and card keys?"""

from __future__ import annotations

PRODUCT_KINDS = ("card_key", "top_up", "agent_service")  # the last two are delivered by hand
PRODUCT_STATES = ("draft", "listed", "hidden")
SOURCE_KINDS = ("official", "authorised", "merchant")
VARIANT_STATES = ("listed", "hidden")
STOCK_KINDS = ("keys", "count", "open", "bundle")
KEY_STATES = ("free", "held", "delivered", "revoked", "bad")
ACCESS_ROLES = ("buyer", "operator", "agent", "merchant", "system")

PRICE_FEN_MAX = 100_000_000  # a million yuan
ARRIVAL_MINUTES_MAX = 43_200  # thirty days
ACCEPT_DAYS_MAX = 90
REFERENCE_LETTERS = 9
