"""Add an import's orders to the running figures of the members who placed them."""

from __future__ import annotations

from django.db import connection

# A day counts once however many imports bring orders on it: it belongs to the purchase with the smallest id.
_ADD = """
WITH fresh AS (
    SELECT id, member_id, "on", amount_fen FROM analytics_purchase WHERE origin_id = %(import)s
), figures AS (
    SELECT member_id,
           count(*) FILTER (WHERE amount_fen >= 0) AS orders,
           count(*) FILTER (WHERE amount_fen < 0) AS returns,
           min("on") FILTER (WHERE amount_fen >= 0) AS first_on,
           max("on") FILTER (WHERE amount_fen >= 0) AS last_on,
           coalesce(sum(amount_fen) FILTER (WHERE amount_fen >= 0), 0)::bigint AS spent_fen,
           coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0)::bigint AS returned_fen
    FROM fresh GROUP BY member_id
), days AS (
    SELECT day.member_id, count(*) AS order_days
    FROM (SELECT member_id, "on", min(id) AS id FROM fresh WHERE amount_fen >= 0 GROUP BY member_id, "on") AS day
    WHERE NOT EXISTS (
        SELECT 1 FROM analytics_purchase p
        WHERE p.member_id = day.member_id AND p."on" = day."on" AND p.amount_fen >= 0 AND p.id < day.id)
    GROUP BY day.member_id
)
INSERT INTO analytics_member_facts AS kept
    (member_id, orders, order_days, returns, first_on, last_on, spent_fen, returned_fen)
SELECT member_id, orders, coalesce(order_days, 0), returns, first_on, last_on, spent_fen, returned_fen
FROM figures LEFT JOIN days USING (member_id)
ORDER BY member_id
ON CONFLICT (member_id) DO UPDATE SET
    orders = kept.orders + excluded.orders,
    order_days = kept.order_days + excluded.order_days,
    returns = kept.returns + excluded.returns,
    first_on = least(kept.first_on, excluded.first_on),
    last_on = greatest(kept.last_on, excluded.last_on),
    spent_fen = kept.spent_fen + excluded.spent_fen,
    returned_fen = kept.returned_fen + excluded.returned_fen
"""


def count_orders(*, import_id: int) -> int:
    """Add one import to the facts; answer how many members it touched.

    Must run exactly once an import: called by the dispatcher, which sees to that.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"import": import_id})
        return int(cursor.rowcount)
