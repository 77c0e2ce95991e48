"""How often was what shown, clicked and bought, and what became of new, helped and higher members? Counts alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from liuke.analytics.models import Evaluation, Listed, ShowingReport
from liuke.analytics.showing import ATTRIBUTED_DAYS
from liuke.base import clock
from liuke.people.rules import SITE_SOURCE

RETURN_DAYS, LEVEL_DAYS = 30, 90
FAST_HOURS, SLOW_HOURS = 2, 24

# A line is attributed once: to the latest click on its product within a week before it was paid.
_COUNTS = """
WITH shown AS MATERIALIZED (
    SELECT s.person_id, s."on", s.slot, f.product, f.reason, f.product = ANY (s.clicks) AS is_clicked
    FROM analytics_showing s CROSS JOIN LATERAL unnest(s.products, s.reasons) AS f (product, reason)
    WHERE s."on" BETWEEN %(first)s AND %(last)s
), bought AS (
    SELECT DISTINCT ON (l.id) c.person_id, c."on", c.slot, c.product, l.total_fen
    FROM shown c
    JOIN orders_order o ON o.person_id = c.person_id AND o.guest_index IS NULL AND o.state <> 'refunded'
        AND (o.paid_at AT TIME ZONE %(zone)s)::date BETWEEN c."on" AND c."on" + %(days)s
    JOIN orders_line l ON l.order_id = o.id AND l.product_id = c.product AND NOT l.is_gift
    WHERE c.is_clicked
    ORDER BY l.id, c."on" DESC, c.slot
), worth AS (
    SELECT person_id, "on", slot, product, sum(total_fen) AS total_fen FROM bought GROUP BY 1, 2, 3, 4
)
SELECT s.slot, s.reason, count(*), count(*) FILTER (WHERE s.is_clicked), count(w.product),
       coalesce(sum(w.total_fen), 0)::bigint
FROM shown s LEFT JOIN worth w ON (w.person_id, w."on", w.slot, w.product) = (s.person_id, s."on", s.slot, s.product)
GROUP BY 1, 2 ORDER BY 1, 2
"""
_PERSONS = """
SELECT count(DISTINCT person_id), min("on") FROM analytics_showing WHERE "on" BETWEEN %(first)s AND %(last)s
"""
_PAID = "o.paid_at IS NOT NULL AND o.guest_index IS NULL AND o.state <> 'refunded'"
# Members of our own who came 30 days ago or longer: did they order within 30 days, and did buyers order again?
_NEW = f"""
WITH came AS (
    SELECT id, enrolled_at FROM people_member
    WHERE source = 'site' AND id = person_id AND erased_at IS NULL AND external_id NOT LIKE 'guest:%%'
), bought AS (
    SELECT o.person_id, min(o.paid_at) AS first_at FROM orders_order o WHERE {_PAID} GROUP BY 1
)
SELECT count(*) FILTER (WHERE c.enrolled_at <= %(whole)s),
       count(*) FILTER (WHERE c.enrolled_at <= %(whole)s AND b.first_at <= c.enrolled_at + %(window)s),
       count(*) FILTER (WHERE b.first_at <= %(whole)s),
       count(*) FILTER (WHERE b.first_at <= %(whole)s AND EXISTS (
           SELECT 1 FROM orders_order o WHERE o.person_id = c.id AND {_PAID}
             AND o.paid_at > b.first_at AND o.paid_at <= b.first_at + %(window)s))
FROM came c LEFT JOIN bought b ON b.person_id = c.id
"""
# What was rejected and settled 30 days ago or longer: did the member order within 30 days after?
_SOLVED = f"""
WITH solved AS (
    SELECT r.person_id, r.settled_at, extract(epoch FROM r.settled_at - r.rejected_at) / 3600 AS hours
    FROM delivery_rejection r WHERE r.settled_at <= %(whole)s
), seen AS (
    SELECT s.hours, EXISTS (SELECT 1 FROM orders_order o WHERE o.person_id = s.person_id AND {_PAID}
        AND o.paid_at > s.settled_at AND o.paid_at <= s.settled_at + %(window)s) AS came_back
    FROM solved s
)
SELECT count(*) FILTER (WHERE hours <= %(fast)s), count(*) FILTER (WHERE hours <= %(fast)s AND came_back),
       count(*) FILTER (WHERE hours > %(slow)s), count(*) FILTER (WHERE hours > %(slow)s AND came_back)
