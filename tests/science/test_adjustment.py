"""What was known before the lot makes the interval narrower: against least squares by hand, and on real members."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liuke.science.adjustment import cuped, regression_adjusted, rfm_features, welch
from liuke.science.errors import InvalidInput
from liuke.science.rfm import rfm_values
from tests.science import make

Floats = NDArray[np.float64]


def campaign(
    chance: np.random.Generator, members: int, share: float = 0.5, effect: float = 1.0
) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """Money that follows what was spent before, and an effect that does so too."""
    before = chance.gamma(2.0, 5.0, members)
    treated = chance.random(members) < share
    money = before + chance.exponential(6.0, members) + treated * effect * (before / 10)
    return treated, money, before


def test_the_regression_is_that_of_lin() -> None:
    chance = np.random.default_rng(1)
    treated, money, before = campaign(chance, 300)
    other = chance.normal(size=300)
    known = np.column_stack((before, other))
    centred = known - known.mean(axis=0)
    rows = np.column_stack((np.ones(300), treated, centred, centred * treated[:, None]))
    slopes = np.linalg.lstsq(rows, money, rcond=None)[0]
    found = regression_adjusted(treated, money, known)
    assert found.adjusted.difference == pytest.approx(slopes[1])
    inverse = np.linalg.inv(rows.T @ rows)
    leverage = np.einsum("ij,jk,ik->i", rows, inverse, rows)
    meat = rows.T @ (rows * ((money - rows @ slopes) ** 2 / (1 - leverage))[:, None])
    moved = centred @ slopes[4:]
    variance = (inverse @ meat @ inverse)[1, 1] + moved @ moved / 300**2
    assert found.standard_error == pytest.approx(variance**0.5)


def test_without_features_it_is_welch() -> None:
    treated, money, _ = campaign(np.random.default_rng(2), 200)
    found = regression_adjusted(treated, money, np.empty((200, 0)))
    effect, error, _ = welch(treated, money)
    assert found.adjusted.difference == pytest.approx(effect)
    assert found.standard_error == pytest.approx(error)
    assert found.variance_cut == pytest.approx(0)


def test_cuped_takes_out_what_was_there_before() -> None:
    treated, money, before = campaign(np.random.default_rng(3), 20_000)
    found = cuped(treated, money, before)
    # var(before) = 50, var(rest) = 36: about 58 % of the scatter was known
    assert found.variance_cut == pytest.approx(0.58, abs=0.03)
    assert found.adjusted.low < 1.0 < found.adjusted.high
    assert cuped(treated, money, np.ones(20_000)).variance_cut == pytest.approx(0)


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_intervals_cover_the_effect_in_95_of_100(share: float) -> None:
    chance = np.random.default_rng(4)
    held = np.zeros(3)
    times = 700
    for _ in range(times):
        treated, money, before = campaign(chance, 250, share)
        adjusted = regression_adjusted(treated, money, before[:, None])
        by_cuped = cuped(treated, money, before)
        intervals = (adjusted.adjusted, adjusted.plain, by_cuped.adjusted)
        held += [each.low <= 1.0 <= each.high for each in intervals]
    assert ((held / times >= 0.93) & (held / times <= 0.97)).all(), held / times


def test_rates_are_covered_too() -> None:
    chance = np.random.default_rng(5)
    held = 0
    for _ in range(700):
        taste = chance.normal(size=400)
        treated = chance.random(400) < 0.5
        rate = np.clip(0.2 + 0.08 * taste + 0.1 * treated, 0.02, 0.98)
        came = chance.random(400) < rate
        found = regression_adjusted(treated, came.astype(float), taste[:, None]).adjusted
        held += found.low <= 0.1 <= found.high
    assert 0.93 <= held / 700 <= 0.97


def test_what_members_of_a_real_shop_bought_before_cuts_the_variance() -> None:
    log, cut = make.cdnow(), make.day_of("1998-04-01")
    values = rfm_values(log.member, log.day, log.amount, cut - 1)
    in_window = (log.day >= cut) & (log.day < cut + 90) & (log.amount > 0)
    who = np.searchsorted(values.member, log.member[in_window])
    after = np.bincount(who, log.amount[in_window], minlength=len(values.member))
    treated = np.random.default_rng(6).random(len(values.member)) < 0.5
    came_back = (after > 0).astype(np.float64)
    known = rfm_features(values)
    money = cuped(treated, after, values.total.astype(np.float64)).variance_cut
    rate = regression_adjusted(treated, came_back, known).variance_cut
    assert 0.11 < money < 0.15  # few members, and one who spends for fifty
    assert 0.19 < rate < 0.24


def test_recency_of_a_member_without_an_order_is_the_longest() -> None:
    values = rfm_values([1, 2, 3], [10, 4, 10], [100, 400, -50], 20)
    assert rfm_features(values)[:, :3].tolist() == [[10, 1, 100], [16, 1, 400], [17, 0, -50]]


@pytest.mark.parametrize(
    ("treated", "outcome", "says"),
    [
        ([0, 1, 2, 1], [1, 2, 3, 4], "0 and 1"),
        ([0.0, 1.0, 0.0, 1.0], [1, 2, 3, 4], "0 and 1"),
        ([0, 1, 1, 1], [1, 2, 3, 4], "two members"),
        ([0, 0, 1, 1], [1, 2, 3, np.nan], "missing"),
        ([0, 0, 1, 1], ["a", 2, 3, 4], "numbers"),
        ([0, 0, 1, 1], [1, 2, 3], "length"),
    ],
)
def test_input_that_is_no_campaign_is_refused(
    treated: list[float], outcome: list[float], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        cuped(treated, outcome, [1.0] * len(outcome))


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="too many"):
        regression_adjusted([0, 1] * 5, range(10), np.zeros((10, 3)))
    with pytest.raises(InvalidInput, match="one row"):
        regression_adjusted([0, 1] * 5, range(10), np.zeros((9, 1)))
    with pytest.raises(InvalidInput, match="confidence"):
        cuped([0, 1] * 5, range(10), range(10), confidence=1.0)
