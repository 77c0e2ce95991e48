"""What all models promise: sound chances, a likelihood that sums to one, recovery, and refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from liuke.science.btyd import dropout, gammagamma, paretonbd
from liuke.science.btyd.cells import compress
from liuke.science.btyd.fitting import Likelihood
from liuke.science.btyd.models import MODELS
from liuke.science.btyd.summary import BuyingSummary
from liuke.science.errors import InvalidInput, NotEnoughData
from tests.science.btyd.cdnow import calibration, summary_of

LIKELY = {
    "bgnbd": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    "mbgnbd": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "paretonbd": {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669},
}
TEN_YEARS = 521.6
sizes = arrays.arrays(np.float64, 4, elements=st.floats(-7, 7))


@pytest.mark.parametrize("model", LIKELY)
@given(logs=sizes, seed=st.integers(0, 99))
def test_chances_are_chances_at_any_parameters_age_and_count(
    model: str, logs: np.ndarray, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    params = dict(zip(LIKELY[model], np.exp(logs).tolist(), strict=True))
    x = rng.choice([0, 1, 2, 40, 3_000, 9_999], 20)
    age = rng.choice([0, 1 / 7, 5, TEN_YEARS], 20)
    t_x = np.where(x > 0, age * rng.choice([0, 0.5, 1], 20), 0)
    alive = MODELS[model].probability_alive(params, x, t_x, age)
    chance = MODELS[model].probability_of_order(params, x, t_x, age, 13)
    orders = MODELS[model].expected_orders(params, x, t_x, age, 13)
    assert np.isfinite(orders).all()
    assert (chance >= 0).all()
    assert (chance <= alive * (1 + 1e-9)).all()
    assert (alive <= 1).all()
    assert (orders >= chance * (1 - 1e-6) - 1e-300).all()


@pytest.mark.parametrize("model", LIKELY)
def test_the_chances_of_all_counts_sum_to_one(model: str) -> None:
    chances = MODELS[model].repeat_probabilities(
        LIKELY[model], 4_000, np.array([0.0, 1.0, 38.86, TEN_YEARS])
    )
    assert chances.sum(axis=1) == pytest.approx(1, abs=1e-3)
    assert chances[0, 0] == pytest.approx(1)


def slopes_and_differences(at: Likelihood, params: list[float], count: np.ndarray) -> np.ndarray:
    everything, step = slice(None), 1e-5
    slopes = at(np.array(params))(everything)[1] @ count
    differences = []
    for shift in np.eye(len(params)) * step:
        ahead, behind = (
            at(np.array(params) * np.exp(sign * shift))(everything)[0] @ count for sign in (1, -1)
        )
        differences.append((ahead - behind) / (2 * step))
    return np.array([slopes, differences])


@pytest.mark.parametrize("params", [[0.2, 4.0, 0.8, 2.4], [3.0, 50.0, 0.1, 30.0]])
@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd", "paretonbd"])
def test_gradients_are_the_slopes_of_the_likelihood(model: str, params: list[float]) -> None:
    cells = compress(calibration())
    likelihoods = {
        "bgnbd": dropout.likelihood(cells, first_may_leave=False),
        "mbgnbd": dropout.likelihood(cells, first_may_leave=True),
        "paretonbd": paretonbd.likelihood(cells),
    }
    slopes, differences = slopes_and_differences(likelihoods[model], params, cells.count)
    assert slopes == pytest.approx(differences, rel=1e-5, abs=1e-3)


def test_the_gradient_of_gamma_gamma_is_the_slope_of_its_likelihood() -> None:
    x, mean = np.array([1.0, 2, 2, 40]), np.array([3.0, 1, 7, 12])
    at = gammagamma.likelihood(x, mean)
    slopes, differences = slopes_and_differences(at, [6.25, 3.74, 15.44], np.ones(4))
    assert slopes == pytest.approx(differences, rel=1e-5)


def test_parameters_that_made_the_members_are_found_again() -> None:
    """BG/NBD members on a continuous clock: each parameter within 4 of its standard errors."""
    rng = np.random.default_rng(8)
    people, true = 20_000, {"r": 0.8, "alpha": 6.0, "a": 0.7, "b": 3.0}
    rate = rng.gamma(true["r"], 1 / true["alpha"], people)
    leaves = rng.beta(true["a"], true["b"], people)
    age = rng.integers(10, 60, people).astype(float)
    x, t_x = np.zeros(people, dtype=np.int64), np.zeros(people)
    here = np.ones(people, dtype=bool)
    while here.any():
        ahead = t_x + rng.exponential(1 / rate)
        here &= ahead < age
        x[here] += 1
        t_x[here] = ahead[here]
        here &= rng.random(people) >= leaves
    fit = MODELS["bgnbd"].fit(summary_of(x, t_x, age))
    assert fit.converged
    for name, value in true.items():
        assert abs(fit.params[name] - value) < 4 * fit.standard_errors[name], name


@pytest.mark.parametrize("model", LIKELY)
@pytest.mark.parametrize(
    "summary",
    [
        summary_of([3] * 60, 10.0, 20.0),
        summary_of([0] * 50 + [5_000] * 10, [0.0] * 50 + [500.0] * 10, TEN_YEARS),
        summary_of([1] * 20 + [0] * 60, 0.0, [2.0] * 20 + [0.0] * 60),
    ],
    ids=["all equal", "extreme skew", "all of today"],
)
def test_data_without_a_peak_are_said_to_have_none(model: str, summary: BuyingSummary) -> None:
    fit = MODELS[model].fit(summary)
    assert not fit.converged
    assert np.isnan(list(fit.standard_errors.values())).all()
    assert np.isfinite([fit.log_likelihood, *fit.params.values()]).all()


def test_members_of_ten_years_and_thousands_of_orders_are_fitted() -> None:
    rng = np.random.default_rng(0)
    x = rng.poisson(rng.gamma(0.3, 2_000, 300))
    t_x = np.where(x > 0, TEN_YEARS * rng.random(300), 0.0)
    fit = MODELS["mbgnbd"].fit(summary_of(x, t_x, TEN_YEARS))
    assert x.max() > 3_000
    assert fit.converged


@pytest.mark.parametrize("model", LIKELY)
@pytest.mark.parametrize(
    "x", [[], [1], [0] * 100, [2] * 29], ids=["nobody", "one", "nobody twice", "29"]
)
def test_too_few_members_are_refused_with_their_number(model: str, x: list[int]) -> None:
    with pytest.raises(NotEnoughData, match=rf"^not enough data: {len(x)} members"):
        MODELS[model].fit(summary_of(x, 0.0, 4.0))


def test_gamma_gamma_leaves_out_who_paid_nothing_and_refuses_when_too_few_are_left() -> None:
    money = [1000.0] * 9 + [0.0, -500.0]
    with pytest.raises(NotEnoughData, match=r"^not enough data: 9 members"):
        gammagamma.fit(summary_of([1] * 11, 0.0, 4.0, money))
    with pytest.raises(InvalidInput):
        gammagamma.fit(calibration(), minor_units=0)


def test_equal_amounts_have_no_peak() -> None:
    assert not gammagamma.fit(summary_of([2] * 50, 1.0, 4.0, [1000.0] * 50)).converged


def test_the_expected_amount_lies_between_the_own_mean_and_everybodys() -> None:
    params = {"p": 6.25, "q": 3.74, "v": 15.44}
    everybody = 15.44 * 6.25 / 2.74
    found = gammagamma.expected_amount(params, [0, 1, 100, 2, 2], [np.nan, 100, 100, -7, 0])
    assert found[0] == pytest.approx(everybody)
    assert everybody < found[1] < found[2] < 100
    assert found[3] == found[4] < everybody
    unbounded = gammagamma.expected_amount({"p": 0.4, "q": 0.5, "v": 1.0}, [0, 1, 2], [0, 5, 5])
    assert np.isnan(unbounded).tolist() == [True, True, False]
