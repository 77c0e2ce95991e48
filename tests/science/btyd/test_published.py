"""What the papers found on CDNOW, found again."""

from __future__ import annotations

import numpy as np
import pytest

from liuke.science.btyd import gammagamma
from liuke.science.btyd.fitting import Fit
from liuke.science.btyd.goodness import goodness
from liuke.science.btyd.models import MODELS
from liuke.science.btyd.summary import BuyingSummary
from tests.science.btyd.cdnow import calibration, some_of

PUBLISHED = {
    "bgnbd": ((0.243, 4.414, 0.793, 2.426), -9582.43),
    "mbgnbd": ((0.525, 6.183, 0.891, 1.614), -9582.14),
    "paretonbd": ((0.553, 10.578, 0.606, 11.669), -9594.98),
}


def fitted(model: str, summary: BuyingSummary | None = None) -> Fit:
    summary = summary or calibration()
    if model == "gg":
        return gammagamma.fit(summary, minor_units=100)
    return MODELS[model].fit(summary)


@pytest.mark.parametrize("model", PUBLISHED)
def test_parameters_and_likelihood_are_the_papers(model: str) -> None:
    fit = fitted(model)
    params, log_likelihood = PUBLISHED[model]
    assert fit.converged
    assert fit.members == 2357
    assert tuple(round(value, 3) for value in fit.params.values()) == params
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=0.01)


def test_gamma_gamma_is_the_papers_in_dollars_and_in_minor_units() -> None:
    fit = fitted("gg")
    assert {name: round(value, 2) for name, value in fit.params.items()} == {
        "p": 6.25,
        "q": 3.74,
        "v": 15.44,
    }
    assert fit.log_likelihood == pytest.approx(-4055.92, abs=0.01)
    assert (fit.model, fit.members, fit.converged) == ("gg", 946, True)
    minor = gammagamma.fit(calibration())
    assert minor.params["v"] == pytest.approx(100 * fit.params["v"], rel=1e-3)
    assert minor.params["q"] == pytest.approx(fit.params["q"], rel=1e-3)
    shifted = fit.log_likelihood - 946 * np.log(100)
    assert minor.log_likelihood == pytest.approx(shifted, abs=1e-6)


@pytest.mark.parametrize(
    ("model", "chi_square", "p_value"),
    [("bgnbd", 4.82, 0.19), ("paretonbd", 11.99, 0.007), ("mbgnbd", 2.95, 0.40)],
)
def test_goodness_of_fit_is_the_papers(model: str, chi_square: float, p_value: float) -> None:
    found = goodness(fitted(model), calibration())
    assert found.observed.tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert found.expected.sum() == pytest.approx(2357)
    assert found.chi_square == pytest.approx(chi_square, abs=0.005)
    assert found.degrees == 3
    assert found.p_value == pytest.approx(p_value, abs=0.005)


@pytest.mark.parametrize("model", ["bgnbd", "gg"])
def test_standard_errors_agree_with_a_bootstrap(model: str) -> None:
    """Logarithms, whose bootstrap is nearer to a bell; 120 draws leave 7 % of chance in each."""
    fit, summary = fitted(model), calibration()
    rng = np.random.default_rng(11)
    people = len(summary.member)
    again = [
        fitted(model, some_of(summary, rng.integers(0, people, people))).params for _ in range(120)
    ]
    for name, error in fit.standard_errors.items():
        spread = np.log([params[name] for params in again]).std(ddof=1)
        assert error / fit.params[name] == pytest.approx(spread, rel=0.25), name


@pytest.mark.parametrize("model", PUBLISHED)
def test_the_order_of_the_members_changes_nothing(model: str) -> None:
    summary = calibration()
    shuffled = some_of(summary, np.random.default_rng(2).permutation(len(summary.member)))
    assert fitted(model, shuffled).params == fitted(model).params
