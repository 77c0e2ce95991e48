"""What members did and met besides buying, and what their first order was: columns for the forecasts.

An imported log knows none of it but the items; then there are no rows, and no guess in their place. Only for
short-lived processes: it loads numpy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.science.churn.behaviour import Behaviour
from liuke.science.solving import Tally

AGAIN_DAYS = 30
"""Within so many days of the trouble, or of the first order, a member has to order again to count."""

_DAYS_WITH = """
SELECT m.id, d."on" - date '1970-01-01', false
FROM analytics_behaviour_day d JOIN people_member m ON m.person_id = d.person_id AND m.source = %(source)s
WHERE d.{name} > 0 AND d."on" <= %(as_of)s
"""
_VISITS = """
SELECT m.id, d."on" - date '1970-01-01'
FROM analytics_behaviour_day d JOIN people_member m ON m.person_id = d.person_id AND m.source = %(source)s
WHERE d."on" <= %(as_of)s
"""
_COMPLAINTS = """
SELECT o.member_id, (r.rejected_at AT TIME ZONE %(zone)s)::date - date '1970-01-01', r.state = 'granted'
FROM delivery_rejection r JOIN delivery_delivery d ON d.id = r.delivery_id
JOIN orders_order o ON o.id = d.order_id JOIN people_member m ON m.id = o.member_id AND m.source = %(source)s
WHERE (r.rejected_at AT TIME ZONE %(zone)s)::date <= %(as_of)s
"""
_LATE = """
SELECT o.member_id, (d.promised_at AT TIME ZONE %(zone)s)::date - date '1970-01-01', false
FROM delivery_delivery d
JOIN orders_order o ON o.id = d.order_id JOIN people_member m ON m.id = o.member_id AND m.source = %(source)s
WHERE coalesce(d.delivered_at, d.returned_at, %(now)s) > d.promised_at
  AND (d.promised_at AT TIME ZONE %(zone)s)::date <= %(as_of)s
"""
_EVENTS = {
    "login": _DAYS_WITH.format(name="logins"),
    "view": _DAYS_WITH.format(name="views"),
    "open": _DAYS_WITH.format(name="opens"),
    "complaint": _COMPLAINTS,
    "late": _LATE,
}
_BUCKET = """
CASE WHEN r.settled_at IS NULL THEN 'unsolved'
     WHEN r.settled_at <= r.rejected_at + interval '2 hours' THEN 'within_2h'
     WHEN r.settled_at <= r.rejected_at + interval '24 hours' THEN 'within_24h' ELSE 'later' END
"""
_CASES = f"""
SELECT r.reason, {_BUCKET},
       count(*), count(*) FILTER (WHERE EXISTS (
           SELECT 1 FROM analytics_purchase p WHERE p.member_id = o.member_id AND p.amount_fen >= 0
           AND p.at > r.rejected_at AND p.at <= r.rejected_at + %(again)s))
FROM delivery_rejection r JOIN delivery_delivery d ON d.id = r.delivery_id
JOIN orders_order o ON o.id = d.order_id JOIN people_member m ON m.id = o.member_id AND m.source = %(source)s
WHERE r.rejected_at + %(again)s <= %(now)s
GROUP BY 1, 2 ORDER BY 1, 2
"""
_OPEN_CASES = """
SELECT count(*) FROM delivery_rejection r JOIN delivery_delivery d ON d.id = r.delivery_id
JOIN orders_order o ON o.id = d.order_id JOIN people_member m ON m.id = o.member_id AND m.source = %(source)s
WHERE r.rejected_at + %(again)s > %(now)s
"""
_JOINED = """
SELECT to_char(m.enrolled_at AT TIME ZONE %(zone)s, 'YYYY-MM'), count(*),
       count(*) FILTER (WHERE f.first_on <= (m.enrolled_at AT TIME ZONE %(zone)s)::date + %(again_days)s)
FROM people_member m LEFT JOIN analytics_member_facts f ON f.member_id = m.id
WHERE m.source = %(source)s AND m.erased_at IS NULL
  AND (m.enrolled_at AT TIME ZONE %(zone)s)::date <= %(as_of)s GROUP BY 1
"""
# Labels of members by their first order, the level they have now, or how soon their first trouble was answered:
# member, key, name, English name.
_FIRST = """
FROM analytics_purchase p JOIN people_member m ON m.id = p.member_id AND m.source = %(source)s
JOIN analytics_member_facts f ON f.member_id = p.member_id AND f.first_on = p."on"
"""
_LABELS = {
    "scene": f"""
SELECT DISTINCT ON (p.member_id) p.member_id, s.key, s.name_zh, s.name_en
{_FIRST} JOIN orders_order o ON o.reference = p.order_number AND o.member_id = p.member_id
JOIN orders_line l ON l.order_id = o.id AND NOT l.is_gift
JOIN catalog_product g ON g.id = l.product_id JOIN catalog_scene s ON s.key = g.scene_id
WHERE p.amount_fen >= 0 ORDER BY p.member_id, p.at, p.id, l.number
""",
    "product": f"""
