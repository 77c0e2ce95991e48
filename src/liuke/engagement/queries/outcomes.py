"""What those drawn did afterwards, counted in the database: one statement, one pass, whatever their number.

A unit is a person, from their first draw; `since` is that moment. Their orders and returns count after it, up to the
end of their window or of what the data know. An order without a time of day counts as at the end of its day, so that
one on the day of the message is not lost.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection

from liuke.analytics import queries as analytics
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement.models import Plan
from liuke.engagement.rules import ARMS
from liuke.science.experiments import Arm, Stratum, share_by_day
from liuke.science.intervals import Sums
from liuke.science.order_log import Floats

# The first decision of each person that has an arm, whatever became of it. A person of several members counts with
# the one drawn first: nothing that came later decides who that is.
_PLAN = {
    "units": """
SELECT DISTINCT ON (d.person_id) d.person_id, d.member_id, d.arm, d.decided_at AS since,
    v.control_permyriad AS share, v.offer_worth_fen AS worth_fen
FROM engagement_decision d
JOIN engagement_run r ON r.id = d.run_id
JOIN engagement_plan_version v ON v.id = r.version_id
WHERE r.plan_id = %(plan)s AND d.arm <> '' AND d.decided_at IS NOT NULL
ORDER BY d.person_id, d.id""",
    "buys": "JOIN analytics_purchase p ON p.member_id = u.member_id",
    "sent": """
SELECT count(*) AS messages, coalesce(sum(cost_each_fen), 0) AS cost_fen
FROM (
    SELECT d.person_id, d.decided_at, v.cost_each_fen
    FROM engagement_run r
    JOIN engagement_plan_version v ON v.id = r.version_id
    JOIN engagement_decision d ON d.run_id = r.id
    JOIN engagement_message m ON m.decision_id = d.id
    WHERE r.plan_id = %(plan)s AND m.state IN ('accepted', 'unknown')
    OFFSET 0
) message JOIN units u USING (person_id)
WHERE u.arm = 'treated' AND message.decided_at < u.since + %(window)s AND u.since + %(window)s <= %(until)s""",
}
# Held out are the control; a person buys as any of their members of this source.
_HOLD_OUT = {
    "units": """
SELECT h.person_id, CASE WHEN h.is_held_out THEN 'control' ELSE 'treated' END AS arm, h.drawn_at AS since,
    h.share_permyriad AS share, 0 AS worth_fen
FROM engagement_hold_out h
WHERE EXISTS (SELECT 1 FROM people_member m WHERE m.person_id = h.person_id AND m.source = %(source)s)""",
    "buys": """
JOIN people_member m ON m.person_id = u.person_id AND m.source = %(source)s
JOIN analytics_purchase p ON p.member_id = m.id""",
    "sent": "SELECT 0 AS messages, 0 AS cost_fen",
}
# Held out of the lists are the control of those for whom some are made.
_LISTED = {
    **_HOLD_OUT,
    "units": """
SELECT l.person_id, CASE WHEN l.is_held_out THEN 'control' ELSE 'treated' END AS arm, l.since,
    l.share_permyriad AS share, 0 AS worth_fen
FROM analytics_listed l""",
}
_WATCH = """
WITH units AS MATERIALIZED ({units}),
sent AS ({sent}),
bought AS (
    SELECT u.person_id,
        count(*) FILTER (WHERE p.amount_fen >= 0) AS orders,
        sum(p.amount_fen)::bigint AS net_fen,
        min(counts.at) FILTER (WHERE p.amount_fen >= 0) AS first_at
    FROM units u {buys}
    CROSS JOIN LATERAL (
        SELECT CASE WHEN (p.at AT TIME ZONE %(zone)s)::time = '00:00'
            THEN (p."on" + 1)::timestamp AT TIME ZONE %(zone)s ELSE p.at END AS at
    ) counts
    WHERE p."on" >= (SELECT (min(since) AT TIME ZONE %(zone)s)::date FROM units)
      AND counts.at > u.since AND counts.at <= least(u.since + %(window)s, %(until)s)
    GROUP BY u.person_id
),
watched AS (
    SELECT u.share, u.arm, u.since, u.worth_fen, u.since + %(window)s <= %(until)s AS is_whole,
        floor(date_part('epoch', least(u.since + %(window)s, %(until)s) - u.since) / 86400)::int AS seen_days,
        ceil(date_part('epoch', b.first_at - u.since) / 86400)::int AS back_day, b.orders, b.net_fen
    FROM units u LEFT JOIN bought b USING (person_id)
),
-- OFFSET 0: work out `fate` once a row, and let the database know it has few values.
fated AS (
    SELECT share, arm, since, worth_fen, orders, net_fen,
        4 * greatest(least(back_day, seen_days), 0) + CASE WHEN back_day <= seen_days THEN 2 ELSE 0 END
            + is_whole::int AS fate
    FROM watched OFFSET 0
)
SELECT share, arm, fate, min(since), max(since),
    (SELECT messages FROM sent), (SELECT cost_fen FROM sent),
    count(*), count(*) FILTER (WHERE %(until)s <= since), count(*) FILTER (WHERE orders > 0),
    coalesce(sum(orders), 0), coalesce(sum(orders * orders), 0), coalesce(sum(net_fen), 0),
    coalesce(sum(abs(net_fen)), 0), coalesce(sum(net_fen::numeric * net_fen), 0),
    coalesce(sum(worth_fen) FILTER (WHERE orders > 0), 0)
