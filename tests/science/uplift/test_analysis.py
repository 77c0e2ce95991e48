"""Whole campaigns with a known truth: what is said of them, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.uplift import coverage, mailing
from liuke.science.errors import InvalidInput
from liuke.science.intervals import rate_difference
from liuke.science.uplift.analysis import Uplift, analyse
from liuke.science.uplift.columns import Column
from liuke.science.uplift.effect import average_effect


def analysed(seed: int, rows: int, **world: float) -> Uplift:
    told = mailing(np.random.default_rng(seed), rows, **world)
    return analyse(told.treated, told.visit, told.columns)


def test_where_uplift_differs_it_is_told_whom_to_send_to() -> None:
    told = mailing(np.random.default_rng(1), 6_000, effect=0.1, spread=0.9)
    found = analyse(told.treated, told.visit, told.columns)
    assert found.advice == "target"
    assert found.ranking is not None
    assert found.ranking.qini > 2 * found.ranking.null_975
    assert np.corrcoef(found.uplift, told.uplift)[0, 1] > 0.6
    assert found.uplift.mean() == pytest.approx(found.effect.effect.difference)
    assert set(found.qinis) > {"t_boosted", "x_boosted", "dr_boosted", "mean_of_all"}


@pytest.mark.parametrize(
    ("effect", "says"), [(0.08, "send_to_all"), (-0.07, "send_to_none"), (0.0, "nothing_to_learn")]
)
def test_where_it_does_not_there_is_one_word_for_all(effect: float, says: str) -> None:
    assert analysed(3, 2_500, effect=effect, spread=0.0).advice == says


def test_a_rate_without_much_to_adjust_has_the_interval_anybody_can_check() -> None:
    told = mailing(np.random.default_rng(4), 2_500)
    found = analyse(told.treated, told.visit, told.columns)
    first, second = told.visit[told.treated], told.visit[~told.treated]
    by_hand = rate_difference(int(first.sum()), len(first), int(second.sum()), len(second))
    assert found.effect.effect == by_hand
    assert not found.effect.is_adjusted


def test_money_that_follows_what_was_known_is_adjusted() -> None:
    chance = np.random.default_rng(5)
    before, treated = chance.gamma(2, 50, 3_000), chance.random(3_000) < 0.8
    after = before + chance.gamma(2, 20, 3_000) + 3 * treated
    found = analyse(treated, after, [Column("before", numbers=before)])
    assert found.effect.is_adjusted
    assert found.effect.variance_cut > 0.7
    assert found.effect.effect.low < 3 < found.effect.effect.high
    assert found.control_share == 0.2
    assert found.advice == "send_to_all"


def test_money_that_is_mostly_zero_has_the_score_interval_and_any_other_welch() -> None:
    treated = np.arange(400) % 2 == 0
    money = np.where(np.arange(400) % 7 == 0, 19.99, 0.0) + 0.01 * treated
    mostly_zero = np.where(np.arange(400) % 7 == 0, 19.99 + treated, 0.0)
    lopsided = average_effect(treated, mostly_zero).effect
    assert lopsided.high - lopsided.difference != pytest.approx(lopsided.difference - lopsided.low)
    even = average_effect(treated, money - 1).effect
    assert even.high - even.difference == pytest.approx(even.difference - even.low)


def test_intervals_of_simulated_campaigns_cover_the_truth() -> None:
    for name, covered in coverage(np.random.default_rng(6), 1_000, 300).items():
        assert 93 <= covered <= 97.5, name


def test_a_lot_that_did_not_come_out_as_drawn_is_suspect() -> None:
    told = mailing(np.random.default_rng(8), 1_000, share=0.3)
    found = analyse(told.treated, told.visit, [], control_share=0.5)
    assert found.advice == "suspect"
    assert found.sample_ratio_p < 1e-9
    by_itself = analyse(told.treated, told.visit, [])  # as of a lot with three of four in control
    assert (by_itself.control_share, by_itself.advice) == (0.75, "not_enough_data")


def test_groups_chosen_by_what_was_known_are_suspect_and_keep_their_columns() -> None:
    chance = np.random.default_rng(9)
    taste = chance.normal(size=(1_000, 3))
    treated = taste.sum(axis=1) + chance.normal(size=1_000) > 0
    came = (chance.random(1_000) < 0.3).astype(float)
    columns = [Column(name, numbers=taste[:, at]) for at, name in enumerate("abc")]
    found = analyse(treated, came, columns)
    assert found.advice == "suspect"
    assert found.used == ["a", "b", "c"]
    assert [each.name for each in found.odd] == ["a", "b", "c"]


def test_a_score_that_is_not_better_than_random_is_flagged_as_that() -> None:
    told = mailing(np.random.default_rng(10), 3_000, effect=0.08, spread=0.9)
    months = told.columns[0].numbers
    assert months is not None
    by_risk = analyse(told.treated, told.visit, [], risk=np.ones(3_000)).risk
    by_truth = analyse(told.treated, told.visit, [], risk=told.uplift).risk
    assert by_risk is not None
    assert by_truth is not None
    assert (by_risk.is_learnable, by_truth.is_learnable) == (False, True)


def test_ten_rows_are_measured_and_nothing_is_said() -> None:
    treated, came = 1 - np.arange(10) % 2, np.array([1, 0, 1, 0, 1, 0, 1, 0, 0, 1])
    found = analyse(treated, came, [Column("x", numbers=np.arange(10.0))])
    assert found.advice == "not_enough_data"
    assert (found.ranking, found.learner) == (None, None)
    assert found.effect.effect == rate_difference(4, 5, 1, 5)
    assert found.uplift.tolist() == pytest.approx([0.6] * 10)


@pytest.mark.parametrize(
    ("treated", "outcome", "says"),
    [
        ([0, 0, 1, 1], [1, 1, 1, 1], "same for all"),
        ([1, 1, 1, 1], [1, 2, 3, 4], "two members"),
        ([0, 0, 1, 1], [1, 2, 3, np.inf], "infinite"),
    ],
)
def test_what_is_no_campaign_is_refused(
    treated: list[int], outcome: list[float], says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        analyse(treated, outcome, [])
