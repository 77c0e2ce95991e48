"""How fast does the stored membership follow, when something of a few members is new?

20 segments over members with orders: the 8 shipped ones, and 12 of windows, waits, dwell, running figures, and another
segment. Three times 10,000 orders come in, each lot of other members; the news of them is judged by the product's own
`refresh_changed`. The yardstick is what there would be without a stored
membership: the 20 statements, each asked once of everyone. Afterwards the stored membership has to equal them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cap import throwaway_site

SHORT, FULL = 50_000, 1_000_000
ORDERS_EACH, EVENTS = 3, 10_000
TIMES = 3

_MEMBERS = """
INSERT INTO people_member (id, person_id, reference, source, external_id, enrolled_at)
SELECT n, n, 'M' || n, 'site', 'm' || n, %(at)s FROM generate_series(1, %(members)s) n;
INSERT INTO analytics_purchase (member_id, digest, at, "on", amount_fen, quantity)
SELECT n, k, %(at)s, %(today)s::date - ((n::bigint * 7919 + k * 104729) %% 200)::int, 100 + (n::bigint * k) %% 30000, 1
FROM generate_series(1, %(members)s) n, generate_series(1, %(each)s) k
"""
_STANDINGS = """
INSERT INTO analytics_standing (member_id, source_id, as_of, stage, since_on, days_since_last_order, orders, total_fen,
    first_on, last_on, r, f, m, group_id, rhythm_days, still_normal, is_overdue, at_stake_fen)
SELECT f.member_id, %(source)s, %(today)s, (%(today)s::date - f.last_on) / 30 %% 4,
    %(today)s::date - (f.member_id %% 40)::int, %(today)s::date - f.last_on, f.orders, f.spent_fen, f.first_on,
    f.last_on,
    1 + f.member_id %% 5, 1 + f.member_id %% 5, 1 + f.member_id %% 5, 'fresh', 10, 0.5, f.member_id %% 9 = 0, 0
FROM analytics_member_facts f ORDER BY f.member_id
"""
_FACTS = "INSERT INTO analytics_member_facts (member_id, {columns}) SELECT member_id, {columns} FROM ({recount}) c"
_EVENTS = """
INSERT INTO analytics_purchase (member_id, digest, at, "on", amount_fen, quantity)
SELECT 1 + (n::bigint * 97 + %(time)s * 31) %% %(members)s, 1000 + %(time)s, %(at)s, %(today)s,
    1000 + (n * 37) %% 9000, 1
FROM generate_series(1, %(events)s) n ON CONFLICT DO NOTHING RETURNING id
"""


def rules() -> list[dict[str, Any]]:
    """11 rules that read orders, facts, dwell and time, beside the 8 shipped ones, which read the standing."""

    def within(days: int, least: int) -> dict[str, Any]:
        return {"fact": "orders_within", "days": days, "min": least}

    def paid(days: int, least: int) -> dict[str, Any]:
        return {"fact": "paid_within_fen", "days": days, "min": least}

    def quiet(least: int, most: int | None = None) -> dict[str, Any]:
        return {"fact": "days_without_order", "min": least} | ({"max": most} if most else {})

    dwells = {"fact": "days_in_stage", "stage": "silent", "min": 7}
    return [
        within(30, 3), within(7, 1), {"not": within(30, 1)}, paid(90, 20_000), quiet(30), quiet(7, 29),
        {"and": [paid(90, 20_000), {"not": within(30, 1)}]}, {"and": [dwells, quiet(30)]},
        {"fact": "spent_ever_fen", "min": 50_000}, {"and": [{"fact": "overdue"}, quiet(30, 90)]},
        {"or": [paid(30, 30_000), within(30, 3)]},
    ]  # fmt: skip


def run(members: int) -> dict[str, Any]:
    """Seconds of the refreshing and of the yardstick, and whether both say the same."""
    from django.db import connection

    from liuke.analytics import queries
    from liuke.analytics.actions.count_orders import count_purchases
    from liuke.analytics.actions.segment_members import refresh_changed, refresh_source
    from liuke.analytics.actions.segments import save_segment, ship_segments
    from liuke.analytics.models import MemberSegments, Segment

    source = _fill(members)
    ship_segments(source)
    began, made = time.perf_counter(), queries.segments(source)
    refresh_source(source)
    own = [_saved(save_segment, source, str(number), rule) for number, rule in enumerate(rules())]
    last = {"and": [{"fact": "segment", "is": own[4].reference}, {"fact": "r", "min": 3}]}
    made += [*own, _saved(save_segment, source, "nested", last)]
    filled = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    took = []
    for number in range(TIMES):
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, {**_told(members), "time": number, "events": EVENTS})
            fresh = [row[0] for row in cursor.fetchall()]
        count_purchases(purchase_ids=fresh)
        began = time.perf_counter()
        refresh_changed()
        took.append(time.perf_counter() - began)
    began, whole = time.perf_counter(), []
    for segment in made:
        whole.append(queries.audience(source, segment.rule).count())
    yardstick = time.perf_counter() - began
    stored = [queries.segment_size(segment) for segment in made]
    counted = [Segment.objects.get(pk=segment.pk).members for segment in made]
    return {
        "members": members,
        "segments": len(made),
        "events": EVENTS,
        "refresh_seconds": round(min(took), 2),
        "refresh_seconds_each_time": [round(each, 2) for each in took],
        "filling_seconds": round(filled, 1),
        "yardstick_seconds": round(yardstick, 2),
        "times_faster": round(yardstick / min(took), 1),
        "stored_rows": MemberSegments.objects.count(),
        "equals_the_statements": stored == whole == counted,
    }


def _saved(save_segment: Any, source: Any, name: str, rule: dict[str, Any]) -> Any:
    return save_segment(source=source, name=name, filter={"version": 1, "rule": rule}, by=None)


def _told(members: int) -> dict[str, Any]:
    from liuke.base import clock

    return {"members": members, "each": ORDERS_EACH, "at": clock.now(), "today": clock.today()}


def _fill(members: int) -> Any:
    from django.db import connection

    from liuke.analytics.invariants import FACT_COLUMNS, RECOUNT
    from liuke.analytics.models import Source
    from liuke.base import clock

    source = Source.objects.create(
        key="site", title="site", currency="CNY", time_zone="Asia/Shanghai", opened_at=clock.now()
    )
    with connection.cursor() as cursor:
        for statement in _MEMBERS.split(";\n"):
            cursor.execute(statement, _told(members))
        columns = ", ".join(FACT_COLUMNS)
        cursor.execute(_FACTS.format(columns=columns, recount=RECOUNT))
        cursor.execute(_STANDINGS, {**_told(members), "source": source.pk})
        cursor.execute("ANALYZE")
    return source


if __name__ == "__main__":
    with throwaway_site():
        print(json.dumps(run(FULL if "--full" in sys.argv else SHORT), indent=2))
