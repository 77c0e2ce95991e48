"""Which columns become features, and which are suspected of having come after the lot."""

from __future__ import annotations

import numpy as np
import pytest

from liuke.science.errors import InvalidInput
from liuke.science.uplift.columns import Column, coded, features, why_useless
from liuke.science.uplift.suspicion import suspicions

ROWS = 4_000


def numbers(name: str, values: object) -> Column:
    return Column(name, numbers=np.asarray(values, dtype=np.float64))


def test_text_becomes_one_feature_a_value_without_the_commonest() -> None:
    column = coded(Column("way", labels=["web", "phone", "web", "shop", "web", "shop"] * 2), 12)
    assert features([column], 12)[:4].tolist() == [[0, 0], [1, 0], [0, 0], [0, 1]]


def test_only_the_commonest_twenty_values_are_told_apart() -> None:
    labels = [f"town {min(place % 100, place % 37)}" for place in range(2_000)]
    assert features([coded(Column("town", labels=labels), 2_000)], 2_000).shape == (2_000, 20)


def test_a_missing_number_is_the_median_and_says_so() -> None:
    column = coded(numbers("age", [1, 5, np.nan, 9]), 4)
    assert features([column], 4).tolist() == [[1, 0], [5, 0], [5, 1], [9, 0]]


def test_without_columns_there_is_an_empty_matrix() -> None:
    assert features([], 3).shape == (3, 0)


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (numbers("one", np.ones(ROWS)), "constant"),
        (numbers("number", np.arange(ROWS)), "id_like"),
        (Column("name", labels=[f"m{place}" for place in range(ROWS)]), "id_like"),
        (numbers("spent", np.arange(ROWS) / 7), None),
        (numbers("age", np.arange(ROWS) % 60), None),
    ],
)
def test_constants_and_ids_are_useless(column: Column, why: str | None) -> None:
    assert why_useless(coded(column, ROWS)) == why


def test_ten_rows_that_all_differ_are_no_ids() -> None:
    assert why_useless(coded(Column("x", labels=list("abcdefghij")), 10)) is None


def test_columns_of_another_length_or_without_end_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one value for each row"):
        coded(numbers("x", [1.0]), 2)
    with pytest.raises(InvalidInput, match="infinite"):
        coded(numbers("x", [1.0, np.inf]), 2)


def test_what_came_after_the_lot_is_left_out_and_what_came_before_is_not() -> None:
    chance = np.random.default_rng(3)
    treated = chance.random(ROWS) < 0.5
    visit = (chance.random(ROWS) < 0.1 + 0.1 * treated).astype(float)
    buys = visit * (chance.random(ROWS) < 0.2)
    columns = [
        numbers("age", chance.integers(18, 80, ROWS)),
        Column("way", labels=chance.choice(["web", "phone"], ROWS).tolist()),
        numbers("opened", treated & (chance.random(ROWS) < 0.3)),
        Column("flow", labels=np.where(treated & (visit > 0), "b", "a").tolist()),
        numbers("bought", buys),
        numbers("spend", np.round(buys * chance.exponential(50, ROWS), 2)),
    ]
    found = suspicions([coded(each, ROWS) for each in columns], treated, visit)
    assert {each.name: each.left_out for each in found} == {
        "age": None,
        "way": None,
        "opened": "follows_the_arm",
        "flow": "follows_the_arm",
        "bought": "follows_the_outcome",
        "spend": "follows_the_outcome",
    }


def test_the_outcome_in_other_units_is_recognised() -> None:
    chance = np.random.default_rng(4)
    spend = chance.exponential(50, ROWS)
    arms = chance.random(ROWS) < 0.5
    columns = [coded(numbers("cents", np.rint(spend * 100)), ROWS)]
    columns += [coded(numbers("before", spend + chance.exponential(50, ROWS)), ROWS)]
    found = suspicions(columns, arms, spend)
    assert [each.left_out for each in found] == ["follows_the_outcome", None]
