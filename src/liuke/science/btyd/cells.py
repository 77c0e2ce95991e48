"""Members compressed to distinct (x, t_x, T): equal members are equally likely, so count them once.

On a grid of days the number of cells is bounded by the calendar and grows far slower than the number
of members: a million members make about a hundred thousand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.btyd.summary import BuyingSummary
from liuke.science.errors import InvalidInput
from liuke.science.order_log import LAST_DAY, Floats, Indexes, Int64s, check_same_length, run_starts

_LARGEST_KEY = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """``count`` members share ``x``, ``t_x`` and ``age`` (T); float64, shape (cells,), sorted by x.

    ``x_values`` are the distinct x, and ``x_begins`` says where the cells of each begin.
    """

    count: Floats
    x: Floats
    t_x: Floats
    age: Floats
    x_values: Floats
    x_begins: Indexes

    @property
    def members(self) -> int:
        """How many members the cells stand for."""
        return round(float(self.count.sum()))

    @property
    def repeaters(self) -> int:
        """How many of them bought again."""
        return round(float(self.count[self.x > 0].sum()))

    def sum_by_x(self, values: Floats) -> Floats:
        """Add one value per cell up to one per distinct x."""
        sums: Floats = np.add.reduceat(values, self.x_begins) if len(values) else values
        return sums

    def mean_age(self) -> float:
        """Mean T over members, at least 0.1 so that it can serve as a scale."""
        return max(float(self.count @ self.age) / max(self.members, 1), 0.1)


def compress(summary: BuyingSummary) -> Cells:
    """The distinct (x, t_x, T) of a summary, with counts. Raises InvalidInput for impossible rows.

    Times that are whole days, as `buying_summary` makes them, are sorted as packed integers, five
    times faster than as three columns of floats.
    """
    _check(summary)
    packed = _packed(summary)
    if packed is None:
        columns = np.stack((summary.frequency, summary.recency, summary.age))
        columns = columns[:, np.lexsort(columns[::-1])]
        begins = np.ones(columns.shape[1], dtype=np.bool_)
        begins[1:] = (columns[:, 1:] != columns[:, :-1]).any(axis=0)
        starts = np.flatnonzero(begins)
        x, t_x, age = columns[:, starts]
    else:
        key, width = packed
        key.sort()
        starts = run_starts(key)
        rest, age_days = np.divmod(key[starts], width)
        x_of, t_x_days = np.divmod(rest, width)
        x = x_of.astype(np.float64)
        t_x, age = t_x_days / summary.unit_days, age_days / summary.unit_days
    count = np.diff(starts, append=len(summary.member)).astype(np.float64)
    x_values, x_begins = np.unique(x, return_index=True)
    return Cells(count, x, t_x, age, x_values, x_begins)


def _packed(summary: BuyingSummary) -> tuple[Int64s, int] | None:
    """(x, t_x, T) as one integer each; None where times are no whole days or numbers too large."""
    unit, frequency = summary.unit_days, summary.frequency
    if not len(frequency) or float(summary.age.max()) * unit > LAST_DAY:
        return None
    age = np.rint(summary.age * unit).astype(np.int64)
    t_x = np.rint(summary.recency * unit).astype(np.int64)
    if (age / unit != summary.age).any() or (t_x / unit != summary.recency).any():
        return None
    width = int(age.max()) + 1
    if int(frequency.max()) > min(_LARGEST_KEY // width**2, LAST_DAY):
        return None
    return (frequency * width + t_x) * width + age, width


def _check(summary: BuyingSummary) -> None:
    x, t_x, age = summary.frequency, summary.recency, summary.age
    check_same_length(member=summary.member, frequency=x, recency=t_x, age=age)
    if not len(x):
        return
    if not (np.isfinite(t_x).all() and np.isfinite(age).all()):
        raise InvalidInput("recency and age must be numbers")
    if int(x.min()) < 0 or float(t_x.min()) < 0 or bool((t_x > age).any()):
        raise InvalidInput("frequency and recency must not be negative, nor recency beyond age")
    if bool((t_x[x == 0] != 0).any()):
        raise InvalidInput("a member without a repeat purchase has recency 0")
