"""Season and drift: seen where they are, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from liuke.science.churn.buying import fit_buying, level_shift
from liuke.science.churn.forecast import forecast
from liuke.science.churn.history import read_history
from liuke.science.churn.level import Level, coming_level, window_index
from liuke.science.churn.outcome import came_true
from liuke.science.churn.scoring import score
from tests.science.churn.worlds import gift_shop

HORIZON = 90


def level_and_truth(peak: float, seed: int) -> tuple[Level, float]:
    log, cut = gift_shop(peak=peak, seed=seed)
    known = read_history(*log, cut)
    buying = fit_buying(known, cut)
    whole = read_history(*log, cut + HORIZON)
    truth, _ = window_index(whole, cut, HORIZON, buying)
    return coming_level(known, cut, HORIZON, buying), truth


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_christmas_peak_is_foretold_from_last_year(seed: int) -> None:
    level, truth = level_and_truth(3.0, seed)
    assert truth > 0.4
    assert level.season > 0
    assert abs(level.shift - truth) < 0.5 * truth


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_no_season_is_seen_in_a_shop_that_has_none(seed: int) -> None:
    level, truth = level_and_truth(1.0, seed)
    assert abs(truth) < 0.2
    assert level.season == 0
    assert abs(level.drift) < 0.15


def test_the_season_makes_the_probabilities_true() -> None:
    log, cut = gift_shop(peak=3.0)
    found = forecast(*log, cut, HORIZON)
    seen = came_true(found, *log)
    assert seen is not None
    assert seen.ece < 0.04
    whole = read_history(*log, cut + HORIZON)
    left = ~whole.bought_within(cut, cut + HORIZON)[whole.first <= cut]
    chance = found.probability.clip(1e-9, 1 - 1e-9)
    unseasonal = score(expit(np.log(chance / (1 - chance)) + found.level.season), left)
    assert unseasonal is not None
    assert unseasonal.ece > 2 * seen.ece
    assert unseasonal.brier > seen.brier + 0.005


def test_a_year_is_not_enough_to_know_a_season() -> None:
    log, cut = gift_shop(peak=3.0)
    keep = log[1] > cut - 400
    known = read_history(*(column[keep] for column in log), cut)
    assert coming_level(known, cut, HORIZON, fit_buying(known, cut)).season == 0


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.9])
def test_a_level_is_met_exactly(share: float) -> None:
    odds = np.random.default_rng(1).normal(0, 2, 500)
    if share == 0.001:
        odds = odds - 5
    assert float(expit(odds + level_shift(odds, share)).mean()) == pytest.approx(share, abs=1e-7)
