"""Naming members by their RFM values and scores: rules in order, first match wins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liuke.science.errors import InvalidInput
from liuke.science.order_log import NO_DAY, Bools, Int8s, Int32s, Int64s, check_same_length
from liuke.science.rfm import RfmScores, RfmValues

NO_GROUP = -1
"""The index given to a member whom no rule matches."""

_LOWEST = {"days": 0, "orders": 1, "r": 1, "f": 1, "m": 1}
_DIMENSIONS = ("days", "orders", "total", "r", "f", "m")
_SCORES = ("r", "f", "m")
_LARGEST_BOUND = 2**62
_MOST_CELLS = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRule:
    """A box of inclusive bounds; None leaves that side open. Raises InvalidInput when empty.

    ``days`` is days since the last order, ``orders`` a count, ``total`` net minor units;
    ``r, f, m`` are scores 1 to 5. A bound on days or on a score never matches a member without
    an order. ``GroupRule(key="prospect", orders_max=0)`` names exactly those.
    """

    key: str
    days_min: int | None = None
    days_max: int | None = None
    orders_min: int | None = None
    orders_max: int | None = None
    total_min: int | None = None
    total_max: int | None = None
    r_min: int | None = None
    r_max: int | None = None
    f_min: int | None = None
    f_max: int | None = None
    m_min: int | None = None
    m_max: int | None = None

    def __post_init__(self) -> None:
        if not self.key:
            raise InvalidInput("a group rule needs a key")
        for dimension in _DIMENSIONS:
            low, high = self.bounds(dimension)
            for bound in (low, high):
                _check_bound(self.key, dimension, bound)
            if low is not None and high is not None and low > high:
                raise InvalidInput(f"group {self.key}: {dimension} from {low} to {high} is empty")

    def bounds(self, dimension: str) -> tuple[int | None, int | None]:
        """Lower and upper bound on one of days, orders, total, r, f, m."""
        low: int | None = getattr(self, f"{dimension}_min")
        high: int | None = getattr(self, f"{dimension}_max")
        return low, high


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a list of rules can and cannot name, among members with at least one order.

    ``is_total``: every such member gets a group. ``gap``: one combination that gets none
    (days, orders, total, r, f, m), or None. ``unreachable``: keys of rules that never win, because
    earlier rules take all they match.
    """

    is_total: bool
    gap: dict[str, int] | None
    unreachable: tuple[str, ...]


def assign_groups(values: RfmValues, scores: RfmScores, rules: Sequence[GroupRule]) -> Int32s:
    """Index of the first rule that matches each member, in the order given; NO_GROUP (-1) if none.

    Shape (members,), int32. Raises InvalidInput when a key is used twice or ``scores`` were not
    made from ``values``.
    """
    _check_rules(rules)
    check_same_length(member=values.member, r=scores.r, f=scores.f, m=scores.m)
    columns: dict[str, Int8s | Int32s | Int64s] = {
        "days": values.days_since_last_order,
        "orders": values.orders,
        "total": values.total,
        "r": scores.r,
        "f": scores.f,
        "m": scores.m,
    }
    has_order = values.orders > 0
    group = np.full(len(values.member), NO_GROUP, dtype=np.int32)
    for index, rule in enumerate(rules):
        matches = group == NO_GROUP
        for dimension, column in columns.items():
            low, high = rule.bounds(dimension)
            if low is None and high is None:
                continue
            matches &= _within(column, low, high)
            if dimension not in ("orders", "total"):
                matches &= has_order
        group[matches] = index
    return group


def coverage(rules: Sequence[GroupRule]) -> Coverage:
    """Whether the rules name every member with an order, decided exactly and without data.

    The bounds cut each of the six dimensions into intervals within which no rule can tell two
    values apart, so one point of each cell speaks for all of it. Scores count as free of the
    values: total here means total for every population. Raises InvalidInput when a key is used
    twice or the bounds make more than 20 million cells.
    """
    _check_rules(rules)
    points = {dimension: _points(rules, dimension) for dimension in _DIMENSIONS}
    shape = tuple(len(column) for column in points.values())
    if math.prod(shape) > _MOST_CELLS:
        raise InvalidInput("too many different bounds to check every combination")
    owner = np.full(shape, NO_GROUP, dtype=np.int32)
    for index, rule in enumerate(rules):
        box = np.ix_(*(_within(points[name], *rule.bounds(name)) for name in _DIMENSIONS))
        owner[box] = np.where(owner[box] == NO_GROUP, index, owner[box])
    winners = set(np.unique(owner).tolist())
    unreachable = tuple(
        rule.key
        for index, rule in enumerate(rules)
        if index not in winners and rule.orders_max != 0
    )
    return Coverage(NO_GROUP not in winners, _first_gap(owner, points), unreachable)


