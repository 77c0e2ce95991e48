"""Filters every template may use."""

from __future__ import annotations

import datetime as dt

from django import template

from liuke.interfaces.ui import figures, outreach_words, staff_words, wording

register = template.Library()

register.filter("count", figures.count)
register.filter("percent", figures.percent)
register.filter("money", figures.money)
register.filter("money_whole", figures.money_whole)
register.filter("long_day", figures.long_day)
register.filter("iso_day", figures.iso_day)
register.filter("stage_name", wording.stage_name)
register.filter("waiting_says", wording.waiting_says)
register.filter("group_name", wording.group_name)
register.filter("role_name", staff_words.role_name)
register.filter("channel_name", outreach_words.channel_name)
register.filter("channel_icon", outreach_words.channel_icon)
register.filter("purpose_name", outreach_words.purpose_name)
register.filter("plan_state_name", outreach_words.plan_state_name)
register.filter("run_state_name", outreach_words.run_state_name)
register.filter("run_look", outreach_words.run_look)
register.filter("arm_name", outreach_words.arm_name)
register.filter("reason_name", outreach_words.reason_name)
register.filter("call_kind_name", outreach_words.call_kind_name)
register.filter("call_outcome_name", outreach_words.call_outcome_name)
register.filter("leave_reason_name", outreach_words.leave_reason_name)
register.filter("basis_says", outreach_words.basis_says)
register.filter("zone_origin_says", outreach_words.zone_origin_says)


@register.filter
def shade(score: int) -> int:
    """The shade of a score of 1 to 5, out of the nine of the heat maps."""
    return (2, 3, 4, 6, 8)[score - 1]


@register.filter
def minutes(length: dt.timedelta) -> int:
    """Whole minutes of a length of time, at least one."""
    return max(1, round(length.total_seconds() / 60))
