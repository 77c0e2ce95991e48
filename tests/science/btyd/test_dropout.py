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


@pytest.mark.parametrize("a", [0.1, 0.793, 0.999999, 1.5, 20])
def test_mbgnbd_equals_bgnbd_with_one_more_chance_to_leave(a: float) -> None:
    """Averaging what is expected of a member with known rate and p, over many of them."""
    rng = np.random.default_rng(5)
    params = PAPER | {"a": a}
    x, age, horizon = 3, 20.0, 10.0
    rate = rng.gamma(params["r"] + x, 1 / (params["alpha"] + age), 200_000)
    leaves = np.maximum(rng.beta(a, params["b"] + x + 1, 200_000), 1e-12)
    each = -np.expm1(-rate * leaves * horizon) / leaves
    alive = mbgnbd.probability_alive(params, x, 15.0, age)
    ours = mbgnbd.expected_orders(params, x, 15.0, age, horizon)
    assert ours == pytest.approx(float(alive) * each.mean(), rel=0.01)


def test_without_a_repeat_purchase_bgnbd_takes_a_member_for_alive_and_mbgnbd_does_not() -> None:
    assert bgnbd.probability_alive(PAPER, 0, 0.0, 38.86) == 1
    assert mbgnbd.probability_alive(PAPER, 0, 0.0, 38.86) == pytest.approx(
        1 / (1 + 0.793 / 2.426 * ((4.414 + 38.86) / 4.414) ** 0.243)
    )


def test_the_chance_of_an_order_is_the_closed_form() -> None:
    alive = bgnbd.probability_alive(PAPER, 2, 30.43, 38.86)
    waits = ((4.414 + 38.86) / (4.414 + 38.86 + 13)) ** 2.243
    assert bgnbd.probability_of_order(PAPER, 2, 30.43, 38.86, 13) == pytest.approx(
        alive * (1 - waits)
    )
