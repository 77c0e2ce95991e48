"""Say where every member of a source stands, and keep it for the pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from django.db import connection, transaction

from liuke.analytics import queries, report
from liuke.analytics.actions.segment_members import refresh_source
from liuke.analytics.actions.segments import ship_segments
from liuke.analytics.assessment import Assessment, assess
from liuke.analytics.columns import copy_in, purchase_columns, to_date, to_day
from liuke.analytics.errors import NoOrdersBefore, NoOrdersYet
from liuke.analytics.models import Evaluation, RetentionPolicy, Source
from liuke.analytics.rules import STAGES
from liuke.base import clock
from liuke.people.models import Member
from liuke.science.lifecycle import NO_STAGE
from liuke.science.order_log import NO_DAY

Json = dict[str, Any]
TOP_WARNINGS = 20

NEVER = to_day(
    dt.date(9999, 12, 31)
)  # stands for "no next move" on the way in: binary COPY has no nulls here

_FRESH_STANDINGS = """
DROP TABLE IF EXISTS fresh_standing;
CREATE TEMP TABLE fresh_standing (
    member_id bigint, stage smallint, since_on date, next_move_on date, days_since_last_order integer, orders bigint,
    total_fen bigint, first_on date, last_on date, r smallint, f smallint, m smallint, group_index integer,
    rhythm_days double precision, still_normal double precision, is_overdue boolean, at_stake_fen bigint
) ON COMMIT DROP
"""
_STORE_STANDINGS = """
INSERT INTO analytics_standing (
    member_id, source_id, as_of, stage, since_on, next_move_on, days_since_last_order, orders, total_fen, first_on,
    last_on, r, f, m, group_id, rhythm_days, still_normal, is_overdue, at_stake_fen)
SELECT member_id, %(source)s, %(as_of)s, stage, since_on, nullif(next_move_on, date '9999-12-31'),
       days_since_last_order, orders, total_fen, first_on, last_on, r, f, m, (%(groups)s::text[])[group_index],
       rhythm_days, still_normal, is_overdue, at_stake_fen
FROM fresh_standing ORDER BY member_id
"""
_FRESH_MOVES = """
DROP TABLE IF EXISTS fresh_move;
CREATE TEMP TABLE fresh_move (
    member_id bigint, stage smallint, previous_stage smallint, since_on date, orders bigint, last_order_on date,
    threshold_days integer
) ON COMMIT DROP
"""
_STORE_MOVES = """
INSERT INTO analytics_stage_move (
    member_id, stage, previous_stage, since_on, orders, last_order_on, threshold_days, policy_id)
SELECT member_id, stage, nullif(previous_stage, %(no_stage)s::smallint), since_on, orders, last_order_on,
       threshold_days, %(policy)s
