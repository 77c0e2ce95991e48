"""The whole forecast: a real log, chance logs, and logs too small to say anything."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuke.science.btyd import mbgnbd
from liuke.science.btyd.summary import buying_summary
from liuke.science.churn.behaviour import Behaviour
from liuke.science.churn.forecast import ChurnForecast, forecast
from liuke.science.churn.history import read_history
from liuke.science.churn.outcome import came_true
from liuke.science.churn.scoring import auc
from liuke.science.errors import InvalidInput
from tests.science.make import Log, cdnow, day_of, log_of, logs, orders_on

AS_OF, HORIZON = day_of("1998-03-31"), 90


@pytest.fixture(scope="module")
def sample() -> Log:
    return cdnow()


@pytest.fixture(scope="module")
def found(sample: Log) -> ChurnForecast:
    return forecast(*sample.columns, AS_OF, HORIZON)


def test_the_cdnow_sample_is_ranked_and_calibrated(sample: Log, found: ChurnForecast) -> None:
    seen = came_true(found, *sample.columns)
    assert seen is not None
    assert (seen.n, found.enough, found.why_not) == (2357, True, "")
    assert seen.auc is not None
    assert seen.auc > 0.82
    assert seen.brier < 0.092
    assert seen.ece < 0.04
    assert found.backtest is not None
    assert found.backtest_day == AS_OF - HORIZON


def test_the_chance_of_being_alive_is_no_churn_score(sample: Log, found: ChurnForecast) -> None:
    summary = buying_summary(*sample.columns, AS_OF)
    columns = (summary.frequency, summary.recency, summary.age)
    alive = mbgnbd.probability_alive(mbgnbd.fit(summary).params, *columns)
    whole = read_history(*sample.columns, AS_OF + HORIZON)
    left = ~whole.bought_within(AS_OF, AS_OF + HORIZON)[whole.first <= AS_OF]
    assert auc(1 - alive, left) < auc(found.probability, left) - 0.03


def test_neither_the_order_of_rows_nor_what_comes_later_changes_anything(
    sample: Log, found: ChurnForecast
) -> None:
    keep = sample.day <= AS_OF
    early = Log(*(column[keep] for column in sample.columns)).shuffled(3)
    again = forecast(*early.columns, AS_OF, HORIZON)
    assert again.member.tolist() == found.member.tolist()
    assert again.probability.tolist() == found.probability.tolist()
    assert (again.model, again.backtest) == (found.model, found.backtest)
    assert again.reasons.code.tolist() == found.reasons.code.tolist()
    assert came_true(again, *early.columns) is None


def test_without_lightgbm_it_does_without_trees_and_says_so(
    sample: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    plain = forecast(*sample.columns, AS_OF, HORIZON)
    assert plain.model in ("btyd", "logistic")
    assert "boosting_unavailable" in plain.notes


def test_too_few_members_get_a_guess_that_says_it_is_one() -> None:
    found = forecast(*orders_on(18_000, 18_010).columns, 18_020, 30)
    assert (found.enough, found.why_not, found.backtest) == (False, "too_few_members", None)
    assert 0 < float(found.probability[0]) < 1
    assert found.reasons.waiting_days.tolist() == [10]


def test_who_waits_longer_is_likelier_gone_even_in_a_guess() -> None:
    log = log_of([(1, 18_000, 500), (1, 18_090, 500), (2, 18_000, 500)])
    found = forecast(*log.columns, 18_095, 30)
    assert found.probability[0] < found.probability[1]


def test_a_log_shorter_than_its_horizon_cannot_be_checked(sample: Log) -> None:
    found = forecast(*sample.columns, day_of("1997-03-31"), 90)
    assert (found.enough, found.why_not, found.model) == (False, "history_too_short", "btyd")
    assert found.probability.min() > 0


def test_nobody_is_a_forecast_of_nobody() -> None:
    for log in (log_of([]), log_of([(1, 18_000, -500)]), orders_on(18_500)):
        found = forecast(*log.columns, 18_400, 30)
        assert (len(found.member), found.why_not) == (0, "no_orders")
        assert came_true(found, *log.columns) is None


@settings(max_examples=25, deadline=None)
@given(logs(), st.integers(0, 330), st.sampled_from([1, 7, 30, 365]))
def test_any_small_log_gives_a_chance_for_everybody_who_ordered(
    log: Log, today: int, horizon: int
) -> None:
    found = forecast(*log.columns, today, horizon)
    ordered = sorted({member for member, day, amount in log.rows if amount >= 0 and day <= today})
    assert found.member.tolist() == ordered
    assert np.isfinite(found.probability).all()
    assert ((found.probability >= 0) & (found.probability <= 1)).all()


@pytest.mark.parametrize("gap", [1, 3_650])
def test_members_who_are_all_alike_are_no_reason_to_fail(gap: int) -> None:
    rows = [(member, 10 + gap * turn, 100) for member in range(80) for turn in range(3)]
    found = forecast(*log_of(rows).columns, 10 + 3 * gap, 30)
    assert len(np.unique(found.probability)) == 1


@pytest.mark.parametrize("horizon", [0, -1, True, 4_000])
def test_a_horizon_that_is_none_is_refused(horizon: int) -> None:
    with pytest.raises(InvalidInput, match="horizon_days"):
        forecast(*orders_on(18_000).columns, 18_010, horizon)


def test_missing_values_and_unknown_behaviour_are_refused() -> None:
    with pytest.raises(InvalidInput, match="missing"):
        forecast([1.0, float("nan")], [3, 4], [5, 6], 10, 30)
    with pytest.raises(InvalidInput, match="dancing"):
        forecast([1], [3], [5], 10, 30, signals={"dancing": Behaviour([1], [3])})
