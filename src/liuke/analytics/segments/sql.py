"""A rule as SQL: who is in, and the first day on which each member's membership can change by time alone.

What is filled in is whole numbers, dates, and words that `grammar` has let through, so there is nothing to quote and
no `%` for a driver. `liuke.analytics.segments.predicate` says the same of one member; tests hold the two together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from liuke.analytics.segments.grammar import (
    FACTS,
    FORECASTS,
    LOGINS,
    STAGES,
    STANDING,
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
    Wait,
    Within,
    is_timed,
    read_by,
    walk,
)
from liuke.analytics.segments.logins import LOGIN_DAYS

NEVER = "date 'infinity'"
_COLUMNS = {
    "days": "s.days_since_last_order",
    **{name: f"s.{name}" for name in ("r", "f", "m", "orders", "total_fen", "at_stake_fen")},
    "orders_ever": "f.orders",
    "order_days_ever": "f.order_days",
    "returns_ever": "f.returns",
    "spent_ever_fen": "f.spent_fen",
    "returned_ever_fen": "f.returned_fen",
    "recoverable_fen": "a.recoverable_fen",
}
_ANCHORS = {
    "days_without_order": "f.last_on",
    "login_days": "l.last_on",
    "days_away": "greatest(f.last_on, l.last_on)",
}
_BESIDE = {
    FACTS: "LEFT JOIN analytics_member_facts f ON f.member_id = s.member_id",
    FORECASTS: "LEFT JOIN analytics_forecast a ON a.member_id = s.member_id",
}
_SUMS = """
count(*) FILTER (WHERE p.amount_fen >= 0 AND {within}) AS orders_{days},
coalesce(sum(p.amount_fen) FILTER (WHERE {within}), 0)::bigint AS paid_{days},
min(p."on") FILTER (WHERE p.amount_fen >= 0 AND {within}) AS first_order_on_{days},
min(p."on") FILTER (WHERE {within}) AS first_on_{days}"""
_COMING = """
min(p."on") FILTER (WHERE p.amount_fen >= 0 AND p."on" > {day}) AS coming_order_on,
min(p."on") FILTER (WHERE p."on" > {day}) AS coming_on"""
# What is read of many rows a member: looked up for each of some members, or summed once for everyone.
_FOR_SOME = "LEFT JOIN LATERAL (SELECT {sums} FROM {rows} WHERE p.member_id = s.member_id{which}) {name} ON true"
_FOR_ALL = (
    "LEFT JOIN (SELECT p.member_id, {sums} FROM {rows} WHERE true{which} GROUP BY p.member_id) {name}"
    " ON {name}.member_id = s.member_id"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a rule is asked within: the source, its day, the ids of the segments that may be nested, and whether
    everyone is asked or only some, which the caller names.
    """

    source_id: int
    day: dt.date
    segment_ids: Mapping[str, int]
    for_all: bool = True


def members(node: Node, frame: Frame) -> str:
    """One statement: the ids of everyone of the source who is in."""
    return (
        f"SELECT s.member_id FROM analytics_standing s {joins([node], frame)}"
        f" WHERE s.source_id = {frame.source_id:d} AND {truth(node, frame)}"
    )


def judgements(rules: Mapping[int, Node], frame: Frame, *, which: str = "") -> str:
    """One statement for several rules by id, a row a member: (member_id, inside, outside, next_on), the ids of the
    rules that hold and of those that do not, ascending, and the first day on which time can move one of them. `which`
    narrows the standings `s`.
    """
    ids = sorted(rules)
    holds = ", ".join(truth(rules[rule_id], frame) for rule_id in ids)
    first = _least(next_day(rules[rule_id], frame) for rule_id in ids)
    inside = _ids(f"CASE WHEN v.holds[{n}] THEN {each:d} END" for n, each in enumerate(ids, 1))
    outside = _ids(f"CASE WHEN NOT v.holds[{n}] THEN {each:d} END" for n, each in enumerate(ids, 1))
    # OFFSET 0: or each condition would be written, and asked, twice.
    return (
        f"SELECT s.member_id, {inside} AS inside, {outside} AS outside, nullif({first}, {NEVER}) AS next_on"
        f" FROM analytics_standing s {joins(rules.values(), frame)}"
        f" CROSS JOIN LATERAL (SELECT ARRAY[{holds}] AS holds OFFSET 0) v"
        f" WHERE s.source_id = {frame.source_id:d} {which}"
    )


