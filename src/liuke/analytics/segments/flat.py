"""A flat filter, as the list of members has it, as a rule, and back where that can be said.

Every part of a flat filter is about the standing, the forecast or a segment, and all of them have to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from liuke.analytics.segments.grammar import (
    And,
    Choice,
    Cohort,
    Figure,
    Leaf,
    Leaving,
    Nested,
    Node,
    Overdue,
    read,
)

_RANGES = (("days", ""), ("orders", ""), ("total", "_fen"))
_LEAVES: Mapping[str, Callable[[Any], Leaf]] = {
    "stage": lambda key: Choice("stage", (key,)),
    "group": lambda key: Choice("group", (key,)),
    "r": lambda score: Figure("r", score, score),
    "f": lambda score: Figure("f", score, score),
    "cohort": Cohort,
    "overdue": lambda _: Overdue(),
    "leaving": lambda _: Leaving(),
    "within": Nested,
}


def from_flat(kept: Mapping[str, Any]) -> Node:
    """A checked flat filter as a rule: the same people."""
    parts = [_LEAVES[key](value) for key, value in kept.items() if key in _LEAVES]
    for name, unit in _RANGES:
        low, high = kept.get(f"{name}_min{unit}"), kept.get(f"{name}_max{unit}")
        if low is not None or high is not None:
            parts.append(Figure(f"{name}{unit}", low, high))
    return And(tuple(parts))


def to_flat(node: Node) -> dict[str, Any] | None:
    """The flat filter that finds the same people, or None where there is none."""
    parts = node.parts if isinstance(node, And) else (node,)
    found: dict[str, Any] = {}
    for part in parts:
        said = _said(part)
        if said is None or found.keys() & said.keys():
            return None
        found |= said
    return found


def flat_part(node: Node) -> dict[str, Any]:
    """What of a rule a flat filter can say of everyone who is in; {} when it is little."""
    parts = node.parts if isinstance(node, And) else (node,)
    found: dict[str, Any] = {}
    for part in parts:
        found = {**(_said(part) or {}), **found}
    return found


def _said(part: Node) -> dict[str, Any] | None:
    match part:
        case Choice("stage" | "group" as fact, (only,)):
            return {fact: only}
        case Cohort(month):
            return {"cohort": month}
        case Overdue():
            return {"overdue": True}
        case Leaving():
            return {"leaving": True}
        case Nested(segment):
            return {"within": segment}
        case Figure(fact, low, high):
            return _bounds(fact, low, high)
    return None


def _bounds(fact: str, low: int | None, high: int | None) -> dict[str, Any] | None:
    if fact in ("r", "f") and low == high:
        return {fact: low}
    for name, unit in _RANGES:
        if fact == f"{name}{unit}":
            ends = {f"{name}_min{unit}": low, f"{name}_max{unit}": high}
            return {key: end for key, end in ends.items() if end is not None}
    return None


def as_filter(rule: dict[str, Any]) -> dict[str, Any]:
    """A stored rule as plans and lists keep it: flat where that can be said, else as it is."""
    found = to_flat(read(rule))
    return rule if found is None else found
