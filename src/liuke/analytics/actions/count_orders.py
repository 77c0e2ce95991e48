"""Add new purchases to the running figures of the members who made them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from liuke.analytics.actions.segment_members import tell_changed
from liuke.analytics.models import Purchase

# The first import of a source has no earlier days to look for, unless the shop sold before it; later ones get larger
# purchase ids.
_ALONE = """
SELECT count(*) = 1 AND NOT EXISTS (SELECT 1 FROM analytics_purchase WHERE origin_id IS NULL)
FROM analytics_import i JOIN analytics_import mine USING (source_id) WHERE mine.id = %s
"""
# A day counts once however many imports bring orders on it: it belongs to the purchase with the smallest id.
_ADD = """
WITH fresh AS (
    SELECT id, member_id, "on", amount_fen,
           amount_fen >= 0 AND row_number() OVER (
               PARTITION BY member_id, "on", amount_fen >= 0 ORDER BY id) = 1 AS is_first_here
    FROM analytics_purchase WHERE {which}
), told AS (
    SELECT *, is_first_here AND (%(alone)s OR NOT EXISTS (
        SELECT 1 FROM analytics_purchase p
        WHERE p.member_id = fresh.member_id AND p."on" = fresh."on" AND p.amount_fen >= 0
          AND p.id < fresh.id)) AS is_new_day
    FROM fresh
)
MERGE INTO analytics_member_facts AS kept
USING (
    SELECT member_id,
           count(*) FILTER (WHERE amount_fen >= 0) AS orders,
           count(*) FILTER (WHERE is_new_day) AS order_days,
           count(*) FILTER (WHERE amount_fen < 0) AS returns,
           min("on") FILTER (WHERE amount_fen >= 0) AS first_on,
           max("on") FILTER (WHERE amount_fen >= 0) AS last_on,
           coalesce(sum(amount_fen) FILTER (WHERE amount_fen >= 0), 0)::bigint AS spent_fen,
           coalesce(-sum(amount_fen) FILTER (WHERE amount_fen < 0), 0)::bigint AS returned_fen
    FROM told GROUP BY member_id ORDER BY member_id
) AS added ON kept.member_id = added.member_id
WHEN MATCHED THEN UPDATE SET
    orders = kept.orders + added.orders,
    order_days = kept.order_days + added.order_days,
    returns = kept.returns + added.returns,
    first_on = least(kept.first_on, added.first_on),
    last_on = greatest(kept.last_on, added.last_on),
    spent_fen = kept.spent_fen + added.spent_fen,
    returned_fen = kept.returned_fen + added.returned_fen
WHEN NOT MATCHED THEN
    INSERT (member_id, orders, order_days, returns, first_on, last_on, spent_fen, returned_fen)
    VALUES (added.member_id, added.orders, added.order_days, added.returns, added.first_on, added.last_on,
            added.spent_fen, added.returned_fen)
"""


def count_orders(*, import_id: int) -> int:
    """Add one import to the facts; answer how many members it touched.

    Must run exactly once an import: called by the dispatcher, which sees to that.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ALONE, [import_id])
        (alone,) = cursor.fetchone()
    return _add("origin_id = %(import)s", {"import": import_id, "alone": alone})


def count_purchases(*, purchase_ids: Sequence[int]) -> int:
    """Add these new purchases to the facts; answer how many members they touched. In the transaction that wrote them,
    which keeps other purchases of the same sources away.
    """
    counted = _add("id = ANY(%(purchases)s)", {"purchases": list(purchase_ids), "alone": False})
    found = Purchase.objects.filter(pk__in=purchase_ids).values_list("member_id", flat=True)
    tell_changed(member_ids=set(found), changed="orders")
    return counted


def _add(which: str, given: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")  # a million rows are sorted twice
        cursor.execute(_ADD.format(which=which), given)
        return int(cursor.rowcount)