SELECT DISTINCT ON (p.member_id) p.member_id, l.item, l.item, l.item
{_FIRST} JOIN analytics_purchase_line l ON l.purchase_id = p.id
WHERE p.amount_fen >= 0 ORDER BY p.member_id, p.at, p.id, l.line
""",
    "level": """
SELECT m.id, v.key, v.name, v.name FROM membership_spend s JOIN membership_level v ON v.id = s.level_id
JOIN people_member m ON m.person_id = s.person_id AND m.source = %(source)s
""",
    "solving": f"""
WITH first_case AS (
    SELECT DISTINCT ON (o.member_id) o.member_id, {_BUCKET} AS bucket
    FROM delivery_rejection r JOIN delivery_delivery d ON d.id = r.delivery_id
    JOIN orders_order o ON o.id = d.order_id JOIN people_member m ON m.id = o.member_id AND m.source = %(source)s
    WHERE (r.rejected_at AT TIME ZONE %(zone)s)::date <= %(as_of)s
    ORDER BY o.member_id, r.rejected_at, r.id
)
SELECT f.member_id, coalesce(c.bucket, 'no_trouble'), '', ''
FROM analytics_member_facts f JOIN people_member m ON m.id = f.member_id AND m.source = %(source)s
LEFT JOIN first_case c ON c.member_id = f.member_id
WHERE EXISTS (SELECT 1 FROM first_case)
""",
    "gift": f"""
SELECT DISTINCT ON (p.member_id) p.member_id, CASE WHEN l.is_gift THEN 'with' ELSE 'without' END, '', ''
{_FIRST} JOIN orders_order o ON o.reference = p.order_number AND o.member_id = p.member_id
JOIN orders_line l ON l.order_id = o.id
WHERE p.amount_fen >= 0 ORDER BY p.member_id, p.at, p.id, l.is_gift DESC
""",
}
Labels = dict[int, tuple[str, str, str]]


def behaviours(source: Source, as_of: dt.date) -> dict[str, Behaviour]:
    """What members of a source did and met up to a day, as the churn forecast takes it; only kinds that occurred."""
    found = {}
    for kind, sql in _EVENTS.items():
        flat = np.fromiter((x for row in _rows(sql, source, as_of) for x in row), dtype=np.int64)
        if len(flat):
            member, day, solved = _columns(flat, 3)
            found[kind] = Behaviour(member, day, solved.astype(np.bool_))
    return found


def visit_days(source: Source, as_of: dt.date) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Member and day, a row for each day on which anything a member of the source did here was noted."""
    flat = np.fromiter((x for row in _rows(_VISITS, source, as_of) for x in row), dtype=np.int64)
    member, day = _columns(flat, 2)
    return member, day


def solving_counts(source: Source, as_of: dt.date) -> tuple[dict[str, dict[str, Tally]], int]:
    """Kind of trouble → how soon it was settled → cases; and how many cases are too young to count."""
    counts: dict[str, dict[str, Tally]] = {}
    for kind, bucket, cases, again in _rows(_CASES, source, as_of):
        counts.setdefault(kind, {})[bucket] = Tally(cases, again)
    ((young,),) = list(_rows(_OPEN_CASES, source, as_of))
    return counts, young


def joined_by_month(source: Source, as_of: dt.date) -> dict[str, tuple[int, int]]:
    """Month → how many joined, and how many of them ordered within AGAIN_DAYS."""
    return {month: (joined, ordered) for month, joined, ordered in _rows(_JOINED, source, as_of)}


def labels(kind: str, source: Source, as_of: dt.date) -> Labels:
    """Member → key and names of the scene, the product or the gift of their first order, of their level now, or of how
    soon their first trouble was answered.
    """
    seen: dict[tuple[str, str, str], tuple[str, str, str]] = {}  # a million members share a few
    return {
        member: seen.setdefault((key, zh, en), (key, zh, en))
        for member, key, zh, en in _rows(_LABELS[kind], source, as_of)
    }


def _columns(flat: NDArray[np.int64], width: int) -> list[NDArray[np.int64]]:
    table = flat.reshape(-1, width)
    return [np.ascontiguousarray(table[:, at]) for at in range(width)]


def _rows(sql: str, source: Source, as_of: dt.date) -> Iterator[tuple[Any, ...]]:
    told: dict[str, Any] = {
        "source": source.key,
        "zone": source.time_zone,
        "as_of": as_of,
        "now": clock.now(),
        "again": dt.timedelta(days=AGAIN_DAYS),
        "again_days": AGAIN_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, told)
        while rows := cursor.fetchmany(50_000):
            yield from rows
