"""What those drawn did afterwards, counted in the database: one statement, one pass, whatever their number.

A unit is a person, from their first draw; `since` is that moment. Their orders and returns count after it, up to the
end of their window or of what the data know. An order without a time of day counts as at the end of its day, so that
one on the day of the message is not lost.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection

from liuke.analytics import queries as analytics
from liuke.analytics.errors import NoOrdersYet
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement.models import Plan
from liuke.engagement.rules import ARMS
from liuke.science.experiments import Arm, Stratum, share_by_day
from liuke.science.intervals import Sums
from liuke.science.order_log import Floats

# The first decision of each person that has an arm, whatever became of it. A person of several members counts with
# the one drawn first: nothing that came later decides who that is.
PLAN_UNITS = """
SELECT DISTINCT ON (d.person_id) d.person_id, d.member_id, d.arm, d.decided_at AS since,
    v.control_permyriad AS share, v.offer_worth_fen AS worth_fen
FROM engagement_decision d
JOIN engagement_run r ON r.id = d.run_id
JOIN engagement_plan_version v ON v.id = r.version_id
WHERE r.plan_id = %(plan)s AND d.arm <> '' AND d.decided_at IS NOT NULL
ORDER BY d.person_id, d.id
"""
# Held out are the control; a person buys as any of their members of this source.
HOLD_OUT_UNITS = """
SELECT h.person_id, m.id AS member_id, CASE WHEN h.is_held_out THEN 'control' ELSE 'treated' END AS arm,
    h.drawn_at AS since, h.share_permyriad AS share, 0 AS worth_fen
FROM engagement_hold_out h JOIN people_member m ON m.person_id = h.person_id
WHERE m.source = %(source)s
"""
_WATCH = """
WITH units AS MATERIALIZED ({units}),
bought AS (
    SELECT u.person_id,
        count(*) FILTER (WHERE p.amount_fen >= 0) AS orders,
        sum(p.amount_fen) AS net_fen,
        min(counts.at) FILTER (WHERE p.amount_fen >= 0) AS first_at
    FROM units u
    JOIN analytics_purchase p ON p.member_id = u.member_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN (p.at AT TIME ZONE %(zone)s)::time = '00:00'
            THEN (p."on" + 1)::timestamp AT TIME ZONE %(zone)s ELSE p.at END AS at
    ) counts
    WHERE p."on" >= (u.since AT TIME ZONE %(zone)s)::date
      AND counts.at > u.since AND counts.at <= least(u.since + %(window)s, %(until)s)
    GROUP BY u.person_id
),
watched AS (
    SELECT u.share, u.arm, u.since, u.worth_fen, u.since + %(window)s <= %(until)s AS is_whole,
        greatest(floor(extract(epoch FROM least(u.since + %(window)s, %(until)s) - u.since) / 86400), 0) AS seen_days,
        ceil(extract(epoch FROM b.first_at - u.since) / 86400) AS back_day,
        coalesce(b.orders, 0) AS orders, coalesce(b.net_fen, 0) AS net_fen
    FROM (SELECT DISTINCT ON (person_id) * FROM units ORDER BY person_id) u
    LEFT JOIN bought b USING (person_id)
)
SELECT share, arm, is_whole, coalesce(back_day <= seen_days, false) AS is_back,
    least(coalesce(back_day, seen_days), seen_days)::int AS day, min(since), max(since),
    count(*), count(*) FILTER (WHERE %(until)s <= since), count(*) FILTER (WHERE orders > 0),
    sum(orders), sum(orders * orders), sum(net_fen), sum(abs(net_fen)), sum(net_fen * net_fen),
    coalesce(sum(worth_fen) FILTER (WHERE orders > 0), 0)
FROM watched GROUP BY 1, 2, 3, 4, 5
"""
_SENT = """
SELECT count(*), coalesce(sum(v.cost_each_fen), 0)
FROM ({units}) u
JOIN engagement_decision d ON d.person_id = u.person_id AND d.decided_at < u.since + %(window)s
JOIN engagement_run r ON r.id = d.run_id AND r.plan_id = %(plan)s
JOIN engagement_plan_version v ON v.id = r.version_id
JOIN engagement_message m ON m.decision_id = d.id AND m.state IN ('accepted', 'unknown')
WHERE u.arm = 'treated' AND u.since + %(window)s <= %(until)s
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
    """What came of everyone drawn: per share of control (ten-thousandths) and arm, and when they were drawn."""

    tallies: dict[int, dict[str, Tally]]
    first_drawn_at: dt.datetime | None
    last_drawn_at: dt.datetime | None
    window_days: int

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
    try:
        on = analytics.as_of_default(source)
    except NoOrdersYet:
        return Horizon(None, dt.datetime(1970, 1, 1, tzinfo=dt.UTC), zone)
    return Horizon(on, min(clock.end_of_day(on, zone), clock.now()), zone)


def outcomes_of_plan(plan: Plan, horizon: Horizon, window_days: int) -> Outcomes:
    """What everyone drawn by a plan did in the days after."""
    return _watch(PLAN_UNITS, {"plan": plan.pk}, horizon, window_days)


def outcomes_of_hold_out(source: Source, horizon: Horizon, window_days: int) -> Outcomes:
    """What everyone of a source did after the lot of the global hold-out was drawn for them."""
    return _watch(HOLD_OUT_UNITS, {"source": source.key}, horizon, window_days)


def messages_of_plan(plan: Plan, horizon: Horizon, window_days: int) -> tuple[int, int]:
    """How many messages the treated with a whole window got in it, and what they cost, in minor units."""
    told: dict[str, Any] = {
        "plan": plan.pk,
        "until": horizon.until,
        "window": dt.timedelta(days=window_days),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SENT.format(units=PLAN_UNITS), told)
        messages, cost = cursor.fetchone()
    return int(messages), int(cost)


def _watch(units: str, told: dict[str, Any], horizon: Horizon, window_days: int) -> Outcomes:
    told |= {
        "zone": horizon.zone.key,
        "until": horizon.until,
        "window": dt.timedelta(days=window_days),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WATCH.format(units=units), told)
        rows = cursor.fetchall()
    tallies: dict[int, dict[str, Tally]] = {}
    for share, arm, *counts in rows:
        both = tallies.setdefault(share, {name: Tally() for name in ARMS})
        _add(both[arm], counts)
    return Outcomes(
        tallies=tallies,
        first_drawn_at=min((row[5] for row in rows), default=None),
        last_drawn_at=max((row[6] for row in rows), default=None),
        window_days=window_days,
    )


def _add(tally: Tally, row: Sequence[Any]) -> None:
    is_whole, is_back, day, _, _, members, unseen, *sums = row
    tally.drawn += members
    tally.unseen += unseen
    (tally.back_on if is_back else tally.left_on)[day] += members
    if is_whole:
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
