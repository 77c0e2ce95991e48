"""The segments a source starts with: the RFM thresholds of the named groups as they ship, each with what to do.

Disjoint, and together everyone with an order; the operator changes them like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from liuke.analytics.segments.grammar import And, Figure, Node, Not


@dataclass(frozen=True, slots=True)
class Shipped:
    """`key` and `action` are those of the group of the same thresholds."""

    key: str
    action: str
    rule: Node


def _all(*parts: Node) -> And:
    return And(parts)


def _days(low: int | None, high: int | None) -> Figure:
    return Figure("days", low, high)


def _orders(low: int | None, high: int | None) -> Figure:
    return Figure("orders", low, high)


_LOW_TOTAL = Figure("total_fen", None, 4_999)
_LOYAL = _all(_days(None, 7), _orders(5, None), Figure("total_fen", 20_000, None))

SHIPPED = (
    Shipped("loyal", "own_agent", _LOYAL),
    Shipped("value", "priority", _all(_days(None, 29), _orders(5, None), Not(_LOYAL))),
    Shipped("slipping", "personal_call", _all(_days(30, None), _orders(6, None))),
    Shipped("low_value_new", "newcomer_pack", _all(_days(30, None), _orders(None, 1), _LOW_TOTAL)),
    Shipped("at_risk", "call", _all(_days(30, None), _orders(None, 1), Not(_LOW_TOTAL))),
    Shipped("silent", "return_pack", _all(_days(30, None), _orders(2, 5))),
    Shipped("growing", "next_level", _all(_days(None, 29), _orders(2, 4))),
    Shipped("fresh", "guide", _all(_days(None, 29), _orders(None, 1))),
)
ACTIONS = tuple(each.action for each in SHIPPED)
