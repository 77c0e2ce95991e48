"""Cohorts by first order: how many of those who came in a period came again in later ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liuke.science.errors import InvalidInput
from liuke.science.order_log import (
    Bools,
    Floats,
    Int32s,
    Int64s,
    MemberDays,
    check_day,
    read_member_days,
    run_starts,
)

Period = Literal["month", "week"]

BEYOND = -1
"""Stands in ``returned`` where the period begins only after ``as_of_day``."""


@dataclass(frozen=True, slots=True, eq=False)
class CohortTable:
    """One row per period that brought new members, one column per age in periods (0, 1, ...).

    * ``cohort``    shape (cohorts,): datetime64[M] for months; for weeks the Monday (ISO 8601),
      datetime64[D];
    * ``sizes``     members of the cohort;
    * ``returned``  shape (cohorts, ages): members with an order in that period; age 0 is the size;
      BEYOND (-1) where the period has not begun;
    * ``finished``  False where the period has not ended by ``as_of_day``; its count can still rise;
    * ``mean_returned``, ``mean_members`` shape (ages,): sums of ``returned`` and ``sizes`` over
      finished cells only, and ``mean_rate`` their ratio, NaN where no cell is finished.
    """

    period: Period
    as_of_day: int
    cohort: NDArray[np.datetime64]
    sizes: Int64s
    returned: Int64s
    finished: Bools
    mean_returned: Int64s
    mean_members: Int64s
    mean_rate: Floats


def cohort_retention(
    member: ArrayLike,
    day: ArrayLike,
    amount: ArrayLike,
    *,
    period: Period = "month",
    as_of_day: int,
) -> CohortTable:
    """Cohort table at the end of ``as_of_day``; see CohortTable for shapes.

    Three parallel arrays, shape (rows,), in any order. Returns (``amount < 0``) neither found a
    cohort nor count as coming again; rows after ``as_of_day`` are ignored. A period is finished
    when its last day is ``as_of_day`` or earlier. ``mean_rate = sum returned / sum sizes``: every
    member weighs the same, not every cohort. Raises InvalidInput.
    """
    if period not in ("month", "week"):
        raise InvalidInput(f"period must be month or week, not {period!r}")
    today = check_day(as_of_day, "as_of_day")
    days = read_member_days(member, day, amount, today).with_orders()
    cohorts, returned = _count(days, period)
    now = int(_period_of(np.array([today], dtype=np.int32), period)[0])
    ages = now - int(cohorts[0]) + 1 if len(cohorts) else 0
    returned = _widen(returned, ages)
    index = cohorts[:, None] + np.arange(ages)
    finished = _last_day(index, period) <= today
    sizes = returned[:, 0].copy() if ages else np.empty(0, dtype=np.int64)
    came = np.where(finished, returned, 0).sum(axis=0, dtype=np.int64)
    base = np.where(finished, sizes[:, None], 0).sum(axis=0, dtype=np.int64)
    rate = np.divide(came, base, out=np.full(ages, np.nan), where=base > 0)
    returned[index > now] = BEYOND
    return CohortTable(
        period, today, _label(cohorts, period), sizes, returned, finished, came, base, rate
    )


@dataclass(frozen=True, slots=True, eq=False)
class SplitReturns:
    """Cohorts put together by what their members have in common: one row a label, one column an age.

    ``returned`` and ``base`` have shape (labels, ages): members who ordered at that age, and those who
    were watched through it to its end. Only finished periods count.
    """

    returned: Int64s
    base: Int64s


def returns_by_label(
    member: ArrayLike,
    day: ArrayLike,
    amount: ArrayLike,
    label: ArrayLike,
    *,
    labels: int,
    ages: int,
    period: Period = "month",
    as_of_day: int,
) -> SplitReturns:
    """As `cohort_retention`, but by ``label``, shape (members with an order,) by member id, 0 .. labels - 1.

    Counts ages 0 .. ages - 1. Raises InvalidInput.
    """
    today = check_day(as_of_day, "as_of_day")
    days = read_member_days(member, day, amount, today).with_orders()
    when = _period_of(days.day, period)
    once = run_starts(days.member, when)
    people, when = days.member[once], when[once]
    firsts = run_starts(people)
    of = np.asarray(label, dtype=np.int64)
    if len(of) != len(firsts) or (len(of) and not 0 <= int(of.min()) <= int(of.max()) < labels):
        raise InvalidInput("each member with an order needs one label below labels")
    runs = np.diff(firsts, append=len(people))
    born = when[firsts]
    age = when - np.repeat(born, runs)
    whole = (_last_day(when, period) <= today) & (age < ages)
    cells = np.repeat(of, runs)[whole] * ages + age[whole]
    returned = np.bincount(cells, minlength=labels * ages).reshape(labels, ages)
    now = int(_period_of(np.array([today + 1], dtype=np.int32), period)[0])
    watched = np.minimum(now - born, ages)
    seen = np.bincount(of * (ages + 1) + watched, minlength=labels * (ages + 1))
    base = seen.reshape(labels, ages + 1)[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    return SplitReturns(returned.astype(np.int64), base.astype(np.int64))


def _count(days: MemberDays, period: Period) -> tuple[Int64s, Int64s]:
    """Periods that founded a cohort, and members by (cohort, age) up to the oldest age seen."""
    when = _period_of(days.day, period)
    once = run_starts(days.member, when)
    people, when = days.member[once], when[once]
    firsts = run_starts(people)
    born = np.repeat(when[firsts], np.diff(firsts, append=len(people)))
    cohorts, row = np.unique(born, return_inverse=True)
    ages = int((when - born).max()) + 1 if len(when) else 0
    cells = np.bincount(row * ages + (when - born), minlength=len(cohorts) * ages)
    return cohorts, cells.reshape(len(cohorts), ages).astype(np.int64)


def _widen(table: Int64s, columns: int) -> Int64s:
    wide = np.zeros((table.shape[0], columns), dtype=np.int64)
    wide[:, : table.shape[1]] = table
    return wide


def _period_of(day: Int32s, period: Period) -> Int64s:
    """Number of the month or of the ISO week (1970-01-01 was a Thursday), 0 in January 1970."""
    if period == "week":
        return (day.astype(np.int64) + 3) // 7
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _last_day(index: Int64s, period: Period) -> Int64s:
    if period == "week":
        return index * 7 + 3
    return (index + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1


def _label(index: Int64s, period: Period) -> NDArray[np.datetime64]:
    if period == "week":
        return (index * 7 - 3).astype("datetime64[D]")
    return index.astype("datetime64[M]")
