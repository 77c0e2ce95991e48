"""What a member's orders up to a cut say: one row per member, one column per figure.

Spans are told in horizons rather than days, and money in typical orders of the log, so that one set of
figures suits a grocer and a shop for gifts.
"""

from __future__ import annotations

import numpy as np

from liuke.science.churn.history import History
from liuke.science.order_log import Bools, Floats, Indexes

YEAR = 365
COLUMNS = (
    "waiting",  # days since the last order
    "age",  # days since the first
    "order_days",
    "mean_gap",
    "gap_spread",  # standard deviation of the gaps over their mean
    "last_gap",
    "longest_gap",
    "waiting_to_gap",  # waiting over the mean gap
    "orders_quarter",  # order days in the last quarter, half, one, two, four horizons
    "orders_half",
    "orders_one",
    "orders_two",
    "orders_four",
    "fading_one",  # order days, each weighed by exp(-age / horizon)
    "fading_three",
    "orders_a_day",
    "mean_value",
    "last_value",  # the last order day over the mean
    "value_trend",  # the last three order days over those before, logarithm
    "spent_one",
    "same_window_last_year",
)


def typical_value(known: History) -> float:
    """What an ordinary order day brings, in minor units; the yardstick of all money here."""
    return float(np.median(np.maximum(known.total, 0.0))) or 1.0


def habits(known: History, cut: int, horizon: int, typical: float) -> Floats:
    """The columns, shape (members, len(COLUMNS)); NaN where a figure needs more orders."""
    ago = (cut - known.day).astype(np.float64)
    ends = last_rows(known)
    columns = [
        *_rhythm(known, ago, ends),
        *_counts(known, ago, horizon),
        *_values(known, ago, ends, horizon, typical),
        _last_year(known, cut, horizon),
    ]
    return np.column_stack(columns)


def last_rows(known: History) -> Indexes:
    """The row of each member's last order day."""
    rows: Indexes = np.cumsum(np.bincount(known.place, minlength=len(known.ids))) - 1
    return rows


def per_member(known: History, weights: Floats | Bools) -> Floats:
    """Sum of a weight per row over each member's rows."""
    each: Floats = np.asarray(weights, dtype=np.float64)
    return np.bincount(known.place, each, len(known.ids)).astype(np.float64, copy=False)


def _rhythm(known: History, ago: Floats, ends: Indexes) -> list[Floats]:
    waiting = ago[ends]
    days = np.bincount(known.place, minlength=len(known.ids)).astype(np.float64)
    starts = np.append(0, ends[:-1] + 1)
    age = ago[starts]
    gap = np.zeros(len(ago))
    gap[1:] = ago[:-1] - ago[1:]
    gap[starts] = 0.0
    gaps = np.where(days > 1, days - 1, np.nan)
    mean = (age - waiting) / gaps
    square = per_member(known, gap * gap) / gaps
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0)) / mean
    longest = np.maximum.reduceat(gap, starts)
    several = days > 1
    return [
        waiting,
        age,
        days,
        mean,
        spread,
        np.where(several, gap[ends], np.nan),
        np.where(several, longest, np.nan),
        waiting / mean,
    ]


def _counts(known: History, ago: Floats, horizon: int) -> list[Floats]:
    spans = [per_member(known, ago < share * horizon) for share in (0.25, 0.5, 1, 2, 4)]
    fading = [per_member(known, np.exp(-ago / (times * horizon))) for times in (1, 3)]
    days = np.bincount(known.place, minlength=len(known.ids))
    return [*spans, *fading, per_member(known, known.orders) / days]


def _values(
    known: History, ago: Floats, ends: Indexes, horizon: int, typical: float
) -> list[Floats]:
    """Money in typical order days; returns larger than the order count as nothing paid."""
    paid = np.maximum(known.total, 0.0) / typical
    days = np.bincount(known.place, minlength=len(known.ids))
    total = per_member(known, paid)
    from_end = ends[known.place] - np.arange(len(known.place))
    recent = per_member(known, np.where(from_end < 3, paid, 0.0))
    before = np.where(days > 3, (total - recent) / np.maximum(days - 3, 1), np.nan)
    return [
        np.log1p(total / days),
        paid[ends] / np.maximum(total / days, 1e-9),
        np.log((recent / 3 + 0.05) / (before + 0.05)),
        np.log1p(per_member(known, np.where(ago < horizon, paid, 0.0))),
    ]


def _last_year(known: History, cut: int, horizon: int) -> Floats:
    """Order days in the window of the forecast a year before; NaN for those not yet members then."""
    since = cut - YEAR
    inside = (known.day > since) & (known.day <= since + horizon) & (known.day <= cut)
    return np.where(known.first <= since, per_member(known, inside), np.nan)
