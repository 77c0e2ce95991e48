"""Ranking, squared error and calibration, on forecasts small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from liuke.science.churn.scoring import ReliabilityBin, score


def test_figures_worked_out_by_hand() -> None:
    said = np.array([0.9, 0.8, 0.8, 0.1])
    left = np.array([True, True, False, False])
    found = score(said, left)
    assert found is not None
    assert found.n == 4
    assert found.auc == pytest.approx(3.5 / 4)
    assert found.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.64 + 0.01) / 4)
    assert found.ece == pytest.approx((0.1 + 2 * 0.3 + 0.1) / 4)
    assert found.reliability == (
        ReliabilityBin(1, 0.1, 0.0),
        ReliabilityBin(2, 0.8, 0.5),
        ReliabilityBin(1, 0.9, 1.0),
    )


def test_a_forecast_that_says_the_same_of_all_ranks_like_a_coin() -> None:
    found = score(np.full(1_000, 0.25), np.arange(1_000) % 4 == 0)
    assert found is not None
    assert found.auc == 0.5
    assert found.average_precision == 0.25
    assert found.ece == 0.0
    assert len(found.reliability) == 1


def test_ranking_needs_both_kinds_of_member_and_anything_needs_somebody() -> None:
    found = score(np.array([0.3, 0.6]), np.array([True, True]))
    assert found is not None
    assert (found.auc, found.average_precision) == (None, None)
    assert score(np.empty(0), np.empty(0, dtype=bool)) is None
