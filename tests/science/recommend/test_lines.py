"""What a basket is, and what came next."""

from __future__ import annotations

import numpy as np
import pytest

from liuke.science.errors import InvalidInput
from liuke.science.recommend.lines import read_lines
from liuke.science.recommend.recall import next_baskets, recall


def test_a_basket_is_a_members_day_and_an_item_is_in_it_once() -> None:
    lines = read_lines([7, 7, 7, 9], [3, 3, 4, 3], [50, 50, 40, 40])
    assert lines.members.tolist() == [7, 9]
    assert lines.items.tolist() == [40, 50]
    assert list(zip(lines.member, lines.day, lines.basket, lines.item, strict=True)) == [
        (0, 3, 0, 1),
        (0, 4, 1, 0),
        (1, 3, 2, 0),
    ]


def test_an_order_number_parts_a_day_and_joins_two() -> None:
    lines = read_lines([1, 1, 1, 1], [5, 5, 6, 5], [10, 11, 12, 13], [1, 2, 2, -1])
    assert dict(zip(lines.item.tolist(), lines.basket.tolist(), strict=True)) == {
        3: 0,  # without a number: the day's own basket
        0: 1,
        1: 2,
        2: 2,
    }
    assert lines.day.tolist() == [5, 5, 5, 5]  # an order is of its first day


def test_two_members_never_share_an_order_number() -> None:
    assert read_lines([1, 2], [5, 5], [10, 10], [3, 3]).basket.tolist() == [0, 1]


def test_bad_columns_are_refused() -> None:
    for columns in (
        ([1], [5, 6], [1]),
        ([1], [-1], [1]),
        ([1.5], [5], [1]),
        ([1], [5], [float("nan")]),
    ):
        with pytest.raises(InvalidInput):
            read_lines(*columns)


def test_nothing_at_all_is_a_log_of_nobody() -> None:
    empty = np.empty(0, dtype=np.int64)
    assert len(read_lines(empty, empty, empty).members) == 0


def test_the_truth_is_the_first_basket_within_the_horizon_of_members_with_history() -> None:
    lines = read_lines(
        [1, 1, 1, 1, 2, 3, 3, 4],
        [10, 12, 12, 13, 12, 9, 20, 10],
        [5, 5, 6, 7, 5, 5, 6, 5],
    )
    truth = next_baskets(lines, 10, 5)
    assert truth.by_member(new_only=False) == {0: {0, 1}}  # 2 is new, 3 is late, 4 stays away
    assert truth.by_member(new_only=True) == {0: {1}}


def test_recall_is_the_mean_share_of_baskets_foretold() -> None:
    truth = {1: {10, 11}, 2: {10}, 3: {12}}
    assert recall({1: [10, 9], 2: [10]}, truth) == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert recall({}, {}) is None
