"""Qini against counts by hand, and chance against itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.uplift.qini import judged, qini

ARMS = np.array([True, False, True, False, True, False, True, False])
CAME = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def test_a_score_that_gains_all_at_once_is_counted_by_hand() -> None:
    # gained after 1..8 rows, best first: 1, 1, 2, 2, 2, 2, 2, 2; random gains 2 in all
    score = np.arange(8, 0, -1.0)
    area = (0.5 + 1 + 1.5 + 2 * 5) / 8
    assert qini(score, ARMS, CAME) == pytest.approx((area - 1) / 1)


def test_the_same_score_for_all_is_random() -> None:
    assert qini(np.zeros(8), ARMS, CAME) == 0.0


def test_the_worst_score_is_below_random() -> None:
    assert qini(np.arange(8.0), ARMS, CAME) < 0


@given(st.permutations(range(8)))
def test_the_order_of_the_rows_changes_nothing(order: list[int]) -> None:
    score = np.array([3.0, 3.0, 2.0, 2.0, 2.0, 1.0, 0.0, 0.0])
    assert qini(score[order], ARMS[order], CAME[order]) == pytest.approx(qini(score, ARMS, CAME))


def test_where_nothing_is_gained_in_all_there_is_no_measure() -> None:
    assert np.isnan(qini(np.arange(4.0), ARMS[:4], np.ones(4)))


def test_chance_exceeds_the_null_once_in_forty() -> None:
    chance = np.random.default_rng(1)
    treated = chance.random(800) < 0.5
    came = (chance.random(800) < 0.2 + 0.1 * treated).astype(float)
    null = judged(chance.random(800), treated, came).null_975
    above = [qini(chance.random(800), treated, came) > null for _ in range(2_000)]
    assert 0.015 < np.mean(above) < 0.035


def test_a_score_that_knows_is_told_from_chance() -> None:
    chance = np.random.default_rng(2)
    treated, kind = chance.random(2_000) < 0.5, chance.integers(0, 2, 2_000)
    came = (chance.random(2_000) < 0.1 + 0.2 * treated * kind).astype(float)
    assert judged(kind.astype(float), treated, came).is_learnable
    assert not judged(-kind.astype(float), treated, came).is_learnable
