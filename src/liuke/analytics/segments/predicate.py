"""Is this one member in, and when is the next day on which that can change though nothing happens?

`liuke.analytics.segments.sql` says the same of everyone; tests hold the two together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from liuke.analytics.segments.grammar import (
    And,
    Choice,
    Cohort,
    Figure,
    Leaf,
    Leaving,
    Nested,
    Node,
    Not,
    Or,
    Overdue,
    Wait,
    Within,
)


@dataclass(frozen=True, slots=True)
class MemberState:
    """What rules can ask of one member, at the end of `day`.

    `figures` are those of `grammar.FIGURES` that are known; `purchases` are (day, amount), returns negative;
    `segments` those the member is in; `first_reason` of the forecast is "" without one.
    """

    day: dt.date
    stage: str
    since_on: dt.date
    group: str
    first_on: dt.date
    is_overdue: bool
    figures: Mapping[str, int]
    last_on: dt.date | None = None
    last_login_on: dt.date | None = None
    purchases: Sequence[tuple[dt.date, int]] = ()
    segments: frozenset[str] = field(default_factory=frozenset)
    is_leaving: bool = False
    first_reason: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the member is in, and the first day on which that can change by time alone; None is never."""

    holds: bool
    next_on: dt.date | None


_Days = tuple[bool, int | None]  # days as ordinals: nothing overflows before it is told


def judge(node: Node, state: MemberState) -> Judgement:
    """What a rule says of one member. `next_on` is never later than the true day; it may be earlier."""
    holds, next_day = _judge(node, state)
    is_told = next_day is not None and next_day <= dt.date.max.toordinal()
    return Judgement(holds, dt.date.fromordinal(next_day) if is_told and next_day else None)


def holds(node: Node, state: MemberState) -> bool:
    """Whether the member is in."""
    return _judge(node, state)[0]


def _judge(node: Node, state: MemberState) -> _Days:
    if isinstance(node, And):
        return _together([_judge(part, state) for part in node.parts], all_hold=True)
    if isinstance(node, Or):
        return _together([_judge(part, state) for part in node.parts], all_hold=False)
    if isinstance(node, Not):
        inside, next_day = _judge(node.part, state)
        return not inside, next_day
    if isinstance(node, Within):
        return _within(node, state)
    if isinstance(node, Wait):
        return _wait(node, state)
    return _stands(node, state), None


def _together(parts: list[_Days], *, all_hold: bool) -> _Days:
    """An `and` that holds ends with the first part that ends; one that does not begins with the last that begins.
    An `or` is the mirror of it.
    """
    told = all(part[0] for part in parts) if all_hold else any(part[0] for part in parts)
    if told is all_hold:
        return told, min((day for _, day in parts if day is not None), default=None)
    days = [day for inside, day in parts if inside is not all_hold]
    return told, None if None in days else max(day for day in days if day is not None)


def _stands(leaf: Leaf, state: MemberState) -> bool:
    match leaf:
        case Choice(fact, among):
            said = {
                "stage": state.stage,
                "group": state.group,
                "first_reason": state.first_reason,
            }
            return said[fact] in among
        case Figure(fact, low, high):
            return fact in state.figures and _is_between(state.figures[fact], low, high)
        case Cohort():
            first, following = leaf.days()
            return first <= state.first_on < following
        case Nested(segment):
            return segment in state.segments
        case Leaving():
            return state.is_leaving
    return isinstance(leaf, Overdue) and state.is_overdue


def _within(leaf: Within, state: MemberState) -> _Days:
    today = state.day.toordinal()
    counts_orders = leaf.fact == "orders_within"
    rows = [
        (on.toordinal(), amount)
        for on, amount in state.purchases
        if on.toordinal() > today - leaf.days and (amount >= 0 or not counts_orders)
    ]
    inside = [row for row in rows if row[0] <= today]
    value = len(inside) if counts_orders else sum(amount for _, amount in inside)
    leaves = min((day for day, _ in inside), default=None)
    comes = min((day for day, _ in rows if day > today), default=None)
    days = [
        leaves + leaf.days if leaves is not None and _falls(leaf, value) else None,
        comes if comes is not None and _rises(leaf, value) else None,
    ]
    told = min((day for day in days if day is not None), default=None)
    return _is_between(value, leaf.low, leaf.high), told


def _falls(leaf: Within, value: int) -> bool:
    """Whether a smaller number could change the answer; what was paid may move either way."""
    if leaf.fact != "orders_within":
        return True
    return (leaf.low is not None and value >= leaf.low) or (
        leaf.high is not None and value > leaf.high
    )


def _rises(leaf: Within, value: int) -> bool:
    if leaf.fact != "orders_within":
        return True
    return (leaf.low is not None and value < leaf.low) or (
        leaf.high is not None and value <= leaf.high
    )


def _wait(leaf: Wait, state: MemberState) -> _Days:
    since = _since(leaf, state)
    if since is None:
        return False, None
    today, start = state.day.toordinal(), since.toordinal()
    if leaf.low is not None and today < start + leaf.low:
        return False, start + leaf.low
    if leaf.high is not None and today <= start + leaf.high:
        return True, start + leaf.high + 1
    return leaf.high is None, None


def _since(leaf: Wait, state: MemberState) -> dt.date | None:
    if leaf.fact == "days_without_order":
        return state.last_on
    if leaf.fact == "login_days":
        return state.last_login_on
    if leaf.fact == "days_away":
        seen = [on for on in (state.last_on, state.last_login_on) if on is not None]
        return max(seen, default=None)
    return state.since_on if state.stage == leaf.stage else None


def _is_between(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
