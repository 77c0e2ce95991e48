"""Members whose hazard is known: how near the forecast comes to the truth, and whether it names the cause."""

from __future__ import annotations

import numpy as np
import pytest

from liuke.science.churn.behaviour import Behaviour
from liuke.science.churn.forecast import ChurnForecast, forecast
from liuke.science.churn.history import read_history
from liuke.science.churn.reasons import CODES, NO_REASON
from liuke.science.churn.scoring import auc
from tests.science.churn.worlds import CAUSES, World, leaving_members


@pytest.fixture(scope="module")
def world() -> World:
    return leaving_members()


@pytest.fixture(scope="module")
def found(world: World) -> ChurnForecast:
    return forecast(*world.log, world.as_of, world.horizon, signals=world.signals)


def first_reasons(found: ChurnForecast) -> list[str]:
    return [CODES[code] if code != NO_REASON else "" for code in found.reasons.code[:, 0].tolist()]


def test_the_forecast_ranks_nearly_as_well_as_one_who_knows_the_hazard(
    world: World, found: ChurnForecast
) -> None:
    whole = read_history(*world.log, world.as_of + world.horizon)
    left = ~whole.bought_within(world.as_of, world.as_of + world.horizon)[
        whole.first <= world.as_of
    ]
    oracle = auc(world.truth[found.member], left)
    assert oracle - auc(found.probability, left) < 0.02


def test_the_first_reason_is_the_true_cause(world: World, found: ChurnForecast) -> None:
    causes = np.array(CAUSES)[world.cause[found.member]]
    right = np.array(first_reasons(found)) == causes
    assert float(right[causes != ""].mean()) >= 0.7
    for cause in CAUSES[1:]:
        assert float(right[causes == cause].mean()) >= 0.6


def test_what_is_always_shown_is_shown(world: World, found: ChurnForecast) -> None:
    shown = found.reasons
    causes = np.array(CAUSES)[world.cause[found.member]]
    assert np.nanmedian(shown.login_trend[causes == ""]) == pytest.approx(1.0, abs=0.15)
    assert np.nanmedian(shown.login_trend[causes == "login_fading"]) < 0.5
    assert np.nanmedian(shown.value_trend[causes == "value_falling"]) < 0.6
    assert np.isfinite(shown.complaints).all()
    assert shown.open_complaints[causes == "complaint"].mean() > 0.5


def test_without_any_past_the_reasons_are_read_off_the_members_own_figures() -> None:
    days = [18_000, 18_010, 18_020, 18_030]
    log = ([1] * 4, days, [900, 900, 900, 900])
    complaint = Behaviour([1, 7], [18_032, 18_032], [False, False])
    found = forecast(*log, 18_060, 30, signals={"complaint": complaint})
    assert first_reasons(found) == ["complaint"]
    assert found.reasons.open_complaints.tolist() == [1.0]
    assert CODES[found.reasons.code[0, 1]] == "waiting"
    assert np.isnan(found.reasons.login_trend[0])


def test_a_complaint_that_ended_well_is_no_open_one() -> None:
    log = ([1] * 4, [18_000, 18_010, 18_020, 18_030], [900] * 4)
    complaint = Behaviour([1], [18_032], [True])
    found = forecast(*log, 18_060, 30, signals={"complaint": complaint})
    assert found.reasons.open_complaints.tolist() == [0.0]
    assert first_reasons(found) == ["complaint"] or first_reasons(found) == ["waiting"]


def test_what_happened_after_the_day_is_not_known() -> None:
    log = ([1] * 4, [18_000, 18_010, 18_020, 18_030], [900] * 4)
    later = {"complaint": Behaviour([1], [18_061], [False])}
    plain = forecast(*log, 18_060, 30)
    again = forecast(*log, 18_060, 30, signals=later)
    assert again.probability.tolist() == plain.probability.tolist()
    assert again.reasons.code.tolist() == plain.reasons.code.tolist()
