"""Members compressed to distinct (x, t_x, T): equal members are equally likely, so count them once.

On a grid of days the number of cells is bounded by the calendar and grows far slower than the number
of members: a million members make about a hundred thousand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.btyd.summary import BuyingSummary
from liuke.science.errors import InvalidInput
from liuke.science.order_log import Floats, Indexes, Int64s, check_same_length, run_starts

_LARGEST_KEY = 2**62


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """``count`` members share ``x``, ``t_x`` and ``age`` (T); float64, shape (cells,), sorted by x.

    ``counts``, ``x_values`` and ``x_members`` have one entry per distinct x, ``x_at`` says which of
    them a cell has.
    """

    count: Floats
    x: Floats
    t_x: Floats
    age: Floats
    x_values: Floats
    x_members: Floats
    x_at: Indexes

    @property
    def members(self) -> int:
        """How many members the cells stand for."""
        return round(float(self.count.sum()))

    @property
    def repeaters(self) -> int:
        """How many of them bought again."""
        return round(float(self.count[self.x > 0].sum()))


def compress(summary: BuyingSummary) -> Cells:
    """The distinct (x, t_x, T) of a summary, with counts. Raises InvalidInput for impossible rows.

    Times that are whole days, as `buying_summary` makes them, are sorted as packed integers, five
    times faster than as three columns of floats.
    """
    _check(summary)
    x, t_x, age = summary.frequency, summary.recency, summary.age
    key, width = _packed(summary)
    if key is not None:
        key.sort()
        starts = run_starts(key)
        packed = key[starts]
        rest, age_days = np.divmod(packed, width)
        x_of, t_x_days = np.divmod(rest, width)
        distinct = (
            x_of.astype(np.float64),
            t_x_days / summary.unit_days,
            age_days / summary.unit_days,
        )
    else:
        order = np.lexsort((age, t_x, x))
        x, t_x, age = x[order], t_x[order], age[order]
        starts = _starts(x, t_x, age)
        distinct = (x[starts].astype(np.float64), t_x[starts], age[starts])
    count = np.diff(starts, append=len(x)).astype(np.float64)
    return cells_of(count, *distinct)


def cells_of(count: Floats, x: Floats, t_x: Floats, age: Floats) -> Cells:
    """Cells from columns already sorted by x."""
    begins = _starts(x)
    x_members = np.add.reduceat(count, begins) if len(begins) else count
    lengths = np.diff(begins, append=len(x))
    x_at = np.repeat(np.arange(len(begins)), lengths)
    return Cells(count, x, t_x, age, x[begins], x_members, x_at)


def _starts(*columns: Floats | Int64s) -> Indexes:
    if not len(columns[0]):
        return np.empty(0, dtype=np.intp)
    begins = np.zeros(len(columns[0]), dtype=np.bool_)
    begins[0] = True
    for column in columns:
        begins[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(begins)


def _packed(summary: BuyingSummary) -> tuple[Int64s | None, int]:
    """(x, t_x, T) as one integer each, or None where times are no whole days or too far apart."""
    if not len(summary.member):
        return None, 1
    unit = summary.unit_days
    if float(summary.age.max()) * unit > 10**9:
        return None, 1
    age = np.rint(summary.age * unit).astype(np.int64)
    t_x = np.rint(summary.recency * unit).astype(np.int64)
    exact = bool((age / unit == summary.age).all()) and bool((t_x / unit == summary.recency).all())
    width = int(age.max()) + 1
    if not exact or (int(summary.frequency.max()) + 1) * width * width > _LARGEST_KEY:
        return None, 1
    key: Int64s = (summary.frequency * width + t_x) * width + age
    return key, width


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