def joins(nodes: Iterable[Node], frame: Frame) -> str:
    """The tables that these rules read besides the standings."""
    leaves = [each for node in nodes for each in walk(node)]
    found = _windows({leaf.days for leaf in leaves if isinstance(leaf, Within)}, frame)
    for leaf in leaves:
        if LOGINS in read_by(leaf):
            found[_many('max(p."on") AS last_on', f"({LOGIN_DAYS}) p", "", "l", frame)] = None
        found |= {_BESIDE[what]: None for what in sorted(read_by(leaf)) if what in _BESIDE}
    return " ".join(found)


def truth(node: Node, frame: Frame) -> str:
    """Whether `s` is in: a condition that is never null."""
    match node:
        case And(parts):
            return _all(truth(part, frame) for part in parts)
        case Or(parts):
            return "(" + " OR ".join(truth(part, frame) for part in parts) + ")"
        case Not(part):
            return f"(NOT {truth(part, frame)})"
        case Within(fact, days, low, high):
            column = "orders" if fact == "orders_within" else "paid"
            return _between(f"coalesce(w.{column}_{days:d}, 0)", low, high)
        case Wait():
            return _waited(node, frame)
    return _stands(node, frame)


def next_day(node: Node, frame: Frame) -> str:
    """The first day on which `s` can change by time alone: a date, `infinity` for never."""
    if not is_timed(node):
        return NEVER
    match node:
        case Not(part):
            return next_day(part, frame)
        case And(parts):
            return _together(node, parts, frame, all_hold=True)
        case Or(parts):
            return _together(node, parts, frame, all_hold=False)
        case Within():
            return _window_moves(node)
        case Wait():
            return _wait_ends(node, frame)
    return NEVER


def _together(node: Node, parts: tuple[Node, ...], frame: Frame, *, all_hold: bool) -> str:
    """As `predicate._together`: parts that time does not touch have no day of their own."""
    timed = [part for part in parts if is_timed(part)]
    still = [truth(part, frame) for part in parts if not is_timed(part)]
    sign = "NOT " if all_hold else ""
    first = _least(next_day(part, frame) for part in timed)
    last = _greatest(
        f"CASE WHEN {sign}{truth(part, frame)} THEN {next_day(part, frame)} ELSE date '-infinity' END"
        for part in timed
    )
    stuck = "".join(f" WHEN {sign}{each} THEN {NEVER}" for each in still)
    whole = truth(node, frame) if all_hold else f"NOT {truth(node, frame)}"
    return f"(CASE WHEN {whole} THEN {first}{stuck} ELSE {last} END)"


def _stands(leaf: Leaf, frame: Frame) -> str:
    match leaf:
        case Choice("stage", among):
            return f"s.stage IN ({', '.join(str(STAGES.index(name)) for name in among)})"
        case Choice("first_reason", among):
            return f"coalesce(a.reasons[1] IN ({_words(among)}), false)"
        case Choice(_, among):
            return f"s.group_id IN ({_words(among)})"
        case Figure(fact, low, high):
            inside = _between(_COLUMNS[fact], low, high)
            return inside if read_by(leaf) == {STANDING} else f"coalesce({inside}, false)"
        case Cohort():
            first, following = leaf.days()
            return f"(s.first_on >= {_date(first)} AND s.first_on < {_date(following)})"
        case Nested(segment):
            return (
                "EXISTS (SELECT 1 FROM analytics_member_segments n WHERE n.member_id = s.member_id"
                f" AND {frame.segment_ids[segment]:d} = ANY(n.inside))"
            )
        case Leaving():
            return "coalesce(a.is_leaving, false)"
    return "s.is_overdue"


