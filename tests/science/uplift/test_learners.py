"""Base learners against the truth and against their own first-order conditions, and the learners on known uplift."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liuke.science.uplift import boosting, ridge
from liuke.science.uplift.crossfit import TOGETHER, cross_fit
from liuke.science.uplift.learners import Rows, bases, corrected_effects, foretell

Floats = NDArray[np.float64]


def rows(chance: np.random.Generator, count: int, *, is_rate: bool = True) -> tuple[Rows, Floats]:
    """Uplift that rises with the first feature; the second feature says nothing."""
    known = chance.normal(size=(count, 2))
    treated = chance.random(count) < 0.5
    uplift = 0.1 + 0.08 * np.clip(known[:, 0], -1.2, 1.2)
    rate = 0.3 + uplift * treated
    outcome = (chance.random(count) < rate).astype(float)
    if not is_rate:
        outcome = rate + 0.1 * chance.normal(size=count)
    return Rows(known, treated, outcome), uplift


def test_corrected_effects_average_to_the_effect_whatever_the_models_say() -> None:
    known, uplift = rows(np.random.default_rng(9), 20_000)
    blind = Rows(np.zeros((20_000, 1)), known.treated, known.outcome)
    for seen in (known, blind):
        effects = corrected_effects(bases(seen)[0], seen)
        assert effects.mean() == pytest.approx(uplift.mean(), abs=0.02)


def test_many_rows_leave_the_linear_fit_nearly_unpenalised() -> None:
    chance = np.random.default_rng(1)
    known = chance.normal(size=(5_000, 3))
    outcome = 2 + known @ [1.0, -2.0, 0.0] + 0.1 * chance.normal(size=5_000)
    probe = np.vstack((np.zeros(3), np.eye(3)))
    assert ridge.fit_linear(known, outcome)(probe) == pytest.approx([2, 3, 0, 2], abs=0.02)


def test_noise_is_shrunk_to_the_mean() -> None:
    chance = np.random.default_rng(2)
    known, outcome = chance.normal(size=(200, 20)), chance.normal(size=200)
    assert np.std(ridge.fit_linear(known, outcome)(known)) < 0.2


def test_the_logistic_fit_finds_the_chances_and_adds_up() -> None:
    chance = np.random.default_rng(3)
    known = chance.normal(size=(20_000, 2))
    true = 1 / (1 + np.exp(1 - known @ [1.0, 0.0]))
    outcome = (chance.random(20_000) < true).astype(float)
    found = ridge.fit_logistic(known, outcome)(known)
    usual = np.abs(known[:, 0]) < 2.5  # beyond, the ends are drawn in
    assert np.abs(found - true)[usual].max() < 0.04
    assert found.mean() == pytest.approx(outcome.mean(), abs=1e-6)


def test_rows_that_can_be_told_apart_perfectly_do_not_send_it_to_infinity() -> None:
    known = np.linspace(-1, 1, 60)[:, None]
    found = ridge.fit_logistic(known, (known[:, 0] > 0).astype(float))(known)
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize(
    "fit", [ridge.fit_logistic, ridge.fit_linear, boosting.fit_rate, boosting.fit_amount]
)
def test_one_outcome_only_is_foretold_for_all(fit: ridge.Predictor) -> None:
    known = np.random.default_rng(4).normal(size=(50, 2))
    assert fit(known, np.ones(50))(known).tolist() == [1.0] * 50  # type: ignore[arg-type, call-arg]


def test_constant_and_giant_features_do_no_harm() -> None:
    known = np.column_stack((np.ones(500), np.r_[np.arange(499.0), 1e12]))
    found = ridge.fit_linear(known, np.arange(500.0))(known)
    assert found[:400] == pytest.approx(np.arange(400.0), abs=20)


@pytest.mark.parametrize("is_rate", [True, False])
def test_each_learner_finds_who_is_moved(is_rate: bool) -> None:
    chance = np.random.default_rng(5)
    known, _ = rows(chance, 5_000, is_rate=is_rate)
    others, uplift = rows(chance, 2_000)
    effects = corrected_effects(bases(known)[0], known)
    for base in bases(known):
        for name, score in foretell(base, known, others.features, effects).uplift.items():
            assert np.corrcoef(score, uplift)[0, 1] > 0.5, name
            assert score.mean() == pytest.approx(uplift.mean(), abs=0.05), name


def test_few_rows_are_left_to_ridge() -> None:
    known, _ = rows(np.random.default_rng(6), 1_000)
    assert [base.name for base in bases(known)] == ["ridge"]


def test_cross_fitting_compares_all_and_gives_each_row_its_place_back() -> None:
    known, uplift = rows(np.random.default_rng(7), 2_500)
    found = cross_fit(known)
    assert set(found.qinis) == {"t_ridge", "x_ridge", "dr_ridge", TOGETHER}
    assert np.corrcoef(found.uplift, uplift)[0, 1] > 0.8
    assert found.uplift.mean() == pytest.approx(0, abs=1e-9)
    order = np.random.default_rng(8).permutation(2_500)
    again = cross_fit(known.of(order))
    assert again.uplift == pytest.approx(found.uplift[order])
    assert again.learner == found.learner
