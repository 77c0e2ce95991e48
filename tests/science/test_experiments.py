"""Did it help: what may be said, against published tables, hand counts and simulated members of a known effect."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.lift import (
    World,
    coverage,
    daily_plan,
    effect_seen,
    is_alarm,
    one_shot_plan,
    orders_for,
    peeks,
    words,
)
from liuke.science.errors import InvalidInput
from liuke.science.experiments import (
    Arm,
    Comparison,
    Judged,
    Stratum,
    anytime_confidence,
    compare,
    detectable_difference,
    members_needed,
    sample_ratio_p,
    share_by_day,
    split_p,
    verdict,
)
from liuke.science.intervals import Sums, mean_difference, rate_difference


def arm(members: int, back: int, *, drawn: int | None = None, fen: int = 100) -> Arm:
    """`back` members with one order of `fen` each."""
    return Arm(
        drawn=members if drawn is None else drawn,
        came_back=back,
        orders=Sums(members, back, back, back),
        money=Sums(members, back * fen, back * fen, back * fen * fen),
    )


def compared(treated: Arm, control: Arm, share: float = 0.2) -> Comparison:
    found = compare([Stratum(share, treated, control)], planned=1_000)
    assert found is not None
    return found


# How many members it takes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "share", "rate", "points"),
    [
        (2_000, 0.2, 0.05, 3.41),
        (2_000, 0.2, 0.20, 6.26),
        (5_000, 0.2, 0.05, 2.16),
        (5_000, 0.2, 0.20, 3.96),
        (10_000, 0.1, 0.05, 2.04),
        (10_000, 0.1, 0.20, 3.74),
        (50_000, 0.1, 0.05, 0.91),
        (50_000, 0.1, 0.20, 1.67),
        (400_000, 0.05, 0.05, 0.44),
        (400_000, 0.05, 0.20, 0.81),
    ],
)
def test_what_a_hold_out_of_that_size_can_see(
    members: int, share: float, rate: float, points: float
) -> None:
    control = round(members * share)
    assert round(100 * detectable_difference(members - control, control, rate), 2) == points


def test_the_classical_sample_size_of_two_equal_groups() -> None:
    # Fleiss, Levin, Paik (2003): (1.96 + 0.8416)² * 2 * 0.25 * 0.75 / 0.05² = 1177.4 per group
    assert members_needed(0.25, 0.05, 0.5) == 2 * 1177 + 1
    assert members_needed(0.25, 0.05, 0.5, power=0.9, confidence=0.99) > 4_400


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.5), st.floats(0.01, 0.99))
def test_needed_members_are_just_enough(rate: float, difference: float, share: float) -> None:
    members = members_needed(rate, difference, share)
    factor = detectable_difference(1, 1, rate) / math.sqrt(2)

    def seen(n: int) -> float:
        return factor * math.sqrt(1 / (n * share) + 1 / (n * (1 - share)))

    assert seen(members) <= difference * (1 + 1e-9)
    assert members == 1 or seen(members - 1) >= difference * (1 - 1e-9)


def test_an_empty_group_sees_nothing() -> None:
    assert detectable_difference(100, 0, 0.1) == math.inf


@pytest.mark.parametrize(
    ("rate", "difference", "share"),
    [(0.0, 0.1, 0.5), (1.0, 0.1, 0.5), (0.1, 0.0, 0.5), (0.1, 0.1, 0.0), (0.1, math.nan, 0.5)],
)
def test_a_size_that_cannot_be_asked_for_is_refused(
    rate: float, difference: float, share: float
) -> None:
    with pytest.raises(InvalidInput):
        members_needed(rate, difference, share)
    with pytest.raises(InvalidInput):
        detectable_difference(-1, 3, 0.5)
    with pytest.raises(InvalidInput):
        members_needed(0.1, 0.1, 0.5, power=1.0)


# Was the lot drawn as promised --------------------------------------------------------------------


@pytest.mark.parametrize(("treated", "control"), [(7, 3), (10, 0), (0, 10), (5, 5), (8, 2), (0, 0)])
@pytest.mark.parametrize("share", [Fraction(1, 5), Fraction(1, 2), Fraction(1, 20)])
def test_the_odds_of_a_split_equal_an_exact_count(
    treated: int, control: int, share: Fraction
) -> None:
    n = treated + control
    chance = [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    exact = sum(each for each in chance if each <= chance[control])
    assert sample_ratio_p(treated, control, float(share)) == pytest.approx(float(exact))


def test_beyond_a_hundred_thousand_the_odds_are_nearly_the_same() -> None:
    exact, normal = sample_ratio_p(79_700, 20_300, 0.2), sample_ratio_p(79_701, 20_300, 0.2)
    assert exact == pytest.approx(normal, rel=0.02)
    assert sample_ratio_p(810_000, 190_000, 0.2) < 1e-100


def test_a_lot_without_a_control_group_has_one_outcome() -> None:
    assert (sample_ratio_p(9, 0, 0.0), sample_ratio_p(8, 1, 0.0)) == (1.0, 0.0)
    assert sample_ratio_p(0, 9, 1.0) == 1.0


def test_several_shares_are_several_chances_to_look_odd() -> None:
    odd, fair = Stratum(0.5, arm(30, 0), arm(10, 0)), Stratum(0.2, arm(80, 0), arm(20, 0))
    assert split_p([odd, fair]) == pytest.approx(2 * sample_ratio_p(30, 10, 0.5))
    assert split_p([]) == 1.0


def test_members_drawn_but_not_yet_watched_belong_to_the_split() -> None:
    assert split_p([Stratum(0.5, arm(1, 0, drawn=500), arm(1, 0, drawn=100))]) < 1e-9


@pytest.mark.parametrize(("treated", "control", "share"), [(-1, 3, 0.5), (1, 3, 1.1)])
def test_a_split_that_cannot_be_is_refused(treated: int, control: int, share: float) -> None:
    with pytest.raises(InvalidInput):
        sample_ratio_p(treated, control, share)


# Looking as often as one likes --------------------------------------------------------------------


def width(members: int, planned: int, alpha: float = 0.05) -> float:
    """Standard errors, in the form of the paper: sqrt(2 (t ρ² + 1) / (t ρ²) log(sqrt(t ρ² + 1) / α))."""
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / planned
    t = members * rho2
    return math.sqrt(2 * (t + 1) / t * math.log(math.sqrt(t + 1) / alpha))


@pytest.mark.parametrize(
    ("members", "planned"), [(500, 2_000), (2_000, 2_000), (90_000, 2_000), (1_000, 1)]
)
def test_the_wider_interval_is_that_of_the_paper(members: int, planned: int) -> None:
    from statistics import NormalDist

    confidence = anytime_confidence(members, planned=planned)
    assert NormalDist().inv_cdf(0.5 + confidence / 2) == pytest.approx(
        width(members, planned), rel=1e-4
    )


def test_it_is_narrowest_near_the_planned_number() -> None:
    near = anytime_confidence(2_000, planned=2_000)
    assert 0.9975 < near < 0.9977  # 3.04 standard errors instead of 1.96
    assert near < anytime_confidence(200, planned=2_000)
    assert near < anytime_confidence(20_000, planned=2_000)
    assert anytime_confidence(1, planned=2_000) < 1.0  # hardly anything is certain


@pytest.mark.parametrize(
    ("members", "planned", "confidence"), [(0, 1, 0.9), (1, 0, 0.9), (1, 1, 1.0)]
)
def test_a_sequence_that_cannot_be_is_refused(
    members: int, planned: int, confidence: float
) -> None:
    with pytest.raises(InvalidInput):
        anytime_confidence(members, planned=planned, confidence=confidence)


# The comparison -----------------------------------------------------------------------------------


def test_one_stratum_is_compared_by_the_intervals_of_its_figures() -> None:
    found = compared(arm(800, 200), arm(200, 20, fen=50))
    assert found.came_back == rate_difference(200, 800, 20, 200)
    always = anytime_confidence(1_000, planned=1_000)
    assert found.came_back_always == rate_difference(200, 800, 20, 200, confidence=always)
    assert found.money == mean_difference(
        Sums(800, 20_000, 20_000, 2_000_000), Sums(200, 1_000, 1_000, 50_000)
    )
    assert (found.treated.came_back, found.control.money, found.control.orders) == (0.25, 5.0, 0.1)
    assert (found.members, found.treated_members) == (1_000, 800)
    assert found.detectable == detectable_difference(800, 200, 221 / 1_002)


def test_strata_weigh_as_many_members_as_they_have() -> None:
    strata = [
        Stratum(0.5, arm(100, 60), arm(100, 50)),  # a good month: 10 points
        Stratum(0.1, arm(540, 54), arm(60, 6)),  # a bad one: none
    ]
    found = compare(strata, planned=1_000)
    assert found is not None
    # 114 of 640 against 56 of 160 would say that reaching members drove them away
    assert found.came_back.difference == pytest.approx(0.025)
    assert found.treated.came_back == pytest.approx(0.25 * 0.6 + 0.75 * 0.1)
    assert found.control.came_back == pytest.approx(0.25 * 0.5 + 0.75 * 0.1)


def test_a_stratum_with_one_group_only_says_nothing() -> None:
    alone = Stratum(0.0, arm(500, 100), arm(0, 0))
    both = Stratum(0.5, arm(100, 60), arm(100, 50))
    assert compare([alone], planned=10) is None
    assert compare([alone, both], planned=10) == compare([both], planned=10)
    assert compare([], planned=10) is None


def test_orders_and_money_wait_for_twenty_who_came_back() -> None:
    few, enough = compared(arm(80, 15), arm(20, 4)), compared(arm(80, 16), arm(20, 4))
    assert (few.orders, few.money) == (None, None)
    assert enough.orders is not None
    assert enough.money is not None
    assert compared(arm(80, 16, fen=0), arm(20, 4, fen=0)).money is None  # nobody paid anything


# The verdict --------------------------------------------------------------------------------------

CLEAR = compared(arm(800, 200), arm(200, 20))
LIKELY = compared(arm(800, 125), arm(200, 20))
EVEN = compared(arm(800, 80), arm(200, 20))
EVEN_AND_MANY = compared(arm(8_000, 800), arm(2_000, 200))


@pytest.mark.parametrize(
    ("found", "judged", "said"),
    [
        (CLEAR, "once", "helped"),
        (CLEAR, "always", "helped"),
        (CLEAR, "never", "promising"),
        (LIKELY, "once", "helped"),
        (LIKELY, "always", "promising"),
        (EVEN, "once", "not_measurable"),
        (EVEN_AND_MANY, "always", "no_difference_seen"),
        (None, "once", "not_measurable"),
    ],
)
def test_no_more_is_said_than_the_figures_hold(
    found: Comparison | None, judged: Judged, said: str
) -> None:
    assert verdict(found, is_over=True, split_p=0.5, judged=judged, worth_seeing=0.05) == said


@pytest.mark.parametrize(("judged", "said"), [("once", "harmed"), ("always", "worrying")])
def test_harm_is_said_as_readily_as_help(judged: Judged, said: str) -> None:
    found = compared(arm(800, 80), arm(200, 33))
    assert verdict(found, is_over=True, split_p=0.5, judged=judged, worth_seeing=0.05) == said


def test_a_doubtful_lot_goes_before_everything_and_patience_before_the_rest() -> None:
    assert verdict(CLEAR, is_over=False, split_p=0.0009, judged="once", worth_seeing=1) == "suspect"
    assert (
        verdict(CLEAR, is_over=False, split_p=0.001, judged="once", worth_seeing=1) == "too_early"
    )


# Day by day ---------------------------------------------------------------------------------------


def test_members_watched_for_different_times_are_all_used() -> None:
    # ten members: 2 back on day 1, 4 watched for one day only, then 1 of the 4 left on day 2
    found = share_by_day([0, 2, 1, 0], [0, 4, 0, 3])
    assert found.tolist() == pytest.approx([0.2, 1 - 0.8 * 0.75, 0.4])


def test_without_anybody_left_to_watch_the_line_ends() -> None:
    assert share_by_day([0, 1, 0, 0], [1, 0, 1, 0]).tolist()[:2] == [0.5, 0.5]
    assert math.isnan(share_by_day([0, 1, 0, 0], [1, 0, 1, 0])[2])
    assert share_by_day([0, 2, 0], [0, 0, 0]).tolist() == [1.0, 1.0]  # all are back


# Simulated members with a known effect ------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "share", "rate"), [(400, 0.2, 0.2), (1_000, 0.1, 0.1), (3_000, 0.1, 0.05)]
)
@pytest.mark.parametrize("more_often", [1.0, 1.4])
def test_intervals_cover_a_known_effect_in_95_of_100(
    members: int, share: float, rate: float, more_often: float
) -> None:
    world = World(members, share, rate, more_often)
    held = coverage(world, np.random.default_rng(11), 800)
    for name, (covered, given_) in held.items():
        assert given_ >= 300, name
        assert 0.93 <= covered / given_ <= 0.97, (name, covered / given_)


def test_without_an_effect_looking_every_day_rarely_alarms() -> None:
    chance = np.random.default_rng(12)
    once = [one_shot_plan(World(1_000, 0.2, 0.1), chance) for _ in range(600)]
    assert np.mean([is_alarm(words(days, "once")) for days in once]) <= 0.05
    assert np.mean([peeks(days) for days in once[:100]]) > 0.15  # the usual interval, each day
    daily = [
        daily_plan(20, 100, share, (0.1, 0.1), chance)
        for share, _ in product((0.2, 0.1), range(30))
    ]
    assert np.mean([is_alarm(words(days, "always")) for days in daily]) <= 0.05
    assert np.mean([peeks(days) for days in daily]) > 0.25


def test_one_run_judged_once_loses_no_power() -> None:
    treated = effect_seen(2_000, 0.2, 0.1)
    world = World(2_000, 0.2, 0.1, more_often=orders_for(treated) / orders_for(0.1))
    chance = np.random.default_rng(13)
    helped = ["helped" in words(one_shot_plan(world, chance), "once") for _ in range(400)]
    assert np.mean(helped) >= 0.85
