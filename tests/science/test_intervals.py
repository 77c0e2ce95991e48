"""Intervals and concentration."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.errors import InvalidInput
from liuke.science.intervals import concentration, rate_difference, wilson_interval


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
