"""What may a rule say? Rules are JSON; `read` makes a tree of them or tells the place that cannot be.

    {"version": 1, "rule": {"and": [{"fact": "stage", "is": ["silent"]},
                                    {"not": {"fact": "orders_within", "days": 30, "min": 1}}]}}

An `and` of nothing is everyone. Both ends of a range belong to it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1
STAGES = ("new", "active", "silent", "churned")  # the order is the code
DEPTH_MAX, NODES_MAX, CHOICES_MAX = 6, 60, 20
WINDOW_DAYS_MAX = 3650
_DAYS_MAX, _COUNT_MAX, _AMOUNT_MAX = 100_000, 10**9, 10**15

STANDING, FACTS, FORECASTS = "standing", "facts", "forecasts"
PURCHASES, LOGINS = "purchases", "logins"

_AMOUNT = (-_AMOUNT_MAX, _AMOUNT_MAX)
# A figure, what it is read from, and the values it may be compared with.
FIGURES: Mapping[str, tuple[str, int, int]] = {
    "days": (STANDING, 0, _DAYS_MAX),
    "r": (STANDING, 1, 5),
    "f": (STANDING, 1, 5),
    "m": (STANDING, 1, 5),
    "orders": (STANDING, 0, _COUNT_MAX),
    "total_fen": (STANDING, *_AMOUNT),
    "at_stake_fen": (STANDING, *_AMOUNT),
    "orders_ever": (FACTS, 0, _COUNT_MAX),
    "order_days_ever": (FACTS, 0, _COUNT_MAX),
    "returns_ever": (FACTS, 0, _COUNT_MAX),
    "spent_ever_fen": (FACTS, 0, _AMOUNT_MAX),
    "returned_ever_fen": (FACTS, 0, _AMOUNT_MAX),
    "recoverable_fen": (FORECASTS, 0, _AMOUNT_MAX),
}
WINDOWS: Mapping[str, tuple[int, int]] = {
    "orders_within": (0, _COUNT_MAX),
    "paid_within_fen": _AMOUNT,
}
# What grows by a day each day, and what it is read from.
WAITS: Mapping[str, frozenset[str]] = {
    "days_without_order": frozenset({FACTS}),
    "login_days": frozenset({LOGINS}),
    "days_away": frozenset({FACTS, LOGINS}),
    "days_in_stage": frozenset({STANDING}),
}
# A word of one kind, and what it is read from.
CHOICES: Mapping[str, str] = {"stage": STANDING, "group": STANDING, "first_reason": FORECASTS}
REASONS = (
    "value_falling", "login_fading", "view_fading", "open_fading", "complaint", "late", "dead_key", "waiting",
    "one_order",
)  # fmt: skip
"""What may come first among the reasons of a forecast, as `liuke.science.churn.reasons` codes them."""
_GROUP = re.compile(r"[-a-zA-Z0-9_]{1,40}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_REFERENCE = re.compile(r"[0-9A-Za-z]{1,16}")


class BadRule(ValueError):
    """`place` says where in the rule (`rule.and[1].min`), `value` what stands there."""

    def __init__(self, place: str, value: object) -> None:
        super().__init__(f"{place} = {value!r}")
        self.place, self.value = place, value


@dataclass(frozen=True, slots=True)
class And:
    """All of them; of nothing: everyone."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everyone else."""

    part: Node


