"""Cohorts by first order."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.cohorts import BEYOND, CohortTable, cohort_retention, returns_by_label
from liuke.science.errors import InvalidInput
from tests.science.make import Log, cdnow, day_of, log_of, logs

EPOCH = dt.date(1970, 1, 1)


def small_log() -> Log:
    visits = [
        (1, "2024-01-05"),
        (1, "2024-01-20"),
        (1, "2024-02-29"),
        (2, "2024-01-31"),
        (2, "2024-03-01"),
        (3, "2024-03-15"),
    ]
    return log_of([(member, day_of(text), 100) for member, text in visits])


def month_of(day: int) -> tuple[int, int]:
    date = EPOCH + dt.timedelta(days=day)
    return date.year, date.month


def monday_of(day: int) -> dt.date:
    date = EPOCH + dt.timedelta(days=day)
    year, week, _ = date.isocalendar()
    return dt.date.fromisocalendar(year, week, 1)


def age_of(day: int, first: int, period: str) -> int:
    if period == "week":
        return (monday_of(day) - monday_of(first)).days // 7
    (year, month), (year0, month0) = month_of(day), month_of(first)
    return (year - year0) * 12 + month - month0


def naive_cells(log: Log, period: str, as_of: int) -> dict[tuple[object, int], set[int]]:
    """Members by (label of the cohort, age)."""
    bought = [(m, d) for m, d, a in log.rows if a >= 0 and d <= as_of]
    cells: dict[tuple[object, int], set[int]] = {}
    for member, day in bought:
        first = min(d for m, d in bought if m == member)
        label = monday_of(first) if period == "week" else month_of(first)
        cells.setdefault((label, age_of(day, first, period)), set()).add(member)
    return cells


def cells_of(table: CohortTable) -> dict[tuple[object, int], int]:
    labels: list[object] = []
    for date in table.cohort.astype("datetime64[D]").tolist():
        labels.append(date if table.period == "week" else (date.year, date.month))
    return {
        (labels[row], age): int(table.returned[row, age])
        for row, age in np.argwhere(table.returned > 0).tolist()
    }


def test_monthly_cohorts_worked_by_hand() -> None:
    table = cohort_retention(*small_log().columns, period="month", as_of_day=day_of("2024-03-30"))
    assert table.cohort.astype(str).tolist() == ["2024-01", "2024-03"]
    assert table.sizes.tolist() == [2, 1]
    assert table.returned.tolist() == [[2, 1, 1], [1, BEYOND, BEYOND]]
    assert table.finished.tolist() == [[True, True, False], [False, False, False]]
    assert table.mean_returned.tolist() == [2, 1, 0]
    assert table.mean_members.tolist() == [2, 2, 0]
    assert table.mean_rate[:2].tolist() == [1.0, 0.5]
    assert np.isnan(table.mean_rate[2])


def test_a_month_is_finished_on_its_last_day() -> None:
    table = cohort_retention(*small_log().columns, period="month", as_of_day=day_of("2024-03-31"))
    assert table.finished.tolist() == [[True, True, True], [True, False, False]]
    assert table.mean_rate.tolist() == [1.0, 0.5, 0.5]


def test_the_mean_weighs_members_not_cohorts() -> None:
    january, march = day_of("2024-01-10"), day_of("2024-02-10")
    rows = [(member, january, 1) for member in range(9)] + [(99, march, 1)]
    rows += [(0, march, 1), (99, day_of("2024-03-10"), 1)]
    table = cohort_retention(*log_of(rows).columns, as_of_day=day_of("2024-03-31"))
    assert table.returned[:, 1].tolist() == [1, 1]
    assert table.mean_rate[1] == pytest.approx(2 / 10)


def test_weeks_begin_on_monday_also_at_the_turn_of_the_year() -> None:
    rows = [
        (1, day_of("2024-12-29"), 1),
        (2, day_of("2024-12-30"), 1),
        (1, day_of("2025-01-05"), 1),
    ]
    table = cohort_retention(*log_of(rows).columns, period="week", as_of_day=day_of("2025-01-05"))
    assert table.cohort.astype(str).tolist() == ["2024-12-23", "2024-12-30"]
    assert table.returned.tolist() == [[1, 1], [1, BEYOND]]
    assert table.finished.tolist() == [[True, True], [True, False]]


def test_a_return_founds_no_cohort_and_is_no_visit() -> None:
    rows = [(1, day_of("2024-01-10"), -5), (1, day_of("2024-02-10"), 5)]
    rows += [(1, day_of("2024-03-10"), -5)]
    table = cohort_retention(*log_of(rows).columns, as_of_day=day_of("2024-03-31"))
    assert table.cohort.astype(str).tolist() == ["2024-02"]
    assert table.returned.tolist() == [[1, 0]]


@given(logs(), st.sampled_from(["month", "week"]), st.integers(0, 320), st.integers(0, 9))
def test_cohorts_equal_a_plain_recount(
    log: Log, period: Literal["month", "week"], as_of: int, seed: int
) -> None:
    table = cohort_retention(*log.shuffled(seed).columns, period=period, as_of_day=as_of)
    expected = {cell: len(who) for cell, who in naive_cells(log, period, as_of).items()}
    assert cells_of(table) == expected
    assert (table.returned[:, :1].ravel() == table.sizes).all()
    assert (table.returned <= table.sizes[:, None]).all()
    starts = table.cohort.astype("datetime64[D]").astype(int).tolist()
    for row, start in enumerate(starts):
        for age in range(table.returned.shape[1]):
            begun = age_of(as_of, start, period) >= age
            ended = age_of(as_of + 1, start, period) > age
            assert (table.returned[row, age] == BEYOND) == (not begun)
            assert table.finished[row, age] == ended


@pytest.mark.parametrize(("period", "until"), [("month", "1998-06-30"), ("week", "1998-02-18")])
def test_cdnow_cohorts_equal_plain_sql(period: Literal["month", "week"], until: str) -> None:
    log = cdnow()
    member, day, amount = (each.tolist() for each in log.columns)
    sql = """
        with purchase as (
            select unnest($member) as member, unnest($day) as day, unnest($amount) as amount
        ), visit as (
            select distinct member, date_trunc($period, date '1970-01-01' + day::int)::date as seen
            from purchase where amount >= 0 and day <= $until
        ), cohort as (select member, min(seen) as born from visit group by member)
        select born, date_diff($period, born, seen) as age, count(*)
        from visit join cohort using (member) group by all
    """
    names = {"member": member, "day": day, "amount": amount, "until": day_of(until)}
    counted = duckdb.execute(sql, {**names, "period": period}).fetchall()
    table = cohort_retention(*log.columns, period=period, as_of_day=day_of(until))
    found = cells_of(table)
    if period == "month":
        expected = {((born.year, born.month), age): n for born, age, n in counted}
    else:
        expected = {(born, age): n for born, age, n in counted}
    assert found == expected
    assert table.sizes.sum() == 2357


def test_an_empty_log_gives_an_empty_table() -> None:
    table = cohort_retention([], [], [], as_of_day=100)
    assert table.returned.shape == (0, 0)
    assert table.mean_rate.shape == (0,)
    assert table.cohort.dtype == np.dtype("datetime64[M]")
    only_returns = cohort_retention([1], [5], [-1], period="week", as_of_day=100)
    assert only_returns.sizes.shape == (0,)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidInput):
        cohort_retention([1], [1], [1], period="year", as_of_day=1)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        cohort_retention([1, 2], [1], [1], as_of_day=1)


def test_returns_by_label_count_finished_months_only() -> None:
    # born in January: 1 (again in February and March), 2; in February: 3 (again in March). Up to March 15.
    member = np.array([1, 1, 1, 2, 3, 3])
    on = ["2026-01-05", "2026-02-01", "2026-03-02", "2026-01-31", "2026-02-10", "2026-03-09"]
    day = np.array(on, dtype="datetime64[D]").astype(np.int64)
    today = int(np.datetime64("2026-03-15", "D").astype(np.int64))
    found = returns_by_label(
        member, day, np.full(6, 100), [0, 1, 1], labels=2, ages=3, as_of_day=today
    )
    assert found.returned.tolist() == [[1, 1, 0], [2, 0, 0]]
    assert found.base.tolist() == [[1, 1, 0], [2, 1, 0]]
