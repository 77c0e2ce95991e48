"""What does a rule ask, in words, and what are segments called?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext, gettext_noop, ngettext

from liuke.analytics import queries
from liuke.analytics.models import Segment, Source
from liuke.analytics.segments.grammar import (
    And,
    Choice,
    Cohort,
    Figure,
    Leaving,
    Nested,
    Node,
    Not,
    Or,
    Overdue,
    Wait,
    Within,
)
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.analysis_words import reason_says
from liuke.interfaces.ui.figures import count, money_whole

# What a condition can be about, as the form offers it.
FACTS = {
    "stage": gettext_noop("Stage"),
    "group": gettext_noop("RFM group"),
    "orders": gettext_noop("Orders"),
    "total_fen": gettext_noop("Net spend"),
    "days": gettext_noop("Days since the last order"),
    "orders_within": gettext_noop("Orders in the last days"),
    "paid_within_fen": gettext_noop("Paid in the last days"),
    "days_without_order": gettext_noop("No order, counted to this day"),
    "days_in_stage": gettext_noop("Days in a stage"),
    "days_away": gettext_noop("Days since the last login or order"),
    "login_days": gettext_noop("Days since the last login"),
    "cohort": gettext_noop("Month of the first order"),
    "overdue": gettext_noop("Overdue by their own rhythm"),
    "leaving": gettext_noop("Leaving, by the forecast"),
    "first_reason": gettext_noop("First reason of the forecast"),
    "recoverable_fen": gettext_noop("Money to recover"),
    "at_stake_fen": gettext_noop("Money at stake"),
    "r": gettext_noop("Score R"),
    "f": gettext_noop("Score F"),
    "m": gettext_noop("Score M"),
    "orders_ever": gettext_noop("Orders ever, up to this moment"),
    "order_days_ever": gettext_noop("Days with an order ever"),
    "returns_ever": gettext_noop("Returns ever"),
    "spent_ever_fen": gettext_noop("Spent ever"),
    "returned_ever_fen": gettext_noop("Returned ever"),
    "segment": gettext_noop("In another segment"),
}
# How the list of members has the same figure.
_BOUNDS = {
    "days": ("days", ""),
    "orders": ("orders", ""),
    "total_fen": ("total", "_fen"),
    **{score: (score, "") for score in ("r", "f", "m")},
}


@dataclass(frozen=True)
class Names:
    """What the operator calls groups and segments, and the currency amounts are in."""

    currency: str
    groups: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)


def segment_name(segment: Segment) -> str:
    """As the operator named it, else as it ships."""
    return segment.name or wording.group_name(segment.shipped)


def names_of(source: Source) -> dict[str, str]:
    """What the segments of a source are called, by reference."""
    return {each.reference: segment_name(each) for each in queries.segments(source)}


def rule_says(node: Node, names: Names) -> str:
    """`silent; 3 orders or more within 30 days; not (overdue or …)`; `everyone with an order` for a rule of nothing."""
    if isinstance(node, And):
        told = gettext("; ").join(_inside(part, names) for part in node.parts)
        return told or gettext("everyone with an order")
    return _says(node, names)


def parts_of(node: Node) -> tuple[Node, ...]:
    """What a rule asks, a line each."""
    return node.parts if isinstance(node, And | Or) else (node,)


def _says(node: Node, names: Names) -> str:
    if isinstance(node, And):
        told = gettext(" and ").join(_inside(part, names) for part in node.parts)
        return told or gettext("everyone with an order")
    if isinstance(node, Or):
        return gettext(" or ").join(_inside(part, names) for part in node.parts)
    if isinstance(node, Not):
        return gettext("not (%(it)s)") % {"it": _says(node.part, names)}
    return _asks(node, names)


def _inside(node: Node, names: Names) -> str:
    told = _says(node, names)
    is_joined = isinstance(node, And | Or) and len(node.parts) > 1
    return gettext("(%(it)s)") % {"it": told} if is_joined else told


def _asks(node: Node, names: Names) -> str:
    match node:
        case Choice(fact, among):
            return gettext(" or ").join(_choice(fact, key, names) for key in among)
        case Cohort(month):
            return gettext("first order %(month)s") % {"month": month}
        case Overdue():
            return gettext("overdue by their own rhythm")
        case Leaving():
            return gettext("leaving, by the forecast")
        case Nested(segment):
            return gettext("in the segment “%(name)s”") % {
                "name": names.segments.get(segment, segment)
            }
        case Within():
            return _within(node, names)
        case Wait():
            return _wait(node)
    assert isinstance(node, Figure)
    return _figure(node, names)


def _choice(fact: str, key: str, names: Names) -> str:
    if fact == "stage":
        return wording.stage_name(key)
    if fact == "first_reason":
        return reason_says(key)
    return wording.group_name(key, names.groups.get(key, ""))


def _figure(node: Figure, names: Names) -> str:
    if node.fact not in _BOUNDS:
        return f"{gettext(FACTS[node.fact])} {_range(node, names)}"
    if node.fact in ("r", "f") and node.low == node.high:
        named = {"r": gettext("recency R%(score)s"), "f": gettext("frequency F%(score)s")}
        return named[node.fact] % {"score": node.low}
    name, unit = _BOUNDS[node.fact]
    ends = {f"{name}_min{unit}": node.low, f"{name}_max{unit}": node.high}
    bounds = {key: end for key, end in ends.items() if end is not None}
    return wording.bounds_say(bounds, names.currency)


def _within(node: Within, names: Names) -> str:
    days = ngettext("in the last day", "in the last %(days)s days", node.days) % {
        "days": count(node.days)
    }
    if node.fact == "paid_within_fen":
        return gettext("paid %(range)s %(days)s") % {"range": _range(node, names), "days": days}
    if node.high == 0:
        return gettext("no order %(days)s") % {"days": days}
    return gettext("orders %(range)s %(days)s") % {"range": _range(node, names), "days": days}


def _wait(node: Wait) -> str:
    if node.fact == "days_without_order":
        ends = {"days_min": node.low, "days_max": node.high}
        bounds = {key: end for key, end in ends.items() if end is not None}
        return wording.bounds_say(bounds, "")
    figures = {
        "low": count(node.low or 0),
        "high": count(node.high or 0),
        "stage": wording.stage_name(node.stage),
    }
    return gettext(_WAITS[node.fact][_ends(node)]) % figures


_WAITS = {
    "login_days": {
        "low": gettext_noop("no login for %(low)s days or longer"),
        "high": gettext_noop("last login within %(high)s days"),
        "both": gettext_noop("last login %(low)s to %(high)s days ago"),
    },
    "days_away": {
        "low": gettext_noop("not seen for %(low)s days or longer"),
        "high": gettext_noop("last seen within %(high)s days"),
        "both": gettext_noop("last seen %(low)s to %(high)s days ago"),
    },
    "days_in_stage": {
        "low": gettext_noop("%(stage)s for %(low)s days or longer"),
        "high": gettext_noop("%(stage)s for %(high)s days at most"),
        "both": gettext_noop("%(stage)s for %(low)s to %(high)s days"),
    },
}


def _ends(node: Wait | Within | Figure) -> str:
    if node.low is None:
        return "high"
    return "low" if node.high is None else "both"


def _range(node: Within | Figure, names: Names) -> str:
    """`3 or more`, `at most 3`, `2 to 3`, exactly `2`; amounts in the currency."""

    def told(end: int | None) -> str:
        is_money = node.fact.endswith("_fen")
        return money_whole(end or 0, names.currency) if is_money else count(end or 0)

    figures = {"low": told(node.low), "high": told(node.high)}
    if node.low == node.high:
        return figures["low"]
    says = {
        "low": gettext("%(low)s or more"),
        "high": gettext("at most %(high)s"),
        "both": gettext("%(low)s to %(high)s"),
    }
    return says[_ends(node)] % figures