FROM fresh_move
"""


def draw_report(
    *, source: Source, as_of: dt.date | None = None, warnings_shown: int | None = TOP_WARNINGS
) -> tuple[Json, Assessment]:
    """The report of a source as of a day (default: its last order, never later than today); nothing is stored.

    `warnings_shown` bounds the list of overdue members; None lists them all.

    Raises:
        NoOrdersYet: the source has none.
        NoOrdersBefore: all its orders lie after `as_of`.
    """
    as_of = as_of or queries.as_of_default(source)
    columns = purchase_columns(source.key, as_of)
    if not (columns.amount >= 0).any():
        raise _too_early(source, as_of)
    policy, groups = queries.policy(), queries.groups()
    assessment = assess(columns, as_of_day=to_day(as_of), policy=policy, groups=groups)
    spent, returned = _money(columns.amount)
    content = report.build(assessment, policy=policy, spent_fen=spent, returned_fen=returned)
    content["warnings"]["top"] = _warnings(assessment, warnings_shown)
    content["log"]["imports"] = _imports(source)
    return {**_about(source, assessment), **content}, assessment


def evaluate(*, source: Source, as_of: dt.date | None = None) -> Json:
    """Compute and store: standings, dated stage history and the report. Answers the report.

    Raises as `draw_report` does. Two evaluations of one source wait for each other.
    """
    with transaction.atomic():
        _lock(source)
        seen = queries.last_import(source)  # before reading: what comes meanwhile makes this stale
        content, assessment = draw_report(source=source, as_of=as_of)
        policy = queries.policy()
        _store_standings(source, assessment)
        _store_moves(source, assessment, policy)
        ship_segments(source)
        # Pages are asked for at once, long before autovacuum would look.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE analytics_standing, analytics_stage_move")
        Evaluation.objects.update_or_create(
            source=source,
            defaults={
                "as_of": to_date(assessment.as_of_day),
                "made_at": clock.now(),
                "policy": policy,
                "last_import": seen,
                "report": content,
            },
        )
        # After the evaluation: a log that has ended counts days from its as-of day.
        refresh_source(source)
    return content


def _too_early(source: Source, as_of: dt.date) -> Exception:
    days = queries.order_days(source)
    return NoOrdersBefore(as_of=as_of, first_on=days[0]) if days else NoOrdersYet()


def _money(amount: np.typing.NDArray[np.int64]) -> tuple[int, int]:
    return int(amount[amount >= 0].sum()), -int(amount[amount < 0].sum())


def _about(source: Source, assessment: Assessment) -> Json:
    rejected = sum(found.rejected for found in queries.imports_of(source))
    return {
        "source": {
            "key": source.key,
            "title": source.title,
            "currency": source.currency,
            "time_zone": source.time_zone,
        },
        "made_at": clock.now().isoformat(),
        "limits": report.limits(
            assessment,
            currency=source.currency,
            has_items=queries.has_items(source),
            rejected=rejected,
        ),
    }


def _lock(source: Source) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('analytics.evaluate'), %s)", [source.pk]
        )


def _store_standings(source: Source, a: Assessment) -> None:
    """Replace the standings of the source: one row a member."""
    with connection.cursor() as cursor:
        cursor.execute(_FRESH_STANDINGS)
        copy_in("fresh_standing", _standing_columns(a))
        cursor.execute("DELETE FROM analytics_standing WHERE source_id = %s", [source.pk])
        cursor.execute(
            _STORE_STANDINGS,
            {
                "source": source.pk,
                "as_of": to_date(a.as_of_day),
                "groups": [group.key for group in a.groups],
            },
        )


def _standing_columns(a: Assessment) -> dict[str, tuple[str, Any]]:
    values, scores, rhythm = a.values, a.scores, a.rhythm
    return {
        "member_id": ("bigint", values.member),
        "stage": ("smallint", a.moves.stage),
        "since_on": ("date", a.since_day),
        "next_move_on": ("date", np.where(a.moves.on_day == NO_DAY, NEVER, a.moves.on_day)),
        "days_since_last_order": ("integer", values.days_since_last_order),
        "orders": ("bigint", values.orders),
        "total_fen": ("bigint", values.total),
        "first_on": ("date", values.first_order_day),
        "last_on": ("date", values.last_order_day),
        "r": ("smallint", scores.r),
        "f": ("smallint", scores.f),
        "m": ("smallint", scores.m),
        "group_index": ("integer", a.group + 1),
        "rhythm_days": ("double", rhythm.rhythm_days),
        "still_normal": ("double", rhythm.still_normal),
        "is_overdue": ("boolean", a.is_overdue),
        "at_stake_fen": ("bigint", a.at_stake),
    }


def _store_moves(source: Source, a: Assessment, policy: RetentionPolicy) -> None:
    """Replace the dated history of the source's members: it is a function of the log and the policy."""
    h = a.history
    with connection.cursor() as cursor:
        cursor.execute(_FRESH_MOVES)
        copy_in(
            "fresh_move",
            {
                "member_id": ("bigint", h.member),
                "stage": ("smallint", h.stage),
                "previous_stage": ("smallint", h.previous_stage),
                "since_on": ("date", h.since_day),
                "orders": ("bigint", h.orders),
                "last_order_on": ("date", h.last_order_day),
                "threshold_days": ("integer", h.threshold_days),
            },
        )
        cursor.execute(
            "DELETE FROM analytics_stage_move mv USING people_member m"
            " WHERE m.id = mv.member_id AND m.source = %s",
            [source.key],
        )
        cursor.execute(_STORE_MOVES, {"policy": policy.pk, "no_stage": NO_STAGE})


def _warnings(a: Assessment, limit: int | None) -> list[Json]:
    """Overdue members, most money at stake first."""
    rows = report.most_at_stake(a, limit)
    people = Member.objects.in_bulk([int(a.values.member[row]) for row in rows])
    return [_warning(a, row, people[int(a.values.member[row])]) for row in rows]


def _warning(a: Assessment, row: int, member: Member) -> Json:
    return {
        "reference": member.reference,
        "name": member.name,
        "stage": STAGES[a.moves.stage[row]],
        "group": a.groups[a.group[row]].key,
        "orders": int(a.values.orders[row]),
        "total_fen": int(a.values.total[row]),
        "last_on": to_date(a.values.last_order_day[row]).isoformat(),
        "days_since_last_order": int(a.values.days_since_last_order[row]),
        "rhythm_days": round(float(a.rhythm.rhythm_days[row]), 2),
        "still_normal": round(float(a.rhythm.still_normal[row]), 6),
        "at_stake_fen": int(a.at_stake[row]),
    }


def _imports(source: Source) -> list[Json]:
    return [
        {
            "file_name": found.file_name,
            "lines": found.lines,
            "accepted": found.accepted,
            "rejected": found.rejected,
            "rounded": found.rounded,
            "orders_new": found.orders_new,
            "orders_known": found.orders_known,
            "finished_at": found.finished_at.isoformat(),
        }
        for found in queries.imports_of(source)
    ]