def _waited(leaf: Wait, frame: Frame) -> str:
    return (
        f"coalesce({_between(f'{_date(frame.day)} - {_anchor(leaf)}', leaf.low, leaf.high)}, false)"
    )


def _wait_ends(leaf: Wait, frame: Frame) -> str:
    since, day = _anchor(leaf), _date(frame.day)
    cases = []
    if leaf.low is not None:
        cases.append(f"WHEN {day} < {since} + {leaf.low:d} THEN {since} + {leaf.low:d}")
    if leaf.high is not None:
        cases.append(f"WHEN {day} <= {since} + {leaf.high:d} THEN {since} + {leaf.high + 1:d}")
    return f"(CASE {' '.join(cases)} ELSE {NEVER} END)"


def _anchor(leaf: Wait) -> str:
    if leaf.fact in _ANCHORS:
        return _ANCHORS[leaf.fact]
    return f"(CASE WHEN s.stage = {STAGES.index(leaf.stage)} THEN s.since_on END)"


def _window_moves(leaf: Within) -> str:
    days, is_count = f"{leaf.days:d}", leaf.fact == "orders_within"
    value = f"coalesce(w.orders_{days}, 0)"
    falls, rises = [], []
    if leaf.low is not None:
        falls.append(f"{value} >= {leaf.low:d}")
        rises.append(f"{value} < {leaf.low:d}")
    if leaf.high is not None:
        falls.append(f"{value} > {leaf.high:d}")
        rises.append(f"{value} <= {leaf.high:d}")
    if not is_count:
        return f"coalesce(least(w.first_on_{days} + {days}, w.coming_on), {NEVER})"
    leaves = f"CASE WHEN {' OR '.join(falls)} THEN w.first_order_on_{days} + {days} END"
    comes = f"CASE WHEN {' OR '.join(rises)} THEN w.coming_order_on END"
    return f"coalesce(least({leaves}, {comes}), {NEVER})"


def _windows(lengths: Collection[int], frame: Frame) -> dict[str, None]:
    """What was bought in the last so many days, by one look at the purchases of the longest."""
    if not lengths:
        return {}
    day, since = _date(frame.day), {days: frame.day - dt.timedelta(days=days) for days in lengths}
    sums = [_COMING.format(day=day)]
    for days in sorted(lengths):
        within = f'p."on" > {_date(since[days])} AND p."on" <= {day}'
        sums.append(_SUMS.format(within=within, days=days))
    which = f' AND p."on" > {_date(min(since.values()))}'
    return {_many(", ".join(sums), "analytics_purchase p", which, "w", frame): None}


def _many(sums: str, rows: str, which: str, name: str, frame: Frame) -> str:
    form = _FOR_ALL if frame.for_all else _FOR_SOME
    return form.format(sums=sums, rows=rows, which=which, name=name)


def _between(value: str, low: int | None, high: int | None) -> str:
    ends = [f"{value} >= {low:d}"] if low is not None else []
    ends += [f"{value} <= {high:d}"] if high is not None else []
    return _all(ends)


def _all(parts: Iterable[str]) -> str:
    return "(" + (" AND ".join(parts) or "true") + ")"


def _ids(cases: Iterable[str]) -> str:
    return f"array_remove(ARRAY[{', '.join(cases)}]::bigint[], NULL)"


def _words(among: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in among)


def _least(days: Iterable[str]) -> str:
    return f"least({', '.join(days)})"


def _greatest(days: Iterable[str]) -> str:
    return f"greatest({', '.join(days)})"


def _date(on: dt.date) -> str:
    return f"date '{on.isoformat()}'"
