"""What have offers done?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

# An order keeps the name of what made it cheaper beside the amount, as it was then.
_DONE = """
SELECT u.offer_id, count(DISTINCT r.id), sum(-(step->>2)::bigint)
FROM (SELECT DISTINCT offer_id, order_ref FROM membership_offer_use
      WHERE offer_id = ANY(%s) AND at >= %s AND returned_at IS NULL) u
JOIN membership_offer o ON o.id = u.offer_id
JOIN orders_order r ON r.reference = u.order_ref AND r.paid_at IS NOT NULL
JOIN orders_line l ON l.order_id = r.id
CROSS JOIN LATERAL jsonb_array_elements(l.steps) step
WHERE step->>0 IN ('special', 'gift') AND step->>1 = o.name
GROUP BY u.offer_id
"""


@dataclass(frozen=True)
class OfferDone:
    """In how many paid orders an offer was used, and what it took off their list prices."""

    orders: int
    off_fen: int


def offers_done(offer_ids: Sequence[int], *, since: dt.datetime) -> dict[int, OfferDone]:
    """What these offers did in orders placed since a moment, by id; absent while nothing.

    Orders that were given back whole do not count.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DONE, [list(offer_ids), since])
        return {offer: OfferDone(orders, int(off)) for offer, orders, off in cursor.fetchall()}