FROM fated GROUP BY share, arm, fate
"""
# The last columns of _WATCH, as a Tally names them.
WHOLE_SUMS = (
    "came_back",
    "orders",
    "orders_squared",
    "net_fen",
    "money_size",
    "money_squared",
    "offers_fen",
)


@dataclass(frozen=True)
class Horizon:
    """How far the data of a source reach: the day they speak for (None without orders) and the end of it."""

    on: dt.date | None
    until: dt.datetime
    zone: ZoneInfo


@dataclass
class Tally:
    """One group of one share while its rows are added up; its sums are of whole windows alone."""

    drawn: int = 0
    unseen: int = 0
    whole: int = 0
    came_back: int = 0
    orders: int = 0
    orders_squared: int = 0
    net_fen: int = 0
    money_size: int = 0
    money_squared: int = 0
    offers_fen: int = 0
    back_on: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    left_on: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def arm(self) -> Arm:
        """As `science` reads it."""
        return Arm(
            drawn=self.drawn,
            came_back=self.came_back,
            orders=Sums(self.whole, self.orders, self.orders, self.orders_squared),
            money=Sums(self.whole, self.net_fen, self.money_size, self.money_squared),
        )


@dataclass(frozen=True)
class Outcomes:
    """What came of everyone drawn: per share of control (ten-thousandths) and arm; when they were drawn; and the
    messages that went out to the treated in their whole windows, with their cost.
    """

    tallies: dict[int, dict[str, Tally]]
    first_drawn_at: dt.datetime | None
    last_drawn_at: dt.datetime | None
    window_days: int
    messages: int
    messages_fen: int

    def total(self, name: str, arm: str | None = None) -> int:
        """One count over all shares, of one arm or both."""
        arms = (arm,) if arm else ARMS
        return sum(getattr(both[each], name) for both in self.tallies.values() for each in arms)

    def strata(self) -> list[Stratum]:
        """As `science` reads them."""
        return [
            Stratum(share / 10_000, both["treated"].arm(), both["control"].arm())
            for share, both in sorted(self.tallies.items())
        ]

    def share_back_by_day(self, arm: str) -> Floats:
        """The share of an arm that has come back after 1, 2, ... days; the strata weighed alike for both arms."""
        compared = [b for b in self.tallies.values() if b["treated"].drawn and b["control"].drawn]
        everyone = sum(_drawn(both) for both in compared)
        curves = [_curve(both[arm], self.window_days) * _drawn(both) for both in compared]
        total: Floats = np.sum(curves, axis=0) / everyone if curves else np.empty(0)
        return total


def horizon_of(source: Source) -> Horizon:
    """Up to when what members did is known: the end of the last day with an order, never later than now."""
    zone = ZoneInfo(source.time_zone)
    on = analytics.counted_until(source)
    if on is None:
        return Horizon(None, dt.datetime(1970, 1, 1, tzinfo=dt.UTC), zone)
    return Horizon(on, min(clock.end_of_day(on, zone), clock.now()), zone)


def outcomes_of_plan(plan: Plan, horizon: Horizon, window_days: int) -> Outcomes:
    """What everyone drawn by a plan did in the days after."""
    return _watch(_PLAN, {"plan": plan.pk}, horizon, window_days)


def outcomes_of_hold_out(source: Source, horizon: Horizon, window_days: int) -> Outcomes:
    """What everyone of a source did after the lot of the global hold-out was drawn for them."""
    return _watch(_HOLD_OUT, {"source": source.key}, horizon, window_days)


def outcomes_of_lists(source: Source, horizon: Horizon, window_days: int) -> Outcomes:
    """What everyone bought of a source after lists were, or would have been, made for them the first time."""
    return _watch(_LISTED, {"source": source.key}, horizon, window_days)


def _watch(
    parts: dict[str, str], told: dict[str, Any], horizon: Horizon, window_days: int
) -> Outcomes:
    told |= {
        "zone": horizon.zone.key,
        "until": horizon.until,
        "window": dt.timedelta(days=window_days),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WATCH.format(**parts), told)
        rows = cursor.fetchall()
    tallies: dict[int, dict[str, Tally]] = {}
    for share, arm, fate, _, _, _, _, *counts in rows:
        both = tallies.setdefault(share, {name: Tally() for name in ARMS})
        _add(both[arm], fate, *counts)
    return Outcomes(
        tallies=tallies,
        first_drawn_at=min((row[3] for row in rows), default=None),
        last_drawn_at=max((row[4] for row in rows), default=None),
        window_days=window_days,
        messages=int(rows[0][5]) if rows else 0,
        messages_fen=int(rows[0][6]) if rows else 0,
    )


def _add(tally: Tally, fate: int, members: int, unseen: int, *sums: int) -> None:
    """Take up one row. `fate` is four times the last day watched, plus 2 when they came back on it, plus 1 when the
    window is over.
    """
    day, rest = divmod(fate, 4)
    tally.drawn += members
    tally.unseen += unseen
    (tally.back_on if rest & 2 else tally.left_on)[day] += members
    if rest & 1:
        tally.whole += members
        for name, value in zip(WHOLE_SUMS, sums, strict=True):
            setattr(tally, name, getattr(tally, name) + int(value))


def _drawn(both: dict[str, Tally]) -> int:
    return both["treated"].drawn + both["control"].drawn


def _curve(tally: Tally, days: int) -> Floats:
    by_day = np.zeros((2, days + 1), dtype=np.int64)
    for row, counts in zip(by_day, (tally.back_on, tally.left_on), strict=True):
        for day, members in counts.items():
            row[day] = members
    return share_by_day(*by_day)
