"""What do we tell the operator? One plain structure, the same for the page, the file and the command line.

Everything here is numbers, dates and keys; interfaces turn keys into sentences of the reader's language. A headline
is present only when it was computed, and a limit only when it applies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from liuke.analytics.assessment import FLOW_DAYS, Assessment
from liuke.analytics.columns import to_date
from liuke.analytics.models import RetentionPolicy
from liuke.analytics.rules import STAGES
from liuke.science.cohorts import CohortTable
from liuke.science.intervals import concentration, rate_difference
from liuke.science.lifecycle import NOT_YET_A_MEMBER

TOP_SHARE = 0.2
RECENT_COHORTS = 3
SHORT_LOG_DAYS = 180

Json = dict[str, Any]


def build(a: Assessment, *, policy: RetentionPolicy, spent_fen: int, returned_fen: int) -> Json:
    """The part of the report that follows from an assessment alone."""
    stages = {
        stage: {
            "members": int((a.moves.stage == code).sum()),
            "total_fen": int(a.values.total[a.moves.stage == code].sum()),
        }
        for code, stage in enumerate(STAGES)
    }
    return {
        "as_of": to_date(a.as_of_day).isoformat(),
        "previous_on": to_date(a.flow_from_day).isoformat(),
        "log": _log(a, spent_fen, returned_fen),
        "rules": _rules(policy),
        "stages": stages,
        "flow": _flow(a),
        "cohorts": cohorts(a.cohorts),
        "rfm": {"grid": _grid(a), "cuts": _cuts(a), "groups": _groups(a)},
        "rhythm": {
            "typical_days": a.fit.typical_days,
            "weight": a.fit.weight,
            "enough_data": a.fit.enough_data,
        },
        "repeat": _repeat(a),
        "concentration": {
            "top_share": TOP_SHARE,
            "money_share": concentration(a.values.total, TOP_SHARE).share,
        },
        "warnings": {
            "members": int(a.is_overdue.sum()),
            "at_stake_fen": int(a.at_stake[a.is_overdue].sum()),
            "horizon_days": policy.stake_horizon_days,
            "still_normal_max": policy.warn_normal_permille / 1000,
            "min_orders": policy.warn_orders_min,
        },
        "headlines": _headlines(a, stages, policy),
    }


def most_at_stake(a: Assessment, limit: int | None = None) -> list[int]:
    """Rows of overdue members, most money first, then longest wait against their rhythm, then id."""
    rows = np.flatnonzero(a.is_overdue)
    order = np.lexsort((a.values.member[rows], a.rhythm.still_normal[rows], -a.at_stake[rows]))
    return [int(row) for row in rows[order][:limit]]


def _log(a: Assessment, spent_fen: int, returned_fen: int) -> Json:
    values = a.values
    return {
        "first_on": to_date(values.first_order_day.min()).isoformat(),
        "last_on": to_date(values.last_order_day.max()).isoformat(),
        "members": len(values.member) + a.return_only_members,
        "orders": int(values.orders.sum()),
        "spent_fen": spent_fen,
        "returned_fen": returned_fen,
        "total_fen": spent_fen - returned_fen,
    }


def _rules(policy: RetentionPolicy) -> Json:
    return {
        "version": policy.version,
        "silent_after_days": policy.silent_after_days,
        "churned_after_days": policy.churned_after_days,
        "return_grace_days": policy.return_grace_days,
        "middle_orders_min": policy.middle_orders_min,
        "middle_orders_max": policy.middle_orders_max,
    }


def _flow(a: Assessment) -> Json:
    names = {NOT_YET_A_MEMBER: "none", **dict(enumerate(STAGES))}
    return {
        "from_on": to_date(a.flow_from_day).isoformat(),
        "to_on": to_date(a.as_of_day).isoformat(),
        "cells": [
            {"from": names[was], "to": STAGES[now], "members": int(a.flow[was, now])}
            for was in (NOT_YET_A_MEMBER, *range(len(STAGES)))
            for now in range(len(STAGES))
            if a.flow[was, now]
        ],
    }


def cohorts(table: CohortTable) -> Json:
    """A cohort table as the pages take it."""
    rows = [
        {
            "period": str(label),
            "members": int(table.sizes[row]),
            "cells": [
                {"age": age, "returned": int(count), "finished": bool(table.finished[row, age])}
                for age, count in enumerate(table.returned[row])
                if count >= 0
            ],
        }
        for row, label in enumerate(table.cohort)
    ]
    mean = [
        {"age": age, "returned": int(table.mean_returned[age]), "members": int(members)}
        for age, members in enumerate(table.mean_members)
        if members
    ]
    return {"period": table.period, "ages": table.returned.shape[1], "rows": rows, "mean": mean}


def _grid(a: Assessment) -> list[list[Json]]:
    return [
        [
            {"members": int(cell.sum()), "total_fen": int(a.values.total[cell].sum())}
            for r in range(1, 6)
            for cell in [(a.scores.f == f) & (a.scores.r == r)]
        ]
        for f in range(1, 6)
    ]


def _cuts(a: Assessment) -> Json:
    """For each score 1 to 5 the smallest and largest value that got it, or null."""

    def spans(scores: Any, values: Any) -> list[list[int] | None]:
        return [
            [int(values[scores == s].min()), int(values[scores == s].max())]
            if (scores == s).any()
            else None
            for s in range(1, 6)
        ]

    return {
        "r": spans(a.scores.r, a.values.days_since_last_order),
        "f": spans(a.scores.f, a.values.orders),
        "m": spans(a.scores.m, a.values.total),
    }


def _groups(a: Assessment) -> list[Json]:
    return [
        {
            "key": group.key,
            "name": group.name,
            "action": group.action,
            "members": int((a.group == index).sum()),
            "orders": int(a.values.orders[a.group == index].sum()),
            "total_fen": int(a.values.total[a.group == index].sum()),
            "bounds": group.bounds(),
        }
        for index, group in enumerate(a.groups)
    ]


def _repeat(a: Assessment) -> Json:
    gaps = a.second_order_days
    return {
        "once": int((a.values.orders == 1).sum()),
        "more": int((a.values.orders > 1).sum()),
        "second_order_median_days": int(np.sort(gaps)[(len(gaps) - 1) // 2]) if len(gaps) else None,
    }


def _headlines(a: Assessment, stages: Json, policy: RetentionPolicy) -> list[Json]:
    members = len(a.values.member)
    here = stages["new"]["members"] + stages["active"]["members"]
    gone = stages["silent"]["members"] + stages["churned"]["members"]
    repeat = _repeat(a)
    lines: list[Json | None] = [
        _line("who_is_here", members=members, active=here, share=here / members),
        _line(
            "silent_and_churned",
            silent=stages["silent"]["members"],
            churned=stages["churned"]["members"],
            share=gone / members,
        ),
        _line(
            "second_order",
            once=repeat["once"],
            more=repeat["more"],
            share=repeat["more"] / members,
            median_days=repeat["second_order_median_days"],
        )
        if repeat["second_order_median_days"] is not None
        else None,
        _concentrated(a),
        _overdue(a, policy),
        _moved(a),
        _cohort_change(a),
    ]
    return [line for line in lines if line]


def _line(key: str, **params: Any) -> Json:
    return {"key": key, "params": params}


def _concentrated(a: Assessment) -> Json | None:
    if len(a.values.member) < 10:
        return None
    found = concentration(a.values.total, TOP_SHARE)
    if not found.money:
        return None
    return _line("money_concentrated", top_share=TOP_SHARE, money_share=found.share)


def _overdue(a: Assessment, policy: RetentionPolicy) -> Json | None:
    members = int(a.is_overdue.sum())
    if not members:
        return None
    stake = int(a.at_stake[a.is_overdue].sum())
    return _line(
        "overdue", members=members, at_stake_fen=stake, horizon_days=policy.stake_horizon_days
    )


def _moved(a: Assessment) -> Json | None:
    here, gone = slice(0, 2), slice(2, 4)
    fell, back = int(a.flow[here, gone].sum()), int(a.flow[gone, here].sum())
    if not fell and not back:
        return None
    return _line("moved", fell_silent=fell, came_back=back, days=FLOW_DAYS)


def _cohort_change(a: Assessment) -> Json | None:
    """Do the last finished cohorts come back in their next month more, or less, than those before?

    Newcombe's interval for the difference; "unclear" when it holds zero.
    """
    table = a.cohorts
    if table.returned.shape[1] < 2:
        return None
    rows = np.flatnonzero(table.finished[:, 1])
    recent, before = rows[-RECENT_COHORTS:], rows[:-RECENT_COHORTS]
    if len(before) < RECENT_COHORTS:
        return None
    counts = [int(table.returned[part, 1].sum()) for part in (recent, before)]
    sizes = [int(table.sizes[part].sum()) for part in (recent, before)]
    found = rate_difference(counts[0], sizes[0], counts[1], sizes[1])
    direction = "up" if found.low > 0 else "down" if found.high < 0 else "unclear"
    return _line(
        "cohort_change",
        recent_share=counts[0] / sizes[0],
        before_share=counts[1] / sizes[1],
        recent_members=sizes[0],
        recent_cohorts=len(recent),
        low=found.low,
        high=found.high,
        direction=direction,
        age=1,
    )


def limits(a: Assessment, *, currency: str, has_items: bool, rejected: int) -> list[Json]:
    """What the data cannot say, as keys with parameters."""
    first, last = to_date(a.values.first_order_day.min()), to_date(a.values.last_order_day.max())
    days = (last - first).days + 1
    found: list[Json | None] = [
        _line("no_logins"),
        _line("log_begins", first_on=first.isoformat()),
        _line("short_log", days=days) if days < SHORT_LOG_DAYS else None,
        _line("unfinished_periods") if not a.cohorts.finished.all() else None,
        _line("unit_thresholds", currency=currency) if currency != "CNY" else None,
        _line("no_items") if not has_items else None,
        _line("returns_reduce_money", returns=int(a.values.returns.sum()))
        if a.values.returns.any()
        else None,
        _line("rhythm_assumed") if not a.fit.enough_data else None,
        _line("rejected_lines", lines=rejected) if rejected else None,
    ]
    return [line for line in found if line]
