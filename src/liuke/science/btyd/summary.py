"""What the buy-till-you-die models need of a log: (x, t_x, T) and the money of repeat purchases."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.errors import InvalidInput
from liuke.science.order_log import (
    Floats,
    Int64s,
    MemberDays,
    check_day,
    read_member_days,
    run_starts,
    sum_runs,
)

DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class BuyingSummary:
    """One row per member with an order, sorted by member; all arrays have shape (members,).

    Time is in units of ``unit_days`` days (weeks, as in the papers) and starts with the member's
    first purchase day: ``recency`` is t_x, from there to the last purchase day (0 without a repeat
    purchase), ``age`` is T, from there to the as-of day, ``frequency`` is x, the number of purchase
    days after the first. ``repeat_money`` is the mean of what those x days brought, in minor units,
    NaN when x = 0; returns may make it negative.
    """

    member: Int64s
    frequency: Int64s
    recency: Floats
    age: Floats
    repeat_money: Floats
    unit_days: float = DAYS_PER_WEEK


def buying_summary(
    member: ArrayLike,
    day: ArrayLike,
    amount: ArrayLike,
    as_of_day: int,
    *,
    unit_days: float = DAYS_PER_WEEK,
) -> BuyingSummary:
    """Sum a log up per member at the end of ``as_of_day``; rows after that day are ignored.

    Purchases of one day are one purchase, as in the papers, whose clock ticks in days. A return is
    no purchase: it lowers the money of the member's last purchase day on or before it, because a
    log rarely says which order came back; returns before any purchase are left out. Raises
    InvalidInput.
    """
    if not (math.isfinite(unit_days) and unit_days > 0):
        raise InvalidInput("unit_days must be a number of days above 0")
    today = check_day(as_of_day, "as_of_day")
    days, money = _purchase_days(read_member_days(member, day, amount, today))
    starts = run_starts(days.member)
    purchases = np.diff(starts, append=len(days.member))
    frequency = purchases - 1
    first, last = days.day[starts], days.day[starts + frequency]
    repeat_total = sum_runs(money, starts) - money[starts]
    with np.errstate(invalid="ignore"):
        repeat_money = np.where(frequency > 0, repeat_total / frequency, np.nan)
    return BuyingSummary(
        member=days.member[starts],
        frequency=frequency.astype(np.int64),
        recency=(last - first) / unit_days,
        age=(today - first) / unit_days,
        repeat_money=repeat_money,
        unit_days=unit_days,
    )


def _purchase_days(days: MemberDays) -> tuple[MemberDays, Int64s]:
    """The days with an order, and their money less the returns up to the next such day."""
    bought = days.with_orders()
    if bought is days:
        return days, days.total
    has_order = days.orders > 0
    latest = np.cumsum(has_order) - 1
    belongs = latest >= 0
    belongs[belongs] = bought.member[latest[belongs]] == days.member[belongs]
    return bought, sum_runs(days.total[belongs], np.flatnonzero(has_order[belongs]))
