"""Looking before the end: boundaries against the published tables, and campaigns looked at every day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.uplift import LOOKS, SEEN_91, daily, found_by
from liuke.science.errors import InvalidInput
from liuke.science.experiments import anytime_confidence
from liuke.science.sequential import boundaries, crossing_chances, spend, width_of_look

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_five_looks_spent_like_o_brien_and_fleming_have_the_published_bounds() -> None:
    # Reboussin, DeMets, Kim, Lan, Controlled Clinical Trials 21 (2000) 190, table of two-sided .05
    assert boundaries(FIFTHS).bounds == pytest.approx(
        [4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4
    )


def test_five_looks_spent_like_pocock_have_the_published_bounds() -> None:
    assert boundaries(FIFTHS, spending="pocock").bounds == pytest.approx(
        [2.4380, 2.4268, 2.4101, 2.3966, 2.3859], abs=1e-4
    )


@pytest.mark.parametrize(
    ("looks", "pocock", "first"), [(2, 2.178, 1.977), (5, 2.413, 2.040), (10, 2.555, 2.087)]
)
def test_the_classical_constants_spend_five_in_a_hundred(
    looks: int, pocock: float, first: float
) -> None:
    # Jennison and Turnbull (2000), tables 2.1 and 2.3
    at = np.arange(1, looks + 1) / looks
    assert crossing_chances(at, [pocock] * looks).sum() == pytest.approx(0.05, abs=1e-4)
    assert crossing_chances(at, first / np.sqrt(at)).sum() == pytest.approx(0.05, abs=1e-4)


def test_usual_intervals_looked_at_five_times_alarm_in_14_of_100() -> None:
    # Armitage, McPherson, Rowe (1969), table 2
    assert crossing_chances(FIFTHS, [1.96] * 5).sum() == pytest.approx(0.142, abs=5e-4)


def test_a_single_look_is_the_usual_test() -> None:
    assert boundaries([1.0]).bounds == pytest.approx([1.959964], abs=1e-6)
    assert crossing_chances([1.0], [1.959964], effect=2.8016).sum() == pytest.approx(0.8, abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6),
    st.sampled_from(["obrien_fleming", "pocock"]),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_whatever_the_looks_no_more_than_alpha_is_spent(
    looks: list[float], spending: str, alpha: float
) -> None:
    at = sorted({round(each, 2) for each in looks})
    found = boundaries(at, alpha=alpha, spending=spending)  # type: ignore[arg-type]
    assert np.cumsum(crossing_chances(at, found.bounds)) == pytest.approx(found.spent, abs=1e-8)
    assert found.spent[-1] <= alpha


def test_later_looks_change_no_earlier_bound() -> None:
    assert boundaries([0.3, 0.5]).bounds.tolist() == boundaries([0.3, 0.5, 0.9]).bounds[:2].tolist()


def test_hardly_anything_may_be_spent_at_the_start() -> None:
    assert spend(0.01, 0.05, "obrien_fleming") < 1e-30
    assert spend(1.0, 0.05, "pocock") == 0.05
    assert boundaries([0.001, 1.0]).bounds[0] == 37.0


def test_daily_looks_raise_no_false_alarms_and_lose_little_power() -> None:
    chance = np.random.default_rng(31)
    alarms, power = (found_by(daily(chance, 20_000, effect)) for effect in (0.0, SEEN_91))
    assert alarms["daily_naive"] > 25
    assert alarms["obrien_fleming"] <= 5.3  # 5 in truth; 20,000 campaigns scatter by .15
    assert alarms["pocock"] <= 5.3
    assert alarms["always_valid"] <= 5
    assert power["once"] == pytest.approx(91, abs=1)
    assert power["obrien_fleming"] >= 88
    assert power["pocock"] >= 80
    assert power["always_valid"] < power["pocock"]


def test_the_power_of_thirty_looks_is_known_without_simulation() -> None:
    at = np.arange(1, LOOKS + 1) / LOOKS
    chances = crossing_chances(at, boundaries(at).bounds, effect=SEEN_91)
    assert chances.sum() == pytest.approx(0.897, abs=1e-3)


def test_with_a_known_end_the_interval_is_narrower_than_the_one_that_holds_for_ever() -> None:
    looks = [500, 1_000, 1_500, 2_000]
    planned = width_of_look(looks, at_most=2_000, planned=2_000)
    for_ever = width_of_look(looks, at_most=None, planned=2_000)
    assert planned == pytest.approx(boundaries([0.25, 0.5, 0.75, 1.0]).bounds[-1])
    assert 1.96 < planned < 2.1 < for_ever
    assert for_ever == pytest.approx(3.04, abs=0.01)
    assert anytime_confidence(2_000, planned=2_000) == pytest.approx(0.9976, abs=1e-4)


def test_more_members_than_planned_are_looked_at_once_and_no_more() -> None:
    width = width_of_look([900, 1_100], at_most=1_000, planned=1)
    assert width == pytest.approx(boundaries([0.9, 1.0]).bounds[-1])
    with pytest.raises(InvalidInput, match="the last"):
        width_of_look([1_000, 1_100], at_most=1_000, planned=1)


@pytest.mark.parametrize(
    "fractions", [[], [0.0, 1.0], [0.5, 0.5], [0.6, 0.5], [0.5, 1.1], [0.5, 0.50001]]
)
def test_looks_that_cannot_be_are_refused(fractions: list[float]) -> None:
    with pytest.raises(InvalidInput):
        boundaries(fractions)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidInput):
        boundaries([1.0], alpha=0.0)
    with pytest.raises(InvalidInput):
        boundaries([1.0], spending="haybittle")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        crossing_chances([0.5, 1.0], [2.0])
    with pytest.raises(InvalidInput):
        width_of_look([], at_most=None, planned=1)
