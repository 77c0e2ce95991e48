"""Quick against slow, within kinds of trouble: figures that can be counted by hand."""

from __future__ import annotations

import pytest

from liuke.science.intervals import rate_difference
from liuke.science.solving import Tally, solving_effect


def test_a_difference_that_is_only_one_of_kinds_goes_away() -> None:
    counts = {
        "does_not_work": {"within_2h": Tally(80, 64), "later": Tally(20, 16)},
        "too_late": {"within_2h": Tally(20, 4), "later": Tally(60, 12), "unsolved": Tally(20, 4)},
    }
    found = solving_effect(counts)
    assert found.plain is not None
    assert found.adjusted is not None
    assert found.plain.difference == pytest.approx(68 / 100 - 32 / 100)
    assert found.adjusted.difference == pytest.approx(0.0)
    assert found.adjusted.low < 0 < found.adjusted.high
    assert found.cases_used == 200


def test_one_kind_alone_is_its_own_difference() -> None:
    found = solving_effect({"late": {"within_2h": Tally(10, 9), "later": Tally(10, 3)}})
    assert found.adjusted == rate_difference(9, 10, 3, 10)


def test_too_few_cases_say_nothing() -> None:
    found = solving_effect({"late": {"within_2h": Tally(4, 4), "later": Tally(90, 3)}})
    assert found.plain is None
    assert found.adjusted is None
    assert solving_effect({}).adjusted is None
