"""From a log to (x, t_x, T) and the money of repeat purchases, and to cells."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.btyd.cells import Cells, compress
from liuke.science.btyd.summary import BuyingSummary, buying_summary
from liuke.science.errors import InvalidInput
from tests.science.btyd.cdnow import calibration, summary_of
from tests.science.make import Log, log_of, logs

PAPERS_FILE = "d0bc83c1f256060d743a13efdd278c0f456c480955be8038ed2ae523db9aaeb1"


def rows_of(summary: BuyingSummary) -> list[tuple[float, ...]]:
    columns = (summary.member, summary.frequency, summary.recency, summary.age)
    return list(
        zip(
            *(column.tolist() for column in columns),
            np.nan_to_num(summary.repeat_money, nan=-0.5).tolist(),
            strict=True,
        )
    )


def test_the_cdnow_sample_is_summed_up_to_the_very_file_of_the_paper() -> None:
    summary = calibration()
    text = "".join(
        f"{member},{x},{t_x:.2f},{age:.2f}\n"
        for member, x, t_x, age, _ in zip(*zip(*rows_of(summary), strict=True), strict=True)
    )
    assert hashlib.sha256(text.encode()).hexdigest() == PAPERS_FILE


def test_a_summary_worked_by_hand() -> None:
    log = log_of([(7, 10, 300), (7, 24, 400), (7, 24, 200), (7, 31, 100), (2, 31, 50), (7, 40, 9)])
    assert rows_of(buying_summary(*log.columns, 38)) == [
        (2, 0, 0.0, 1.0, -0.5),
        (7, 2, 3.0, 4.0, 350.0),
    ]


@pytest.mark.parametrize(
    ("returned_on", "mean"),
    [(9, 350.0), (10, 350.0), (23, 350.0), (24, 300.0), (30, 300.0), (31, 300.0), (38, 300.0)],
)
def test_a_return_lowers_the_purchase_day_before_it(returned_on: int, mean: float) -> None:
    log = log_of([(7, 10, 300), (7, 24, 600), (7, 31, 100), (7, returned_on, -100), (6, 9, -5)])
    assert rows_of(buying_summary(*log.columns, 38)) == [(7, 2, 3.0, 4.0, mean)]


def test_who_only_returned_things_is_no_member_here_and_an_empty_log_has_none() -> None:
    assert len(buying_summary([1], [10], [-5], 20).member) == 0
    assert len(buying_summary([1], [10], [5], 9).member) == 0


@given(logs(), st.integers(0, 320))
def test_a_summary_is_what_counting_by_hand_finds(log: Log, as_of: int) -> None:
    expected = []
    for who in sorted(set(log.member.tolist())):
        mine = [(d, a) for m, d, a in log.rows if m == who and d <= as_of]
        days = sorted({d for d, a in mine if a >= 0})
        if not days:
            continue
        later = sum(a for d, a in mine if len(days) > 1 and d >= days[1])
        mean = later / (len(days) - 1) if len(days) > 1 else -0.5
        first = days[0]
        row = (who, len(days) - 1, (days[-1] - first) / 7, (as_of - first) / 7, mean)
        expected.append(row)
    assert rows_of(buying_summary(*log.shuffled(1).columns, as_of)) == expected


def cell_rows(cells: Cells) -> list[tuple[float, ...]]:
    return list(
        zip(cells.x.tolist(), cells.t_x.tolist(), cells.age.tolist(), cells.count, strict=True)
    )


@pytest.mark.parametrize("unit", [1 / 7, 0.1234])
def test_cells_count_every_member_once_on_a_grid_of_days_and_off_it(unit: float) -> None:
    rng = np.random.default_rng(4)
    age = rng.integers(1, 6, 300)
    x = rng.integers(0, 3, 300)
    t_x = np.where(x > 0, rng.integers(0, 6, 300) % (age + 1), 0)
    cells = compress(summary_of(x, t_x * unit, age * unit))
    distinct, count = np.unique(np.stack((x, t_x, age)), axis=1, return_counts=True)
    assert np.allclose([row[:3] for row in cell_rows(cells)], (distinct.T * [1, unit, unit]))
    assert cells.count.tolist() == count.tolist()
    assert cells.members == 300
    assert cells.repeaters == int((x > 0).sum())
    assert cells.x_values.tolist() == [0, 1, 2]
    assert cells.sum_by_x(cells.count).tolist() == np.bincount(x).tolist()


def test_cdnow_has_1016_cells() -> None:
    assert len(compress(calibration()).count) == 1016


@pytest.mark.parametrize(
    ("x", "t_x", "age"),
    [(1, 2.0, 1.0), (0, 1.0, 2.0), (1, np.nan, 2.0), (1, 1.0, np.inf), (-1, 0.0, 1.0)],
)
def test_impossible_members_are_refused(x: int, t_x: float, age: float) -> None:
    with pytest.raises(InvalidInput):
        compress(summary_of([x], [t_x], [age]))
