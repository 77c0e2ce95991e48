"""Pareto/NBD: its integrals against the 2F1 of the literature, and what it foretells."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hyp2f1

from liuke.science.btyd import paretonbd
from liuke.science.btyd.quadrature import race

PAPER = {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}


def papers_integral(params: dict[str, float], x: int, t_x: float, age: float) -> float:
    """Fader & Hardie (2005), A0 times s beta^s: the case alpha >= beta and the other."""
    r, alpha, s, beta = params.values()
    power = r + s + x
    low, high = min(alpha, beta), max(alpha, beta)
    second = s + 1 if alpha >= beta else r + x

    def term(moment: float) -> float:
        found = hyp2f1(power, second, power + 1, (high - low) / (high + moment))
        return float(found / (high + moment) ** power)

    return s / power * beta**s * (term(t_x) - term(age))


@pytest.mark.parametrize(
    ("alpha", "beta"), [(10.578, 11.669), (11.669, 10.578), (5, 5), (40, 2), (2, 40)]
)
@pytest.mark.parametrize("x", [0, 2, 12])
def test_the_integral_is_the_difference_of_2f1_on_both_sides(
    alpha: float, beta: float, x: int
) -> None:
    params = PAPER | {"alpha": alpha, "beta": beta}
    t_x, age = np.array([8.0 if x else 0.0]), np.array([38.86])
    left = race(params["s"], beta, params["r"] + x, alpha, t_x, age).mass.sum()
    scale = (alpha + t_x[0]) ** -(params["r"] + x) * (beta / (beta + t_x[0])) ** params["s"]
    assert left * scale == pytest.approx(papers_integral(params, x, t_x[0], 38.86), rel=1e-9)


logs = st.floats(-4, 4)


@given(logs, logs, st.floats(-5, 5), st.floats(-5, 5), st.sampled_from([0, 0.5, 40]), logs)
def test_the_integral_is_right_over_nine_orders_of_magnitude(
    shape: float, other_shape: float, own: float, other: float, begin: float, length: float
) -> None:
    s, k, beta, alpha = np.exp([shape, other_shape, own, other]).tolist()
    end, low = begin + float(np.exp(length)), min(alpha, beta)

    def integrand(y: float) -> float:
        passed = (low + begin) * np.expm1(y)
        fades = np.log1p(passed / (beta + begin)) * s + np.log1p(passed / (alpha + begin)) * k
        return float(s / (beta + begin + passed) * np.exp(-fades) * (low + begin + passed))

    top = float(np.log1p((end - begin) / (low + begin)))
    cuts = np.linspace(0, top, 9)
    exact = sum(quad(integrand, a, b, epsabs=0, epsrel=1e-9)[0] for a, b in pairwise(cuts.tolist()))
    ours = race(s, beta, np.array([k]), alpha, np.array([begin]), np.array([end])).mass.sum()
    assert ours == pytest.approx(exact, rel=1e-6, abs=1e-12)


def test_what_it_foretells_is_what_simulated_members_do() -> None:
    rng = np.random.default_rng(3)
    x, t_x, age, horizon, people = 2, 30.43, 38.86, 39.0, 400_000
    r, alpha, s, beta = PAPER.values()
    rate = rng.gamma(r + x, 1 / (alpha + age), people)
    stays = rng.exponential(1, people) / rng.gamma(s, 1 / (beta + age), people)
    orders = rng.poisson(rate * np.minimum(stays, horizon))
    alive = float(paretonbd.probability_alive(PAPER, x, t_x, age))
    expected = float(paretonbd.expected_orders(PAPER, x, t_x, age, horizon))
    chance = float(paretonbd.probability_of_order(PAPER, x, t_x, age, horizon))
    assert expected == pytest.approx(alive * orders.mean(), rel=0.01)
    assert chance == pytest.approx(alive * (orders > 0).mean(), rel=0.01)


def test_expected_orders_pass_through_s_equal_to_one() -> None:
    near = [
        float(paretonbd.expected_orders(PAPER | {"s": s}, 2, 30.0, 39.0, 13.0))
        for s in (1 - 1e-9, 1.0, 1 + 1e-9)
    ]
    assert near == pytest.approx([near[1]] * 3, rel=1e-7)