@dataclass(frozen=True, slots=True)
class EightClass:
    """One of the eight classes: stable key, the Chinese name operators know, and its corner."""

    key: str
    chinese: str
    is_recent: bool
    is_frequent: bool
    is_generous: bool


CHINESE_EIGHT: tuple[EightClass, ...] = (
    EightClass("important_value", "重要价值", True, True, True),
    EightClass("important_keep", "重要保持", False, True, True),
    EightClass("important_develop", "重要发展", True, False, True),
    EightClass("important_win_back", "重要挽留", False, False, True),
    EightClass("general_value", "一般价值", True, True, False),
    EightClass("general_keep", "一般保持", False, True, False),
    EightClass("general_develop", "一般发展", True, False, False),
    EightClass("general_win_back", "一般挽留", False, False, False),
)
"""The model Chinese operators expect: R, F and M each high or low against the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class EightGroups:
    """``index`` into CHINESE_EIGHT, int8, shape (members,), NO_GROUP without an order; and the
    bounds that decided: at most ``days_max``, at least ``orders_min``, at least ``total_min``.
    """

    index: Int8s
    keys: tuple[str, ...]
    days_max: int
    orders_min: int
    total_min: int


def chinese_eight(values: RfmValues) -> EightGroups:
    """Put every member with an order in one of CHINESE_EIGHT; total and disjoint by construction.

    High means *not worse than the mean* over members with an order: ``days <= floor(mean)``,
    ``orders >= ceil(mean)``, ``total >= ceil(mean)``, in exact integers. The mean follows a few
    large buyers; where that matters use ``assign_groups`` on scores.
    Source: Alibaba Quick Audience's RFM model (high/low against the average).
    """
    keys = tuple(each.key for each in CHINESE_EIGHT)
    index = np.full(len(values.member), NO_GROUP, dtype=np.int8)
    has_order = values.orders > 0
    people = int(np.count_nonzero(has_order))
    if not people:
        return EightGroups(index, keys, NO_DAY, 0, 0)
    days = values.days_since_last_order[has_order]
    orders = values.orders[has_order]
    total = values.total[has_order]
    days_max = int(days.sum(dtype=np.int64)) // people
    orders_min = -(-int(orders.sum()) // people)
    total_min = -(-int(total.sum()) // people)
    lacks = (days > days_max) + 2 * (orders < orders_min) + 4 * (total < total_min)
    index[has_order] = lacks
    return EightGroups(index, keys, days_max, orders_min, total_min)


def _check_bound(key: str, dimension: str, bound: int | None) -> None:
    if bound is None:
        return
    if abs(bound) > _LARGEST_BOUND:
        raise InvalidInput(f"group {key}: {dimension} bound {bound} is too large")
    if dimension in _SCORES and not 1 <= bound <= 5:
        raise InvalidInput(f"group {key}: {dimension} is a score from 1 to 5, not {bound}")


def _check_rules(rules: Sequence[GroupRule]) -> None:
    keys = [rule.key for rule in rules]
    if len(set(keys)) != len(keys):
        raise InvalidInput("two group rules have the same key")


def _within(column: Int8s | Int32s | Int64s, low: int | None, high: int | None) -> Bools:
    inside = np.ones(len(column), dtype=np.bool_)
    if low is not None:
        inside &= column >= np.int64(low)
    if high is not None:
        inside &= column <= np.int64(high)
    return inside


def _points(rules: Sequence[GroupRule], dimension: str) -> Int64s:
    """The first value of each interval that the bounds on one dimension can tell apart."""
    cuts: set[int] = set()
    for rule in rules:
        low, high = rule.bounds(dimension)
        if low is not None:
            cuts.add(low)
        if high is not None:
            cuts.add(high + 1)
    lowest = _LOWEST.get(dimension, min(cuts, default=1) - 1)
    highest = 5 if dimension in _SCORES else max(cuts, default=lowest)
    inside = {cut for cut in cuts if lowest <= cut <= highest}
    return np.array(sorted(inside | {lowest}), dtype=np.int64)


def _first_gap(owner: Int32s, points: dict[str, Int64s]) -> dict[str, int] | None:
    empty = np.flatnonzero(owner == NO_GROUP)
    if not len(empty):
        return None
    where = np.unravel_index(int(empty[0]), owner.shape)
    return {name: int(points[name][at]) for name, at in zip(_DIMENSIONS, where, strict=True)}
