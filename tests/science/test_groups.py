"""Naming members: rules in order, coverage, the Chinese eight."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuke.science.errors import InvalidInput
from liuke.science.groups import (
    CHINESE_EIGHT,
    NO_GROUP,
    GroupRule,
    assign_groups,
    chinese_eight,
    coverage,
)
from liuke.science.rfm import RfmScores, RfmValues, rfm_scores, rfm_values
from tests.science.make import Log, cdnow, day_of, log_of, logs

DIMENSIONS = ("days", "orders", "total", "r", "f", "m")

TOTAL = (
    GroupRule(key="prospect", orders_max=0),
    GroupRule(key="champion", r_min=4, f_min=4),
    GroupRule(key="first", orders_max=1, days_max=30),
    GroupRule(key="recent", days_max=30),
    GroupRule(key="large", total_min=5_000),
    GroupRule(key="rest"),
)


def naive_group(person: dict[str, int], rules: list[GroupRule]) -> int:
    for index, rule in enumerate(rules):
        fits = True
        for name in DIMENSIONS:
            low, high = getattr(rule, f"{name}_min"), getattr(rule, f"{name}_max")
            bounded = low is not None or high is not None
            if bounded and name in ("days", "r", "f", "m") and person["orders"] == 0:
                fits = False
            if low is not None and not person[name] >= low:
                fits = False
            if high is not None and not person[name] <= high:
                fits = False
        if fits:
            return index
    return NO_GROUP


def people_of(values: RfmValues, scores: RfmScores) -> list[dict[str, int]]:
    facts = (values.days_since_last_order, values.orders, values.total)
    columns = [each.tolist() for each in (*facts, scores.r, scores.f, scores.m)]
    rows = zip(*columns, strict=True)
    return [dict(zip(DIMENSIONS, row, strict=True)) for row in rows]


@st.composite
def rule_lists(draw: st.DrawFn, *, names: tuple[str, ...] = DIMENSIONS) -> list[GroupRule]:
    ranges = {"days": (0, 4), "orders": (0, 4), "total": (-3, 3)}
    rules = []
    for index in range(draw(st.integers(0, 5))):
        bounds: dict[str, int | None] = {}
        for name in names:
            side = st.none() | st.integers(*ranges.get(name, (1, 5)))
            low, high = draw(side), draw(side)
            if low is not None and high is not None and low > high:
                low, high = high, low
            bounds |= {f"{name}_min": low, f"{name}_max": high}
        rules.append(GroupRule(key=str(index), **bounds))
    return rules


def test_the_first_matching_rule_wins() -> None:
    log = log_of([(1, 90, 100), (2, 10, 9_000), (3, 90, 9_000), (4, 95, -5), (5, 1, 1)])
    values = rfm_values(*log.columns, as_of_day=100)
    rules = TOTAL[:1] + TOTAL[2:]
    found = assign_groups(values, rfm_scores(values), rules)
    keys = [rules[index].key for index in found.tolist()]
    assert keys == ["first", "large", "first", "prospect", "rest"]


def test_a_bound_on_days_or_scores_never_matches_a_member_without_an_order() -> None:
    values = rfm_values([1], [1], [-5], as_of_day=9)
    rules = [
        GroupRule(key="a", days_max=30),
        GroupRule(key="b", days_min=0),
        GroupRule(key="c", r_max=5),
        GroupRule(key="d", f_max=2),
    ]
    assert assign_groups(values, rfm_scores(values), rules).tolist() == [NO_GROUP]


@given(logs(span=6), rule_lists())
def test_groups_equal_a_plain_reading_of_the_rules(log: Log, rules: list[GroupRule]) -> None:
    values = rfm_values(*log.columns, as_of_day=6)
    scores = rfm_scores(values)
    expected = [naive_group(person, rules) for person in people_of(values, scores)]
    assert assign_groups(values, scores, rules).tolist() == expected


@given(logs())
def test_total_rules_leave_nobody_out(log: Log) -> None:
    assert coverage(TOTAL).is_total
    values = rfm_values(*log.columns, as_of_day=300)
    found = assign_groups(values, rfm_scores(values), TOTAL)
    assert ((found >= 0) & (found < len(TOTAL))).all()


@settings(max_examples=40)
@given(rule_lists(names=("days", "orders", "total", "r")))
def test_coverage_agrees_with_trying_every_combination(rules: list[GroupRule]) -> None:
    tried = itertools.product(range(6), range(1, 6), range(-4, 5), range(1, 6))
    found = [
        naive_group({"days": d, "orders": o, "total": t, "r": r, "f": 3, "m": 3}, rules)
        for d, o, t, r in tried
    ]
    result = coverage(rules)
    assert result.is_total == (NO_GROUP not in found)
    if result.gap is None:
        assert result.is_total
    else:
        assert naive_group(result.gap, rules) == NO_GROUP
        assert result.gap["days"] >= 0
        assert result.gap["orders"] >= 1
        assert 1 <= result.gap["r"] <= 5
    never = {rule.key for i, rule in enumerate(rules) if i not in found and rule.orders_max != 0}
    assert set(result.unreachable) == never


def test_a_hole_of_one_day_is_found() -> None:
    rules = [GroupRule(key="near", days_max=29), GroupRule(key="far", days_min=31)]
    result = coverage(rules)
    assert not result.is_total
    assert result.gap is not None
    assert result.gap["days"] == 30


def test_no_rules_cover_nobody() -> None:
    assert not coverage([]).is_total


def test_a_rule_that_never_wins_is_named() -> None:
    rules = [GroupRule(key="all"), GroupRule(key="champion", r_min=5), TOTAL[0]]
    assert coverage(rules).unreachable == ("champion",)


def test_25_cells_by_recency_and_frequency_are_total_and_disjoint() -> None:
    grid = [
        GroupRule(key=f"{r}{f}", r_min=r, r_max=r, f_min=f, f_max=f)
        for r in range(1, 6)
        for f in range(1, 6)
    ]
    assert coverage(grid).is_total
    assert not coverage(grid[:12] + grid[13:]).is_total
    log = cdnow()
    values = rfm_values(*log.columns, as_of_day=day_of("1998-06-30"))
    scores = rfm_scores(values)
    forward = assign_groups(values, scores, grid)
    backward = assign_groups(values, scores, grid[::-1])
    assert (forward == 24 - backward).all()
    assert (forward == (scores.r - 1) * 5 + scores.f - 1).all()


@pytest.mark.parametrize(
    "bounds",
    [{"days_min": 5, "days_max": 4}, {"r_min": 0}, {"m_max": 6}, {"total_max": 2**63}],
)
def test_a_rule_that_cannot_be_meant_is_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        GroupRule(key="x", **bounds)


def test_rules_need_keys_of_their_own() -> None:
    with pytest.raises(InvalidInput):
        GroupRule(key="")
    values = rfm_values([1], [1], [1], as_of_day=1)
    twice = [GroupRule(key="x"), GroupRule(key="x")]
    with pytest.raises(InvalidInput):
        assign_groups(values, rfm_scores(values), twice)
    with pytest.raises(InvalidInput):
        coverage(twice)


def test_scores_of_other_members_are_refused() -> None:
    values = rfm_values([1, 2], [1, 1], [1, 1], as_of_day=1)
    others = rfm_scores(rfm_values([1], [1], [1], as_of_day=1))
    with pytest.raises(InvalidInput):
        assign_groups(values, others, [])


def test_too_many_bounds_are_refused_rather_than_filling_the_memory() -> None:
    rules = [
        GroupRule(key=str(i), days_min=i, orders_min=i, total_min=i, r_min=1 + i % 5)
        for i in range(400)
    ]
    with pytest.raises(InvalidInput):
        coverage(rules)


def test_chinese_eight_worked_by_hand() -> None:
    # days 0 and 10: mean 5. orders 1, 2: mean 1.5. total 10, 40: mean 25.
    log = log_of([(1, 100, 10), (2, 90, 20), (2, 90, 20), (3, 95, -1)])
    groups = chinese_eight(rfm_values(*log.columns, as_of_day=100))
    assert (groups.days_max, groups.orders_min, groups.total_min) == (5, 2, 25)
    assert [groups.keys[i] if i >= 0 else None for i in groups.index.tolist()] == [
        "general_develop",
        "important_keep",
        None,
    ]


def test_chinese_eight_are_the_eight_corners_in_the_names_operators_know() -> None:
    corners = {(c.is_recent, c.is_frequent, c.is_generous): c.chinese for c in CHINESE_EIGHT}
    assert corners == {
        (True, True, True): "重要价值",
        (False, True, True): "重要保持",
        (True, False, True): "重要发展",
        (False, False, True): "重要挽留",
        (True, True, False): "一般价值",
        (False, True, False): "一般保持",
        (True, False, False): "一般发展",
        (False, False, False): "一般挽留",
    }


@given(logs(span=20))
def test_chinese_eight_compare_each_member_with_the_exact_mean(log: Log) -> None:
    values = rfm_values(*log.columns, as_of_day=20)
    people = people_of(values, rfm_scores(values))
    buyers = [person for person in people if person["orders"]]
    n = len(buyers)
    sums = {name: sum(p[name] for p in buyers) for name in ("days", "orders", "total")}
    for person, index in zip(people, chinese_eight(values).index.tolist(), strict=True):
        if not person["orders"]:
            assert index == NO_GROUP
            continue
        corner = CHINESE_EIGHT[index]
        assert corner.is_recent == (person["days"] * n <= sums["days"])
        assert corner.is_frequent == (person["orders"] * n >= sums["orders"])
        assert corner.is_generous == (person["total"] * n >= sums["total"])


def test_nobody_at_all_is_no_crash() -> None:
    values = rfm_values([], [], [], as_of_day=1)
    assert chinese_eight(values).index.shape == (0,)
    assert assign_groups(values, rfm_scores(values), TOTAL).dtype == np.int32
