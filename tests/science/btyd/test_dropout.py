"""BG/NBD and MBG/NBD: what the fitted model foretells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hyp2f1

from liuke.science.btyd import bgnbd, mbgnbd

PAPER = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


def paper_expected(params: dict[str, float], x: float, t_x: float, age: float, t: float) -> float:
    """Fader, Hardie & Lee (2005), equation 10, as printed."""
    r, alpha, a, b = params.values()
    top = (a + b + x - 1) / (a - 1)
    top *= 1 - ((alpha + age) / (alpha + age + t)) ** (r + x) * hyp2f1(
        r + x, b + x, a + b + x - 1, t / (alpha + age + t)
    )
    leaves = a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x) if x > 0 else 0
    return float(top / (1 + leaves))


def test_the_papers_example_member_is_expected_to_buy_1_226_times_in_39_weeks() -> None:
    assert bgnbd.expected_orders(PAPER, 2, 30.43, 38.86, 39) == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize("a", [0.1, 0.793, 0.999999, 1.5, 20])
@pytest.mark.parametrize("x", [0, 1, 7, 60])
def test_expected_orders_equal_the_papers_closed_form(a: float, x: int) -> None:
    params = PAPER | {"a": a}
    t_x = 10.0 if x else 0.0
    ours = bgnbd.expected_orders(params, x, t_x, 38.86, 13)
    assert ours == pytest.approx(paper_expected(params, x, t_x, 38.86, 13), rel=1e-6)


@pytest.mark.parametrize("model", [bgnbd, mbgnbd])
def test_nothing_overflows_at_ten_years_and_thousands_of_orders(model: object) -> None:
    x = np.array([0, 1, 5_000, 3_650, 3_650, 9_999])
    t_x = np.array([0, 0.14, 521.0, 521.4, 1.0, 0.1])
    age = np.full(6, 521.4)
    for each in (
        model.probability_alive(PAPER, x, t_x, age),  # type: ignore[attr-defined]
        model.probability_of_order(PAPER, x, t_x, age, 52),  # type: ignore[attr-defined]
        model.expected_orders(PAPER, x, t_x, age, 52),  # type: ignore[attr-defined]
    ):
        assert np.isfinite(each).all()
        assert (each >= 0).all()
