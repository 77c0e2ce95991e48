"""Whom does a filter mean, in one line of words?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from liuke.analytics.segments import grammar
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.segment_words import Names, rule_says


def audience_says(
    audience: Mapping[str, Any],
    currency: str,
    group_names: Mapping[str, str] | None = None,
    segment_names: Mapping[str, str] | None = None,
) -> str:
    """`silent; R2; no order for 30 days or longer`; `everyone` when nothing narrows it.

    `group_names` and `segment_names` are the operator's own; without one the shipped name, or the reference, stands.
    """
    if grammar.is_rule(audience):
        names = Names(currency, group_names or {}, segment_names or {})
        return rule_says(grammar.read(audience), names)
    parts = [
        _stage(audience),
        _group(audience, group_names or {}),
        _scores(audience),
        _cohort(audience),
        gettext("overdue by their own rhythm") if audience.get("overdue") else "",
        gettext("leaving, by the forecast") if audience.get("leaving") else "",
        wording.bounds_say(audience, currency),
        _segment(audience, segment_names or {}),
    ]
    return gettext("; ").join(part for part in parts if part) or gettext("everyone with an order")


def _stage(audience: Mapping[str, Any]) -> str:
    stage = audience.get("stage")
    return wording.stage_name(stage) if stage else ""


def _group(audience: Mapping[str, Any], names: Mapping[str, str]) -> str:
    group = audience.get("group")
    return wording.group_name(group, names.get(group, "")) if group else ""


def _scores(audience: Mapping[str, Any]) -> str:
    names = {"r": gettext("recency R%(score)s"), "f": gettext("frequency F%(score)s")}
    parts = [names[x] % {"score": audience[x]} for x in names if audience.get(x)]
    return gettext("; ").join(parts)


def _cohort(audience: Mapping[str, Any]) -> str:
    month = audience.get("cohort")
    return gettext("first order %(month)s") % {"month": month} if month else ""


def _segment(audience: Mapping[str, Any], names: Mapping[str, str]) -> str:
    segment = audience.get("within")
    return (
        gettext("in the segment “%(name)s”") % {"name": names.get(segment, segment)}
        if segment
        else ""
    )
