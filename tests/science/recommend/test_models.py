"""The parts: habits by their formula, EASE against its own conditions, complements by hand."""

from __future__ import annotations

import numpy as np
import pytest

from liuke.science.recommend.complements import complements
from liuke.science.recommend.ease import ease, gram, owned_matrix, strongest, usual_penalty
from liuke.science.recommend.habits import habits
from liuke.science.recommend.lines import read_lines
from liuke.science.recommend.views import read_views
from tests.science.recommend.make import shop


def test_a_basket_of_a_half_life_ago_counts_half() -> None:
    found = habits(read_lines([1, 1, 1, 2], [0, 10, 20, 20], [5, 5, 6, 6]), 20, 10.0)
    assert found.weight.tolist() == [0.25 + 0.5, 1.0, 1.0]
    assert found.times.tolist() == [2, 1, 1]
    assert found.baskets.tolist() == [1.75, 1.0]
    assert found.share.tolist() == [0.75 / 2.75, 2.0 / 2.75]


def test_an_item_of_the_season_is_warmer_than_a_steady_one() -> None:
    days = [*range(200), *range(170, 200)]
    items = [1] * 200 + [2] * 30
    found = habits(read_lines(list(range(230)), days, items), 199, 90.0)
    assert found.heat[0] < 1 < found.heat[1]


def test_ease_is_the_least_error_with_a_zero_diagonal() -> None:
    """The gradient of |X - XB|^2 + penalty |B|^2 vanishes everywhere but on the diagonal."""
    lines = read_lines(*shop(members=150, items=40).columns)
    owned = owned_matrix(lines, np.arange(len(lines.items)))
    both = gram(owned)
    dense = owned.toarray().astype(np.float64)
    assert np.array_equal(both, dense.T @ dense)
    weights = ease(both, 30.0).astype(np.float64)
    assert np.all(np.diagonal(weights) == 0)
    gradient = dense.T @ (dense @ weights - dense) + 30.0 * weights
    np.fill_diagonal(gradient, 0.0)
    assert np.abs(gradient).max() < 1e-3


def test_ease_of_one_item_says_nothing_and_of_none_is_empty() -> None:
    assert ease(np.array([[3.0]], dtype=np.float32), 2.0).tolist() == [[0.0]]
    assert ease(np.empty((0, 0), dtype=np.float32), 1.0).shape == (0, 0)


def test_the_usual_penalty_is_the_owners_of_the_average_purchase() -> None:
    assert usual_penalty(np.diag([1.0, 3.0]).astype(np.float32)) == 10 / 4


def test_only_the_strongest_weights_of_a_row_are_kept() -> None:
    columns, weights = strongest(np.array([[0.0, -3.0, 2.0, 1.0]], dtype=np.float32), most=2)
    assert columns.tolist() == [[1, 2]]
    assert weights.tolist() == [[-3.0, 2.0]]


def test_complements_are_shrunk_towards_what_everybody_buys() -> None:
    """20 baskets: 1 with 2 four times, 1 alone, and 3 in the fifteen others."""
    member = [*range(4), *range(4), 4, *range(5, 20)]
    item = [1] * 4 + [2] * 4 + [1] + [3] * 15
    found = complements(read_lines(member, [7] * len(member), item))
    assert found.starts.tolist() == [0, 1, 2, 2]
    assert found.item.tolist() == [1, 0]
    assert found.both.tolist() == [4, 4]
    assert found.chance[0] == pytest.approx((4 + 10 * 0.2) / (5 + 10))
    assert found.lift[0] == pytest.approx(found.chance[0] / 0.2)


def test_a_stocktaking_is_no_basket() -> None:
    item = list(range(201))
    lines = read_lines([1] * 201 + [2] * 201, [3] * 402, item + item)
    assert len(complements(lines).item) == 0


def test_a_view_counts_by_what_views_lead_to_and_halves_weekly() -> None:
    lines = read_lines([1, 2, 3], [10, 60, 60], [5, 6, 5])
    # member 1 saw 5 and bought it; 2 saw 5 long ago, for nothing; 3 saw 6 a week ago, twice
    views = ([1, 2, 3, 3], [9, 10, 52, 53], [5, 5, 6, 6])
    found = read_views(views, lines, 60)
    assert found.starts.tolist() == [0, 0, 0, 1]
    assert found.item.tolist() == [1]
    assert found.times.tolist() == [2]
    assert found.chance[0] == pytest.approx((1 + 1) / (2 + 20) / 2)
