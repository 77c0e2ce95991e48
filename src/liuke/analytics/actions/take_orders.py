"""Take our own orders into the same stream of purchases as imported ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from liuke.analytics.actions.count_orders import count_purchases
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.people.rules import SITE_SOURCE

_SOURCES = """
SELECT DISTINCT m.source FROM orders_order o JOIN people_member m ON m.id = o.member_id
WHERE o.id = ANY(%s) ORDER BY m.source
"""
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('analytics.import'), hashtext(%s))"
# Members of an imported log who buy here go on where their log ends, if that counts in our currency. What a guest
# bought is nobody's history until they sign in.
_OURS = """
SELECT o.*, (SELECT sum(l.quantity) FROM orders_line l WHERE l.order_id = o.id AND NOT l.is_gift) AS quantity,
       s.time_zone
FROM orders_order o JOIN people_member m ON m.id = o.member_id
JOIN analytics_source s ON s.key = m.source AND s.currency = %(currency)s
WHERE o.id = ANY(%(orders)s) AND o.paid_at IS NOT NULL AND o.guest_index IS NULL
"""
_DIGEST = "('x' || left(md5({words}), 16))::bit(64)::bigint"
_TAKE = f"""
INSERT INTO analytics_purchase (member_id, digest, order_number, at, "on", amount_fen, quantity)
SELECT o.member_id, {_DIGEST.format(words="'order|' || o.reference")}, o.reference, o.paid_at,
       (o.paid_at AT TIME ZONE o.time_zone)::date, o.payable_fen, o.quantity
FROM ({_OURS}) o ORDER BY o.member_id, o.id
ON CONFLICT (member_id, digest) DO NOTHING RETURNING id
"""
_TAKE_RETURNS = f"""
INSERT INTO analytics_purchase (member_id, digest, order_number, at, "on", amount_fen, quantity)
SELECT o.member_id, {_DIGEST.format(words="'return|' || o.reference || '|' || o.refunded_fen")}, o.reference, %(at)s,
       (%(at)s AT TIME ZONE o.time_zone)::date, -o.refunded_fen + o.told_fen, 0
FROM (SELECT ours.*, coalesce((SELECT -sum(p.amount_fen) FROM analytics_purchase p
        WHERE p.member_id = ours.member_id AND p.order_number = ours.reference AND p.amount_fen < 0), 0) AS told_fen
      FROM ({_OURS}) ours) o
WHERE o.refunded_fen > o.told_fen ORDER BY o.member_id, o.id
ON CONFLICT (member_id, digest) DO NOTHING RETURNING id
"""
_TAKE_ITEMS = """
INSERT INTO analytics_purchase_line (purchase_id, line, item, quantity, amount_fen)
SELECT p.id, l.number, left(l.title || ' ' || l.variant_name, 200), l.quantity, l.total_fen
FROM analytics_purchase p JOIN orders_order o ON o.reference = p.order_number
JOIN orders_line l ON l.order_id = o.id
WHERE p.id = ANY(%s) AND NOT l.is_gift ORDER BY p.id, l.number
"""


@transaction.atomic
def take_orders(*, order_ids: Collection[int], at: dt.datetime) -> int:
    """See that what these orders brought, and what went back of them, stands among the purchases; how many rows are
    new. Again changes nothing. `at` is when the last money went back.

    Everyone's standing follows with the next evaluation of the source.
    """
    orders = list(order_ids)
    given: dict[str, Any] = {"orders": orders, "at": at, "currency": settings.LIUKE_CURRENCY}
    _open_site()
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES, [orders])
        for (key,) in cursor.fetchall():  # imports into these sources wait, and we for them
            cursor.execute(_TAKE_TURNS, [key])
        cursor.execute(_TAKE, given)
        bought = [row[0] for row in cursor.fetchall()]
        cursor.execute(_TAKE_ITEMS, [bought])
        cursor.execute(_TAKE_RETURNS, given)
        fresh = bought + [row[0] for row in cursor.fetchall()]
    if fresh:
        count_purchases(purchase_ids=fresh)
    return len(fresh)


def _open_site() -> None:
    """The shop itself is a source like any other, opened by its first order."""
    Source.objects.get_or_create(
        key=SITE_SOURCE,
        defaults={
            "title": settings.LIUKE_SITE_NAME,
            "currency": settings.LIUKE_CURRENCY,
            "time_zone": settings.TIME_ZONE,
            "opened_at": clock.now(),
        },
    )
