"""Own rhythm: how often a member orders, and whether they are late."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuke.science.errors import InvalidInput
from liuke.science.order_log import NO_DAY
from liuke.science.rfm import RfmValues, rfm_values
from liuke.science.rhythm import (
    MEMBERS_NEEDED,
    RhythmFit,
    fit_rhythm,
    money_at_stake,
    overdue,
    own_rhythm,
)
from tests.science.make import Log, cdnow, day_of, log_of, logs, orders_on

FIT = RhythmFit(typical_days=40.0, weight=2.0, members=100, gaps=200, basis="fitted")
CDNOW_END = day_of("1998-06-30")


def log_likelihood(shape: float, scale: float, values: RfmValues) -> float:
    """The marginal likelihood of the gaps, by the gamma function and one member at a time."""
    total = 0.0
    spans = (values.last_order_day - values.first_order_day).tolist()
    for n, s in zip((values.order_days - 1).tolist(), spans, strict=True):
        if n >= 1:
            total += math.lgamma(shape + n) - math.lgamma(shape)
            total += shape * math.log(scale) - (shape + n) * math.log(scale + s)
    return total


def simulated(seed: int, members: int, shape: float, scale: float) -> Log:
    rng = np.random.default_rng(seed)
    rows = []
    for member in range(members):
        day, rate = 0.0, rng.gamma(shape, 1 / scale)
        for _ in range(1 + int(rng.integers(1, 8))):
            rows.append((member, int(day), 100))
            day = math.floor(day) + max(1.0, round(rng.exponential(1 / rate)))
    return log_of([row for row in rows if row[1] < 2_000_000])


def test_one_member_worked_by_hand() -> None:
    # gaps 10 and 30: (2 * 40 + 40) / (2 + 2) = 30 days; waits 60
    values = rfm_values(*orders_on(100, 110, 140).columns, as_of_day=200)
    rhythm = own_rhythm(values, FIT, 200)
    assert rhythm.rhythm_days.tolist() == [30.0]
    assert rhythm.gaps.tolist() == [2]
    assert rhythm.waiting_days.tolist() == [60]
    assert rhythm.overdue_ratio.tolist() == [2.0]
    assert rhythm.still_normal[0] == pytest.approx((120 / 180) ** 5)


def test_still_normal_is_the_share_of_longer_gaps_in_a_simulation() -> None:
    rng = np.random.default_rng(5)
    n, s, t = 2, 40.0, 60.0  # the member above: rate is Gamma(weight + 1 + n, weight * typical + s)
    rates = rng.gamma(FIT.weight + 1 + n, 1 / (FIT.weight * FIT.typical_days + s), 400_000)
    gaps = rng.exponential(1 / rates)
    values = rfm_values(*orders_on(100, 110, 140).columns, as_of_day=200)
    rhythm = own_rhythm(values, FIT, 200)
    assert float((gaps > t).mean()) == pytest.approx(float(rhythm.still_normal[0]), abs=0.003)
    assert float(gaps.mean()) == pytest.approx(float(rhythm.rhythm_days[0]), rel=0.02)


def test_the_fit_finds_the_population_it_was_drawn_from() -> None:
    shape, scale = 4.0, 120.0  # weight 3, typical 40 days
    log = simulated(3, 8_000, shape, scale)
    fit = fit_rhythm(rfm_values(*log.columns, as_of_day=2_000_000))
    assert fit.enough_data
    assert fit.typical_days == pytest.approx(40.0, rel=0.05)
    assert fit.weight == pytest.approx(3.0, rel=0.15)


@pytest.mark.parametrize("log", [cdnow(), simulated(8, 200, 3.0, 60.0)], ids=["cdnow", "small"])
def test_no_neighbouring_parameters_are_more_likely(log: Log) -> None:
    values = rfm_values(*log.columns, as_of_day=2_000_000)
    fit = fit_rhythm(values)
    assert fit.basis == "fitted"
    shape, scale = fit.weight + 1, fit.weight * fit.typical_days
    best = log_likelihood(shape, scale, values)
    for up in (0.9, 0.98, 1.02, 1.1):
        for across in (0.9, 0.98, 1.0, 1.02, 1.1):
            inside = 1.5 <= shape * across <= 51.0
            if inside:
                assert log_likelihood(shape * across, scale * up, values) < best
    for across in (0.95, 1.05):
        if 1.5 <= shape * across <= 51.0:
            assert log_likelihood(shape * across, scale, values) < best


def test_one_gap_of_ten_years_hardly_moves_the_fit() -> None:
    log = simulated(8, 300, 4.0, 120.0)
    plain = fit_rhythm(rfm_values(*log.columns, as_of_day=2_000_000))
    longer = log_of([*log.rows, (9_999, 0, 1), (9_999, 3_650, 1)])
    moved = fit_rhythm(rfm_values(*longer.columns, as_of_day=2_000_000))
    assert moved.typical_days == pytest.approx(plain.typical_days, rel=0.1)


def test_too_few_members_fall_back_to_the_median_and_say_so() -> None:
    rows = [(m, d, 1) for m in range(MEMBERS_NEEDED - 1) for d in (0, 10 + m)]
    fit = fit_rhythm(rfm_values(*log_of(rows).columns, as_of_day=100))
    assert (fit.basis, fit.enough_data) == ("too_few", False)
    assert (fit.typical_days, fit.weight, fit.members, fit.gaps) == (24.0, 2.0, 29, 29)
    enough = [*rows, (999, 0, 1), (999, 10, 1)]
    assert fit_rhythm(rfm_values(*log_of(enough).columns, as_of_day=100)).enough_data


def test_equal_rhythms_fall_back_and_say_so() -> None:
    rows = [(m, d, 1) for m in range(50) for d in (0, 30, 60)]
    fit = fit_rhythm(rfm_values(*log_of(rows).columns, as_of_day=100))
    assert (fit.basis, fit.enough_data, fit.typical_days) == ("all_equal", False, 30.0)


def test_without_any_gap_thirty_days_are_assumed_and_that_is_said() -> None:
    for log in (log_of([]), orders_on(5), orders_on(5, 5)):
        values = rfm_values(*log.columns, as_of_day=3_000)
        fit = fit_rhythm(values)
        assert (fit.basis, fit.enough_data, fit.typical_days) == ("no_gaps", False, 30.0)
        assert own_rhythm(values, fit, 3_000).still_normal.shape == values.member.shape


@given(logs(span=4_000))
def test_every_figure_stays_in_its_bounds(log: Log) -> None:
    values = rfm_values(*log.columns, as_of_day=8_000)
    fit = fit_rhythm(values)
    rhythm = own_rhythm(values, fit, 8_000)
    assert (rhythm.rhythm_days > 0).all()
    assert ((rhythm.still_normal >= 0) & (rhythm.still_normal <= 1)).all()
    nobody = values.orders == 0
    assert (rhythm.waiting_days[nobody] == NO_DAY).all()
    assert (rhythm.still_normal[nobody] == 1).all()
    assert (rhythm.overdue_ratio[nobody] == 0).all()
    stake = money_at_stake(values, rhythm)
    assert (stake >= 0).all()
    assert (stake <= np.maximum(values.total, 0)).all()
    assert not overdue(values, rhythm, min_orders=0, still_normal_max=1.0)[nobody].any()


@given(st.integers(0, 400), st.integers(1, 400))
def test_waiting_longer_is_never_more_normal(day: int, later: int) -> None:
    values = rfm_values(*orders_on(0, 20, 60).columns, as_of_day=60)
    now = own_rhythm(values, FIT, 60 + day)
    then = own_rhythm(values, FIT, 60 + day + later)
    assert then.still_normal[0] < now.still_normal[0]


def test_a_weekly_buyer_is_overdue_long_before_a_yearly_one() -> None:
    weekly = [(1, day, 100) for day in range(1_000, 1_100, 7)]
    yearly = [(2, day, 100) for day in (10, 375, 740, 1_098)]
    values = rfm_values(*log_of(weekly + yearly).columns, as_of_day=1_160)
    rhythm = own_rhythm(values, FIT, 1_160)
    assert overdue(values, rhythm).tolist() == [True, False]


def test_overdue_respects_each_of_its_limits() -> None:
    log = log_of([(1, 0, 1), (2, 0, 1), (2, 5, 1), (2, 10, 1)])
    values = rfm_values(*log.columns, as_of_day=900)
    rhythm = own_rhythm(values, FIT, 900)
    chance = float(rhythm.still_normal[1])
    assert overdue(values, rhythm).tolist() == [False, True]
    assert overdue(values, rhythm, min_orders=1).tolist() == [True, True]
    assert overdue(values, rhythm, still_normal_max=chance).tolist() == [False, True]
    assert not overdue(values, rhythm, still_normal_max=chance * 0.99).any()
    assert overdue(values, rhythm, lost_after_days=890).tolist() == [False, True]
    assert not overdue(values, rhythm, lost_after_days=889).any()


def test_money_at_stake_worked_by_hand() -> None:
    # rhythm 30 days as above; 3 orders, net 1000: 333.33 an order, 90 / 30 = 3 orders: capped
    log = log_of([(1, 100, 400), (1, 110, 400), (1, 140, 300), (1, 150, -100)])
    values = rfm_values(*log.columns, as_of_day=200)
    rhythm = own_rhythm(values, FIT, 200)
    assert money_at_stake(values, rhythm, 90).tolist() == [1000]
    assert money_at_stake(values, rhythm, 900).tolist() == [1000]
    assert money_at_stake(values, rhythm, 45).tolist() == [500]
    assert money_at_stake(values, rhythm, 10).tolist() == [111]
    assert money_at_stake(values, rhythm, 0).tolist() == [0]


def test_money_at_stake_is_exact_for_sums_no_float_can_hold() -> None:
    total = 2**61 + 1
    log = log_of([(1, 100, total), (1, 110, 0), (1, 140, 0)])
    values = rfm_values(*log.columns, as_of_day=200)
    rhythm = own_rhythm(values, FIT, 200)
    assert money_at_stake(values, rhythm, 90).tolist() == [total]
    assert money_at_stake(values, rhythm, 45).tolist() == [total // 2]


def test_who_sent_everything_back_has_nothing_at_stake() -> None:
    log = log_of([(1, 100, 400), (1, 110, -900), (2, 100, -5)])
    values = rfm_values(*log.columns, as_of_day=200)
    assert money_at_stake(values, own_rhythm(values, FIT, 200)).tolist() == [0, 0]


def test_cdnow_rhythms_are_counted_from_the_gaps_themselves() -> None:
    log = cdnow()
    values = rfm_values(*log.columns, as_of_day=CDNOW_END)
    fit = fit_rhythm(values)
    rhythm = own_rhythm(values, fit, CDNOW_END)
    for index, member in enumerate(values.member[:120].tolist()):
        days = sorted({d for m, d, a in zip(*log.columns, strict=True) if m == member and a >= 0})
        gaps = [int(b) - int(a) for a, b in itertools.pairwise(days)]
        own = (fit.weight * fit.typical_days + sum(gaps)) / (fit.weight + len(gaps))
        assert rhythm.gaps[index] == len(gaps)
        assert rhythm.rhythm_days[index] == pytest.approx(own)


def test_what_does_not_belong_together_is_refused() -> None:
    values = rfm_values([1, 2], [10, 20], [1, 1], as_of_day=30)
    rhythm = own_rhythm(values, FIT, 30)
    with pytest.raises(InvalidInput):
        own_rhythm(values, FIT, 19)
    with pytest.raises(InvalidInput):
        overdue(values, rhythm, still_normal_max=1.5)
    with pytest.raises(InvalidInput):
        money_at_stake(values, rhythm, -1)
    fewer = rfm_values([1], [10], [1], as_of_day=30)
    with pytest.raises(InvalidInput):
        overdue(fewer, rhythm)
    with pytest.raises(InvalidInput):
        money_at_stake(fewer, rhythm)