FROM seen
"""
# Who had ordered before the last 90 days: how often in them, by whether their level is above the lowest.
_LEVELS = f"""
WITH known AS (
    SELECT o.person_id, coalesce(max(l.position), 0) > 0 AS is_higher,
           count(*) FILTER (WHERE o.paid_at > %(since)s) AS orders
    FROM orders_order o
    LEFT JOIN membership_spend sp ON sp.person_id = o.person_id LEFT JOIN membership_level l ON l.id = sp.level_id
    WHERE {_PAID} GROUP BY o.person_id HAVING min(o.paid_at) <= %(since)s
)
SELECT count(*) FILTER (WHERE is_higher), coalesce(sum(orders) FILTER (WHERE is_higher), 0)::bigint,
       count(*) FILTER (WHERE is_higher AND orders = 0),
       count(*) FILTER (WHERE NOT is_higher), coalesce(sum(orders) FILTER (WHERE NOT is_higher), 0)::bigint,
       count(*) FILTER (WHERE NOT is_higher AND orders = 0)
FROM known
"""


@dataclass(frozen=True)
class Count:
    """One reason in one slot. A product counts once a day and member; `bought` within a week of the click."""

    slot: str
    reason: str
    shown: int
    clicked: int
    bought: int
    money_fen: int


@dataclass(frozen=True)
class NewMembers:
    """Of those who `came`, who `ordered` within 30 days; of those who `bought` first, who `stayed` to order again."""

    came: int
    ordered: int
    bought: int
    stayed: int


@dataclass(frozen=True)
class SolvedTroubles:
    """Rejections settled within two hours, and after more than a day; after how many the member ordered again."""

    fast: int
    fast_back: int
    slow: int
    slow_back: int


@dataclass(frozen=True)
class LevelGroup:
    """Persons of some levels, what they ordered in the last 90 days, and how many of them nothing."""

    persons: int
    orders: int
    gone: int


def counts(first: dt.date, last: dt.date) -> list[Count]:
    """What was shown from a day to a day, both included."""
    told: dict[str, Any] = {
        "first": first,
        "last": last,
        "zone": settings.TIME_ZONE,
        "days": ATTRIBUTED_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, told)
        return [Count(*row) for row in cursor.fetchall()]


def persons_shown(first: dt.date, last: dt.date) -> tuple[int, dt.date | None]:
    """How many persons were shown something in these days, and on which day the first."""
    with connection.cursor() as cursor:
        cursor.execute(_PERSONS, {"first": first, "last": last})
        persons, day = cursor.fetchone()
    return persons, day


def new_members() -> NewMembers:
    """Those of whom 30 days are known."""
    return NewMembers(*_one(_NEW))


def solved_troubles() -> SolvedTroubles:
    """Those settled at least 30 days ago."""
    return SolvedTroubles(*_one(_SOLVED))


def level_groups() -> tuple[LevelGroup, LevelGroup]:
    """Members above the lowest level, and those on it."""
    figures = _one(_LEVELS)
    return LevelGroup(*figures[:3]), LevelGroup(*figures[3:])


def showing_report() -> ShowingReport | None:
    """What came of it, as counted last; None before the first time."""
    return ShowingReport.objects.order_by("on").last()


def lists_are_stale() -> bool:
    """Whether it is time to make the lists anew: there are none of today, or the site was evaluated since."""
    found = ShowingReport.objects.filter(on=clock.today()).first()
    if found is None:
        return True
    return Evaluation.objects.filter(source__key=SITE_SOURCE, made_at__gt=found.made_at).exists()


def listed_persons() -> int:
    """For how many lists are made."""
    return Listed.objects.filter(is_held_out=False).count()


def _one(sql: str) -> list[int]:
    told: dict[str, Any] = {
        "whole": clock.now() - dt.timedelta(days=RETURN_DAYS),
        "window": dt.timedelta(days=RETURN_DAYS),
        "since": clock.now() - dt.timedelta(days=LEVEL_DAYS),
        "fast": FAST_HOURS,
        "slow": SLOW_HOURS,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, told)
        return [int(figure) for figure in cursor.fetchone()]
