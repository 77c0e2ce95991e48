"""Recency, frequency and money per member, and scores 1 to 5 that never split equal members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.errors import InvalidInput
from liuke.science.order_log import (
    NO_DAY,
    Indexes,
    Int8s,
    Int32s,
    Int64s,
    check_day,
    read_member_days,
    run_starts,
    sum_runs,
)

NO_SCORE = 0
"""The score of a member without an order."""


@dataclass(frozen=True, slots=True, eq=False)
class RfmValues:
    """What the log says of each member; one row per member, sorted by member id, shape (members,).

    ``days_since_last_order`` and the two days are NO_DAY (-1) for a member whose rows are all
    returns. ``orders`` counts orders, ``order_days`` the distinct days that had one, ``returns``
    the rows below zero; ``total`` is net of returns, in minor units, and may be negative.
    """

    member: Int64s
    days_since_last_order: Int32s
    orders: Int64s
    order_days: Int64s
    returns: Int64s
    total: Int64s
    first_order_day: Int32s
    last_order_day: Int32s


@dataclass(frozen=True, slots=True, eq=False)
class RfmScores:
    """Scores 1 (worst) to 5 (best), int8, row for row with the RfmValues they were made from.

    A member without an order has NO_SCORE (0) in all three.
    """

    r: Int8s
    f: Int8s
    m: Int8s


def rfm_values(member: ArrayLike, day: ArrayLike, amount: ArrayLike, as_of_day: int) -> RfmValues:
    """Recency, frequency and money of every member at the end of ``as_of_day``.

    Three parallel arrays, shape (rows,), in any order; see ``order_log`` for what they mean.
    Rows after ``as_of_day`` are ignored, members with no other row are absent.
    ``days_since_last_order = as_of_day - last_order_day``. Raises InvalidInput.
    """
    today = check_day(as_of_day, "as_of_day")
    days = read_member_days(member, day, amount, today)
    starts = run_starts(days.member)
    has_order = days.orders > 0
    never = np.int32(np.iinfo(np.int32).max)
    first = _reduce_runs(np.minimum, np.where(has_order, days.day, never), starts)
    last = _reduce_runs(np.maximum, np.where(has_order, days.day, np.int32(NO_DAY)), starts)
    return RfmValues(
        member=days.member[starts],
        days_since_last_order=np.where(last == NO_DAY, NO_DAY, today - last).astype(np.int32),
        orders=sum_runs(days.orders, starts),
        order_days=sum_runs(has_order.astype(np.int64), starts),
        returns=sum_runs(days.returns, starts),
        total=sum_runs(days.total, starts),
        first_order_day=np.where(last == NO_DAY, NO_DAY, first).astype(np.int32),
        last_order_day=last,
    )


def quintiles(values: ArrayLike, *, higher_is_better: bool) -> Int8s:
    """Score each of n values from 1 to 5: ``1 + (5 * number strictly worse) // n``.

    Equal values always score alike, whatever their order, which NTILE(5) does not promise: it
    cuts a crowd of one-order members into three different scores and reshuffles them nightly.
    The price is that the fifths are uneven when many values are equal; with all values equal
    everybody scores 1. Shape (n,) in and out. Raises InvalidInput for NaN or not one dimension.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidInput("values must have one dimension")
    if not array.size:
        return np.empty(0, dtype=np.int8)
    if array.dtype.kind not in "iuf":
        raise InvalidInput(f"values must be numbers, not {array.dtype}")
    if array.dtype.kind == "f" and bool(np.isnan(array).any()):
        raise InvalidInput("values have NaN")
    in_order = np.sort(array)
    if higher_is_better:
        worse = np.searchsorted(in_order, array, side="left")
    else:
        worse = len(array) - np.searchsorted(in_order, array, side="right")
    return (1 + 5 * worse // len(array)).astype(np.int8)


def rfm_scores(values: RfmValues) -> RfmScores:
    """Quintile scores among the members with an order: fewer days, more orders, more net money.

    Shape (members,), row for row with ``values``; NO_SCORE for members without an order, who
    take no part in the ranking.
    """
    has_order = values.orders > 0
    scores = [np.full(len(values.member), NO_SCORE, dtype=np.int8) for _ in range(3)]
    scores[0][has_order] = quintiles(
        values.days_since_last_order[has_order], higher_is_better=False
    )
    scores[1][has_order] = quintiles(values.orders[has_order], higher_is_better=True)
    scores[2][has_order] = quintiles(values.total[has_order], higher_is_better=True)
    return RfmScores(*scores)


def _reduce_runs(reduce: np.ufunc, values: Int32s, starts: Indexes) -> Int32s:
    if not len(starts):
        return np.empty(0, dtype=np.int32)
    reduced: Int32s = reduce.reduceat(values, starts)
    return reduced
