"""What does `orders` promise about its tables?"""

from __future__ import annotations

from liuke.base.audit import Invariant
from liuke.orders.rules import GUEST_PREFIX
from liuke.people.rules import SITE_SOURCE


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return [
        Invariant(
            "orders.orders_are_the_sum_of_their_lines",
            "What an order lists, owes and asks for is what its lines do, to the fen",
            "SELECT o.id FROM orders_order o LEFT JOIN (SELECT order_id, sum(list_fen) AS list_fen,"
            " sum(goods_fen) AS goods_fen, sum(total_fen) AS total_fen FROM orders_line GROUP BY order_id) l"
            " ON l.order_id = o.id WHERE (o.list_fen, o.goods_fen, o.payable_fen)"
            " IS DISTINCT FROM (l.list_fen, l.goods_fen, l.total_fen)",
        ),
        Invariant(
            "orders.steps_explain_the_price",
            "The steps of every line add up to what the member pays for it",
            "SELECT l.id FROM orders_line l WHERE l.total_fen <> (SELECT coalesce(sum((step->>2)::bigint), 0)"
            " FROM jsonb_array_elements(l.steps) step)",
        ),
        Invariant(
            "orders.coupons_fit_their_orders",
            "A coupon is locked by an unpaid order of its own person and used by a paid one, for what the lines say",
            "SELECT c.id FROM membership_coupon c LEFT JOIN orders_order o ON o.reference = c.order_ref"
            " WHERE c.state <> 'free' AND (o.id IS NULL OR o.coupon_ref <> c.reference OR o.person_id <> c.person_id"
            " OR (c.state = 'locked') <> (o.state = 'placed') OR o.state IN ('cancelled', 'refunded')"
            " OR c.off_fen <> (SELECT -sum((step->>2)::bigint) FROM orders_line l,"
            " jsonb_array_elements(l.steps) step WHERE l.order_id = o.id AND step->>0 = 'coupon'))",
        ),
        Invariant(
            "orders.offers_fit_their_orders",
            "What makes use of an offer is a living order of the same person; special prices and gifts have their use",
            "SELECT u.order_ref FROM membership_offer_use u LEFT JOIN orders_order o ON o.reference = u.order_ref"
            " WHERE o.id IS NULL OR o.person_id <> u.person_id"
            " OR (u.returned_at IS NULL AND o.state IN ('cancelled', 'refunded'))"
            " UNION ALL SELECT o.reference FROM orders_order o JOIN orders_line l ON l.order_id = o.id,"
            " jsonb_array_elements(l.steps) step"
            " WHERE o.state NOT IN ('cancelled', 'refunded') AND step->>0 IN ('special', 'gift')"
            " AND NOT EXISTS (SELECT 1 FROM membership_offer_use u"
            " WHERE u.order_ref = o.reference AND u.returned_at IS NULL)",
        ),
        Invariant(
            "orders.stock_is_held_for_orders",
            "Every order that waits for its money has stock under its number",
            "SELECT o.id FROM orders_order o LEFT JOIN catalog_hold h ON h.token = o.reference"
            " WHERE o.state = 'placed' AND h.id IS NULL",
        ),
        Invariant(
            "orders.everyone_has_their_own",
            "An order belongs to its member's person, and guests have a link to theirs",
            "SELECT o.id FROM orders_order o JOIN people_member m ON m.id = o.member_id"
            " WHERE o.person_id <> m.person_id"
            f" OR (o.guest_index IS NOT NULL) <> (m.source = '{SITE_SOURCE}'"
            f" AND m.external_id LIKE '{GUEST_PREFIX}%')",
        ),
    ]
