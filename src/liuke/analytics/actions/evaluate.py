"""Say where every member of a source stands, and keep it for the pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from django.db import connection, transaction

from liuke.analytics import queries, report
from liuke.analytics.assessment import Assessment, assess
from liuke.analytics.columns import purchase_columns, to_date, to_day
from liuke.analytics.errors import NoOrdersBefore, NoOrdersYet
from liuke.analytics.models import Evaluation, RetentionPolicy, Source
from liuke.analytics.rules import STAGES
from liuke.base import clock
from liuke.people.models import Member

Json = dict[str, Any]
TOP_WARNINGS = 20

_STANDING_COLUMNS = (
    "member_id",
    "source_id",
    "as_of",
    "stage",
    "since_on",
    "next_move_on",
    "days_since_last_order",
    "orders",
    "total_fen",
    "first_on",
    "last_on",
    "r",
    "f",
    "m",
    "group_id",
    "rhythm_days",
    "still_normal",
    "is_overdue",
    "at_stake_fen",
)
_MOVE_COLUMNS = (
    "member_id",
    "stage",
    "previous_stage",
    "since_on",
    "orders",
    "last_order_on",
    "threshold_days",
    "policy_id",
)


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
        with (
            connection.cursor() as cursor
        ):  # pages are asked for at once, long before autovacuum would look
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
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE fresh_standing (LIKE analytics_standing INCLUDING DEFAULTS) ON COMMIT DROP"
        )
        with cursor.copy(
            f"COPY fresh_standing ({', '.join(_STANDING_COLUMNS)}) FROM STDIN"
        ) as copy:
            for row in _standing_rows(source, a):
                copy.write_row(row)
        cursor.execute("DELETE FROM analytics_standing WHERE source_id = %s", [source.pk])
        cursor.execute("INSERT INTO analytics_standing SELECT * FROM fresh_standing")
        cursor.execute("DROP TABLE fresh_standing")


def _standing_rows(source: Source, a: Assessment) -> Any:
    as_of = to_date(a.as_of_day)
    keys = [group.key for group in a.groups]
    values, scores, rhythm = a.values, a.scores, a.rhythm
    columns = zip(
        values.member.tolist(),
        a.moves.stage.tolist(),
        a.since_day.tolist(),
        a.moves.on_day.tolist(),
        values.days_since_last_order.tolist(),
        values.orders.tolist(),
        values.total.tolist(),
        values.first_order_day.tolist(),
        values.last_order_day.tolist(),
        scores.r.tolist(),
        scores.f.tolist(),
        scores.m.tolist(),
        a.group.tolist(),
        rhythm.rhythm_days.tolist(),
        rhythm.still_normal.tolist(),
        a.is_overdue.tolist(),
        a.at_stake.tolist(),
        strict=True,
    )
    for member, stage, since, moves_on, days, orders, total, first, last, *rest in columns:
        r, f, m, group, rhythm_days, still_normal, is_overdue, at_stake = rest
        yield (
            member,
            source.pk,
            as_of,
            stage,
            to_date(since),
            to_date(moves_on) if moves_on >= 0 else None,
            days,
            orders,
            total,
            to_date(first),
            to_date(last),
            r,
            f,
            m,
            keys[group],
            rhythm_days,
            still_normal,
            is_overdue,
            at_stake,
        )


def _store_moves(source: Source, a: Assessment, policy: RetentionPolicy) -> None:
    """Replace the dated history of the source's members: it is a function of the log and the policy."""
    h = a.history
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM analytics_stage_move mv USING people_member m"
            " WHERE m.id = mv.member_id AND m.source = %s",
            [source.key],
        )
        with cursor.copy(
            f"COPY analytics_stage_move ({', '.join(_MOVE_COLUMNS)}) FROM STDIN"
        ) as copy:
            for member, stage, before, since, orders, last, threshold in zip(
                h.member.tolist(),
                h.stage.tolist(),
                h.previous_stage.tolist(),
                h.since_day.tolist(),
                h.orders.tolist(),
                h.last_order_day.tolist(),
                h.threshold_days.tolist(),
                strict=True,
            ):
                copy.write_row(
                    (
                        member,
                        stage,
                        before if before >= 0 else None,
                        to_date(since),
                        orders,
                        to_date(last),
                        threshold,
                        policy.pk,
                    )
                )


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
