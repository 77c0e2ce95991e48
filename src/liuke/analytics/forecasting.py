"""What may come of every member, and how their beginnings went on: purchases in; arrays and plain figures out.

All arithmetic is `liuke.science`; this module only puts its parts together. Nothing is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuke.analytics import report
from liuke.analytics.columns import PurchaseColumns, to_date
from liuke.analytics.rules import FORECAST_DAYS
from liuke.science.churn.behaviour import Behaviour
from liuke.science.churn.forecast import ChurnForecast, forecast
from liuke.science.cohorts import cohort_retention, returns_by_label
from liuke.science.errors import NotEnoughData
from liuke.science.order_log import read_member_days, run_starts
from liuke.science.solving import BUCKETS, SolvingEffect, Tally, solving_effect
from liuke.science.value import (
    ValueForecast,
    ValueRange,
    doubled_odds_gain,
    value_forecast,
    value_range,
)

WEEKS_TOLD, MONTHS_TOLD = 26, 60
LABELS_TOLD = 8
FIRST_MONTHS = 12
LEAST_MEMBERS = 10
"""A label with fewer members than these is among the others."""

Json = dict[str, Any]
Floats = NDArray[np.float64]
Labels = Mapping[int, tuple[str, str, str]]


@dataclass(frozen=True)
class Ahead:
    """Row for row: members with an order, sorted by id, as in `churn.member`. `value` is None with too few orders."""

    churn: ChurnForecast
    value: ValueForecast | None
    range: ValueRange | None
    recoverable: Floats | None


def look_ahead(
    columns: PurchaseColumns, behaviours: Mapping[str, Behaviour], as_of_day: int
) -> Ahead:
    """Forecasts for everybody as of the end of a day."""
    rows = (columns.member, columns.day, columns.amount)
    churn = forecast(*rows, as_of_day, FORECAST_DAYS, signals=behaviours)
    try:
        value = value_forecast(*rows, as_of_day, FORECAST_DAYS)
    except NotEnoughData:
        return Ahead(churn, None, None, None)
    if_they_order = value.money / np.maximum(value.chance, 1e-12)
    gain = doubled_odds_gain(1 - churn.probability)
    return Ahead(
        churn=churn,
        value=value,
        range=value_range(*rows, as_of_day, FORECAST_DAYS, value.total),
        recoverable=np.floor(if_they_order * gain),
    )


def value_told(ahead: Ahead) -> Json:
    """The value forecast of all members together."""
    if ahead.value is None or ahead.range is None:
        return {"enough": False}
    low, high = ahead.range.low, ahead.range.high
    return {
        "enough": True,
        "total_fen": round(ahead.value.total),
        "orders": float(ahead.value.orders.sum()),
        "low_fen": None if low is None else round(low),
        "high_fen": None if high is None else round(high),
        "error": ahead.range.error,
        "converged": ahead.value.converged,
        "past": [
            {
                "as_of": to_date(each.as_of_day).isoformat(),
                "forecast_fen": round(each.forecast),
                "actual_fen": round(each.actual),
            }
            for each in ahead.range.past
        ],
    }


def reliability_told(churn: ChurnForecast) -> list[Json]:
    """What was said and what came, by tenths of the members."""
    return [asdict(each) for each in churn.backtest.reliability] if churn.backtest else []


def cohorts_told(
    columns: PurchaseColumns, labels: Mapping[str, Labels], as_of_day: int
) -> dict[str, Json]:
    """Cohort tables by `period.choice`: all, and by each kind of label that anybody has."""
    rows = (columns.member, columns.day, columns.amount)
    members = read_member_days(*rows, as_of_day).with_orders().member
    members = members[run_starts(members)]
    found = _by_period("all", rows, as_of_day)
    for kind, given in labels.items():
        if not given:
            continue
        names, label = _labelled(members, given)
        for period, ages in zip(_PERIODS, (24, WEEKS_TOLD), strict=True):
            split = returns_by_label(
                *rows, label, labels=len(names), ages=ages, period=period, as_of_day=as_of_day
            )
            sizes = np.bincount(label, minlength=len(names))
            found[f"{period}.{kind}"] = {
                "period": period,
                "ages": ages,
                "rows": [
                    _split_row(name, int(sizes[at]), split.returned[at], split.base[at])
                    for at, name in enumerate(names)
                    if sizes[at]
                ],
                "mean": [],
            }
    return found


_PERIODS: tuple[Any, ...] = ("month", "week")


def visits_told(
    member: NDArray[np.int64], day: NDArray[np.int64], as_of_day: int
) -> dict[str, Json]:
    """Cohort tables by the first visit that was noted: who came again. Nothing when no visit was."""
    if not len(member):
        return {}
    return _by_period("visits", (member, day, np.zeros(len(member), dtype=np.int64)), as_of_day)


def _by_period(choice: str, rows: tuple[Any, Any, Any], as_of_day: int) -> dict[str, Json]:
    return {
        f"{period}.{choice}": _newest(
            report.cohorts(cohort_retention(*rows, period=period, as_of_day=as_of_day)), most
        )
        for period, most in zip(_PERIODS, (MONTHS_TOLD, WEEKS_TOLD), strict=True)
    }


def _newest(table: Json, most: int) -> Json:
    """The newest cohorts and their first ages; a page needs no more."""
    kept = [
        {**row, "cells": [cell for cell in row["cells"] if cell["age"] < most]}
        for row in table["rows"][-most:]
    ]
    mean = [cell for cell in table["mean"] if cell["age"] < most]
    return {**table, "ages": min(table["ages"], most), "rows": kept, "mean": mean}


def _split_row(name: Json, members: int, returned: Any, base: Any) -> Json:
    cells = [
        {"age": age, "returned": int(returned[age]), "members": int(base[age]), "finished": True}
        for age in range(len(base))
        if base[age]
    ]
    return {"period": name["name"], **name, "members": members, "cells": cells}


def _labelled(members: NDArray[np.int64], given: Labels) -> tuple[list[Json], NDArray[np.int64]]:
    """The most frequent labels, others and unknown, and the place of each member among them."""
    keys = [given[m][0] if m in given else "" for m in members.tolist()]
    names = {key: (zh, en) for key, zh, en in given.values()}
    counts: dict[str, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    often = sorted((key for key in counts if key), key=lambda key: (-counts[key], key))
    kept = [key for key in often if counts[key] >= LEAST_MEMBERS][:LABELS_TOLD]
    place = {key: at for at, key in enumerate(kept)} | {"": len(kept) + 1}
    told = [{"key": key, "name": names[key][0], "name_en": names[key][1]} for key in kept]
    rest = [{"key": key, "name": "", "name_en": ""} for key in ("other", "unknown")]
    return [*told, *rest], np.array([place.get(key, len(kept)) for key in keys], dtype=np.int64)


def solving_told(counts: Mapping[str, Mapping[str, Tally]], young: int) -> Json | None:
    """Repurchase by how soon a trouble was settled; None for a source that knows of none."""
    if not counts and not young:
        return None
    effect = solving_effect(counts)
    return {
        "buckets": [
            {
                "bucket": bucket,
                "cases": sum(each[bucket].cases for each in counts.values() if bucket in each),
                "again": sum(each[bucket].again for each in counts.values() if bucket in each),
            }
            for bucket in BUCKETS
        ],
        "kinds": [
            {"kind": kind, "bucket": bucket, "cases": tally.cases, "again": tally.again}
            for kind, each in sorted(counts.items())
            for bucket, tally in each.items()
        ],
        "young": young,
        **_effect_told(effect),
    }


def _effect_told(effect: SolvingEffect) -> Json:
    def told(found: Any) -> Json | None:
        return asdict(found) if found else None

    return {
        "plain": told(effect.plain),
        "adjusted": told(effect.adjusted),
        "kinds_used": list(effect.kinds_used),
        "cases_used": effect.cases_used,
    }


def first_orders_told(
    columns: PurchaseColumns,
    joined: Mapping[str, tuple[int, int]],
    labels: Mapping[str, Labels],
    as_of_day: int,
    again_days: int,
) -> Json:
    """Who joined and ordered, and who of the first-timers ordered again, by month and by what they began with."""
    days = read_member_days(columns.member, columns.day, columns.amount, as_of_day).with_orders()
    starts = run_starts(days.member)
    ends = np.append(starts[1:], len(days.member))
    first = days.day[starts].astype(np.int64)
    second = days.day[np.minimum(starts + 1, len(days.day) - 1)].astype(np.int64)
    again = (starts + 1 < ends) & (second - first <= again_days)
    watched = first + again_days <= as_of_day
    months = first.astype("datetime64[D]").astype("datetime64[M]").astype(str)
    rows = []
    for month in sorted({*months.tolist(), *joined})[-FIRST_MONTHS:]:
        born = months == month
        whole = int((np.datetime64(month, "M") + 1).astype("datetime64[D]").astype(np.int64)) - 1
        in_month = joined.get(month)
        rows.append(
            {
                "period": month,
                "joined": in_month[0] if in_month else None,
                "ordered": in_month[1] if in_month else None,
                "first": int(born.sum()),
                "again": int((born & again).sum()),
                "finished": whole + again_days <= as_of_day,
            }
        )
    parts = {
        kind: _part_rows(days.member[starts], given, again, watched)
        for kind, given in labels.items()
        if given
    }
    return {"again_days": again_days, "rows": rows, "parts": parts}


def _part_rows(
    members: NDArray[np.int64],
    given: Labels,
    again: NDArray[np.bool_],
    watched: NDArray[np.bool_],
) -> list[Json]:
    names, label = _labelled(members, given)
    return [
        {
            **name,
            "members": int(((label == at) & watched).sum()),
            "again": int(((label == at) & watched & again).sum()),
        }
        for at, name in enumerate(names)
        if ((label == at) & watched).any()
    ]
