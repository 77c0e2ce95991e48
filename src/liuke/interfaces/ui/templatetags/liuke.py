"""Filters every template may use."""

from __future__ import annotations

import datetime as dt

from django import template

from liuke.interfaces.ui import figures, wording

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


@register.filter
def shade(score: int) -> int:
    """The shade of a score of 1 to 5, out of the nine of the heat maps."""
    return (2, 3, 4, 6, 8)[score - 1]


@register.filter
def minutes(length: dt.timedelta) -> int:
    """Whole minutes of a length of time, at least one."""
    return max(1, round(length.total_seconds() / 60))