@dataclass(frozen=True, slots=True)
class Choice:
    """The stage, the group or the first reason of the forecast is one of these."""

    fact: str
    among: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the standing, of the running facts or of the forecast, in a range."""

    fact: str
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Within:
    """Orders, or what was paid less what went back, in the last `days` days, in a range."""

    fact: str
    days: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Wait:
    """How many days something has lasted, in a range; `stage` only for `days_in_stage`."""

    fact: str
    low: int | None
    high: int | None
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The first order was in this month, as 2026-03."""

    month: str

    def days(self) -> tuple[dt.date, dt.date]:
        """The first day of the month, and of the next one."""
        first = dt.date.fromisoformat(f"{self.month}-01")
        return first, (first + dt.timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Overdue:
    """Waiting longer than the own rhythm explains."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Likely to stay away, and different from before, as the last forecast says."""


@dataclass(frozen=True, slots=True)
class Nested:
    """In another segment, as its stored membership says."""

    segment: str


Leaf = Choice | Figure | Within | Wait | Cohort | Overdue | Leaving | Nested
Node = And | Or | Not | Leaf
EVERYONE = And(())


def is_rule(given: Mapping[str, Any]) -> bool:
    """Whether this is a rule, and not a flat filter."""
    return "rule" in given


def read(given: Mapping[str, Any]) -> Node:
    """The tree of a rule.

    Raises:
        BadRule: the place that is no rule, too deep, too long, or cannot hold.
    """
    if set(given) != {"version", "rule"} or given["version"] != VERSION:
        raise BadRule("version", given.get("version"))
    node = _node(given["rule"], "rule", 1)
    if sum(1 for _ in walk(node)) > NODES_MAX:
        raise BadRule("rule", f"> {NODES_MAX}")
    return node


def write(node: Node) -> dict[str, Any]:
    """The JSON of a tree; `read` makes the same tree of it."""
    return {"version": VERSION, "rule": _written(node)}


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from walk(part)
    elif isinstance(node, Not):
        yield from walk(node.part)


def is_leaf(node: Node) -> bool:
    """Whether it asks something of the member itself."""
    return not isinstance(node, And | Or | Not)


def reads(node: Node) -> frozenset[str]:
    """What membership depends on besides the day: `standing`, `facts`, `purchases`, `logins`, `forecasts`."""
    return frozenset().union(*(read_by(each) for each in walk(node)))


def nested(node: Node) -> frozenset[str]:
    """The segments a rule names."""
    return frozenset(each.segment for each in walk(node) if isinstance(each, Nested))


def is_timed(node: Node) -> bool:
    """Whether a day that passes can change who is in, with nothing else happening."""
    return any(isinstance(each, Within | Wait) for each in walk(node))


def read_by(node: Node) -> frozenset[str]:
    """What this one node is read from; nothing for what only joins others, and for nested segments."""
    match node:
        case Choice(fact=fact):
            return frozenset({CHOICES[fact]})
        case Cohort() | Overdue():
            return frozenset({STANDING})
        case Leaving():
            return frozenset({FORECASTS})
        case Figure(fact=fact):
            return frozenset({FIGURES[fact][0]})
        case Within():
            return frozenset({PURCHASES})
        case Wait(fact=fact):
            return WAITS[fact]
    return frozenset()


def _node(given: Any, place: str, depth: int) -> Node:
    if not isinstance(given, dict) or depth > DEPTH_MAX:
        raise BadRule(place, given)
    if "fact" in given:
        return _leaf(given, place)
    if len(given) != 1:
        raise BadRule(place, sorted(given))
    ((word, inside),) = given.items()
    if word == "not":
        return Not(_node(inside, f"{place}.not", depth + 1))
    if word not in ("and", "or") or not isinstance(inside, list) or len(inside) > NODES_MAX:
        raise BadRule(place, word)
    parts = tuple(
        _node(part, f"{place}.{word}[{number}]", depth + 1) for number, part in enumerate(inside)
    )
    if word == "or" and not parts:
        raise BadRule(f"{place}.or", inside)
    return And(parts) if word == "and" else Or(parts)


def _leaf(given: dict[str, Any], place: str) -> Leaf:
    fact = given["fact"]
    if not isinstance(fact, str) or fact not in _LEAVES:
        raise BadRule(f"{place}.fact", fact)
    keys, make = _LEAVES[fact]
    for key in given:
        if key not in keys and key != "fact":
            raise BadRule(f"{place}.{key}", given[key])
    return make(fact, given, place)


def _choice(fact: str, given: dict[str, Any], place: str) -> Leaf:
    among = given.get("is")
    if not isinstance(among, list) or not 0 < len(among) <= CHOICES_MAX:
        raise BadRule(f"{place}.is", among)
    for one in among:
        if not (one in _WORDS[fact] if fact in _WORDS else _is_text(one, _GROUP)):
            raise BadRule(f"{place}.is", one)
    return Choice(fact, tuple(among))


def _figure(fact: str, given: dict[str, Any], place: str) -> Leaf:
    _, lowest, highest = FIGURES[fact]
    return Figure(fact, *_range(given, place, lowest, highest))


def _within(fact: str, given: dict[str, Any], place: str) -> Leaf:
    days: Any = given.get("days")
    if not _is_whole(days, 1, WINDOW_DAYS_MAX):
        raise BadRule(f"{place}.days", days)
    return Within(fact, days, *_range(given, place, *WINDOWS[fact]))


def _wait(fact: str, given: dict[str, Any], place: str) -> Leaf:
    stage = given.get("stage", "")
    if (stage not in STAGES) if fact == "days_in_stage" else stage:
        raise BadRule(f"{place}.stage", stage)
    return Wait(fact, *_range(given, place, 0, WINDOW_DAYS_MAX), stage)


def _cohort(fact: str, given: dict[str, Any], place: str) -> Leaf:
    month: Any = given.get("is")
    try:
        if _is_text(month, _MONTH):
            dt.date.fromisoformat(f"{month}-01").replace(day=28) + dt.timedelta(days=32)
            return Cohort(month)
    except (ValueError, OverflowError):
        pass
    raise BadRule(f"{place}.is", month)


def _overdue(fact: str, given: dict[str, Any], place: str) -> Leaf:
    return Overdue()


def _leaving(fact: str, given: dict[str, Any], place: str) -> Leaf:
    return Leaving()


def _nested(fact: str, given: dict[str, Any], place: str) -> Leaf:
    if not _is_text(given.get("is"), _REFERENCE):
        raise BadRule(f"{place}.is", given.get("is"))
    return Nested(given["is"])


_RANGE = frozenset({"min", "max"})
_WORDS: Mapping[str, tuple[str, ...]] = {"stage": STAGES, "first_reason": REASONS}
_Make = Callable[[str, dict[str, Any], str], Leaf]
_LEAVES: dict[str, tuple[frozenset[str], _Make]] = {
    **dict.fromkeys(CHOICES, (frozenset({"is"}), _choice)),
    **dict.fromkeys(FIGURES, (_RANGE, _figure)),
    **dict.fromkeys(WINDOWS, (_RANGE | {"days"}, _within)),
    **dict.fromkeys(WAITS, (_RANGE | {"stage"}, _wait)),
    "cohort": (frozenset({"is"}), _cohort),
    "overdue": (frozenset(), _overdue),
    "leaving": (frozenset(), _leaving),
    "segment": (frozenset({"is"}), _nested),
}


def _range(
    given: dict[str, Any], place: str, lowest: int, highest: int
) -> tuple[int | None, int | None]:
    low, high = given.get("min"), given.get("max")
    for key, end in (("min", low), ("max", high)):
        if end is not None and not _is_whole(end, lowest, highest):
            raise BadRule(f"{place}.{key}", end)
    if low is None and high is None:
        raise BadRule(f"{place}.min", None)
    if low is not None and high is not None and low > high:
        raise BadRule(f"{place}.max", high)
    return low, high


def _is_whole(value: Any, lowest: int, highest: int) -> bool:
    return type(value) is int and lowest <= value <= highest


def _is_text(value: Any, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and bool(form.fullmatch(value))


def _written(node: Node) -> dict[str, Any]:
    match node:
        case And(parts):
            return {"and": [_written(part) for part in parts]}
        case Or(parts):
            return {"or": [_written(part) for part in parts]}
        case Not(part):
            return {"not": _written(part)}
        case Choice(fact, among):
            return {"fact": fact, "is": list(among)}
        case Cohort(month):
            return {"fact": "cohort", "is": month}
        case Overdue() | Leaving():
            return {"fact": "overdue" if isinstance(node, Overdue) else "leaving"}
        case Nested(segment):
            return {"fact": "segment", "is": segment}
    return _ranged(node)


def _ranged(node: Figure | Within | Wait) -> dict[str, Any]:
    more = {
        "days": getattr(node, "days", None),
        "stage": getattr(node, "stage", "") or None,
        "min": node.low,
        "max": node.high,
    }
    return {"fact": node.fact} | {key: value for key, value in more.items() if value is not None}
