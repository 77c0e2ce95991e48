"""Intervals and concentration."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.errors import InvalidInput
from liuke.science.intervals import (
    Difference,
    Sums,
    concentration,
    mean_difference,
    rate_difference,
    scatter_per_unit,
    weighted_difference,
    wilson_interval,
)


def test_wilson_agrees_with_published_figures() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I: 81/263, 15/148, 0/20, 1/29
    found = wilson_interval([81, 15, 0, 1], [263, 148, 20, 29])
    assert found.low.round(4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert found.high.round(4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


def test_wilson_ends_are_where_the_score_test_just_rejects() -> None:
    found = wilson_interval([7], [40], confidence=0.9)
    for end in (float(found.low[0]), float(found.high[0])):
        score = (7 / 40 - end) / math.sqrt(end * (1 - end) / 40)
        assert abs(score) == pytest.approx(1.6448536269514722)


def test_nothing_out_of_nothing_says_nothing() -> None:
    found = wilson_interval([0], [0])
    assert math.isnan(found.rate[0])
    assert (found.low[0], found.high[0]) == (0.0, 1.0)


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_wilson_holds_its_rate_and_stays_a_rate(one: int, other: int) -> None:
    won, n = sorted((one, other))
    found = wilson_interval([won], [max(n, 1)])
    assert 0 <= found.low[0] <= found.rate[0] <= found.high[0] <= 1


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_a_difference_of_rates_agrees_with_published_figures(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 873, table II, method 10
    found = rate_difference(*first, *second)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.difference == pytest.approx(first[0] / first[1] - second[0] / second[1])
    swapped = rate_difference(*second, *first)
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


def test_a_difference_with_an_empty_side_says_nothing() -> None:
    for found in (rate_difference(0, 0, 3, 9), rate_difference(3, 9, 0, 0)):
        assert math.isnan(found.difference)
        assert (found.low, found.high) == (-1.0, 1.0)


def sums(*figures: int) -> Sums:
    squares = sum(each * each for each in figures)
    return Sums(len(figures), sum(figures), sum(map(abs, figures)), squares)


def test_the_scatter_per_unit_worked_by_hand() -> None:
    # means 1 and 3: squared deviations 2 and 8, four degrees of freedom; 12 units of 6 members
    assert scatter_per_unit([sums(0, 1, 2), sums(1, 3, 5)]) == pytest.approx(10 / 4 * 6 / 12)
    assert math.isnan(scatter_per_unit([sums(0, 0), sums(0)]))


def test_the_ends_of_a_mean_are_where_the_score_test_just_rejects() -> None:
    # against a group so large that its mean is certain, the ends are those of the small one
    small, spread = sums(*[0] * 30, 7, 9, 2), 6.0
    large = Sums(10**12, 5 * 10**11, 5 * 10**11, 5 * 10**11)
    found = mean_difference(small, large, common=spread)
    own = scatter_per_unit([small])
    payers = 18**2 / (49 + 81 + 4)
    mixed = (payers * own + 30 * spread) / (payers + 30)
    for end in (found.low + 0.5, found.high + 0.5):
        score = (18 / 33 - end) / math.sqrt(mixed * end / 33)
        assert abs(score) == pytest.approx(1.959964, rel=1e-3)


def test_a_difference_of_means_is_that_of_rates_where_everybody_pays_one() -> None:
    # for 0 and 1 the variance is p(1-p), not p: nearly the same when few pay
    ones = mean_difference(Sums(8_000, 160, 160, 160), Sums(2_000, 20, 20, 20))
    rates = rate_difference(160, 8_000, 20, 2_000)
    assert ones.difference == pytest.approx(rates.difference)
    assert (ones.low, ones.high) == pytest.approx((rates.low, rates.high), abs=3e-4)


def test_a_side_without_payers_still_has_bounds() -> None:
    found = mean_difference(sums(0, 0, 0, 0, 900), sums(*[0] * 10))
    assert found.difference == 180.0
    assert found.low < 0 < found.high < math.inf
    swapped = mean_difference(sums(*[0] * 10), sums(0, 0, 0, 0, 900))
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))


@given(
    st.lists(st.integers(-500, 10**6), min_size=2), st.lists(st.integers(-500, 10**6), min_size=1)
)
def test_a_difference_of_means_lies_in_its_interval(first: list[int], second: list[int]) -> None:
    found = mean_difference(sums(*first), sums(*second))
    if any(first) or any(second):
        assert found.low <= found.difference <= found.high
        tenfold = mean_difference(*(sums(*(10 * x for x in side)) for side in (first, second)))
        assert (tenfold.low, tenfold.high) == pytest.approx((10 * found.low, 10 * found.high))


@pytest.mark.parametrize(
    ("first", "second"),
    [(sums(), sums(1, 2)), (sums(1, 2), sums()), (sums(1), sums(2)), (sums(0, 0), sums(0, 0))],
)
def test_means_of_nobody_or_nothing_say_nothing(first: Sums, second: Sums) -> None:
    found = mean_difference(first, second)
    assert math.isnan(found.difference)
    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize(
    "wrong", [Sums(-1, 0, 0, 0), Sums(5, 3, 2, 4), Sums(5, 9, 9, 3), Sums(2, 9, 9, 9)]
)
def test_sums_that_no_group_can_have_are_refused(wrong: Sums) -> None:
    with pytest.raises(InvalidInput):
        mean_difference(wrong, sums(1, 2, 3))


def test_weighted_differences_worked_by_hand() -> None:
    parts = [Difference(0.1, 0.0, 0.4), Difference(0.3, -0.1, 0.7)]
    found = weighted_difference(parts, [0.25, 0.75])
    assert found.difference == pytest.approx(0.25)
    assert found.low == pytest.approx(0.25 - math.hypot(0.025, 0.3))
    assert found.high == pytest.approx(0.25 + math.hypot(0.075, 0.3))
    alone = weighted_difference(parts[:1], [1.0])
    assert (alone.difference, alone.low, alone.high) == pytest.approx((0.1, 0.0, 0.4))


def test_weights_that_do_not_fit_are_refused() -> None:
    part = Difference(0.1, 0.0, 0.4)
    for parts, weights in (([], []), ([part], [0.5, 0.5]), ([part], [-1.0])):
        with pytest.raises(InvalidInput):
            weighted_difference(parts, weights)


def test_empty_counts_give_empty_intervals() -> None:
    assert wilson_interval([], []).low.shape == (0,)


@pytest.mark.parametrize(("won", "n"), [([2], [1]), ([-1], [1]), ([1, 1], [1]), ([0.5], [1])])
def test_counts_that_cannot_be_are_refused(won: list[int], n: list[int]) -> None:
    with pytest.raises(InvalidInput):
        wilson_interval(won, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, float("nan")])
def test_a_confidence_that_cannot_be_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidInput):
        wilson_interval([1], [2], confidence=confidence)


def test_the_best_fifth_of_ten_members_worked_by_hand() -> None:
    found = concentration([10, 50, 0, -30, 20, 5, 5, 5, 5, 0])
    assert (found.top_members, found.top_money, found.money) == (2, 70, 100)
    assert found.share == 0.7


def test_a_part_of_a_member_counts_as_a_whole_one() -> None:
    assert concentration([1] * 11).top_members == 3
    assert concentration([1] * 15, 0.2).top_members == 3
    assert concentration([1] * 100, 0.07).top_members == 7  # 0.07 * 100 > 7 in floats


@given(st.lists(st.integers(-100, 100), max_size=40), st.integers(1, 100))
def test_concentration_equals_a_plain_count(totals: list[int], percent: int) -> None:
    found = concentration(totals, percent / 100)
    best = sorted((max(t, 0) for t in totals), reverse=True)
    top = -(-len(totals) * percent // 100)
    assert (found.top_members, found.top_money, found.money) == (top, sum(best[:top]), sum(best))
    assert found.share == (sum(best[:top]) / sum(best) if sum(best) else 0.0)


@pytest.mark.parametrize("share", [0.0, 1.1, float("nan")])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(InvalidInput):
        concentration([1], share)
