"""The order log as every cut in time sees it: one row per member and day, members numbered densely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.order_log import (
    Bools,
    Floats,
    Indexes,
    Int32s,
    Int64s,
    read_member_days,
    run_starts,
)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Days with an order, sorted by place and day; ``place`` points into ``ids`` (sorted).

    ``orders`` and ``total`` (net minor units) are of that day; ``first`` is the first day, per member.
    """

    ids: Int64s
    place: Indexes
    day: Int32s
    orders: Floats
    total: Floats
    first: Int32s

    def bought_within(self, after: int, until: int) -> Bools:
        """Per member, whether there was an order on a day in (after, until]."""
        inside = (self.day > after) & (self.day <= until)
        bought: Bools = np.bincount(self.place[inside], minlength=len(self.ids)) > 0
        return bought

    def of(self, keep: Bools) -> History:
        """The history of some members alone, numbered anew."""
        rows = keep[self.place]
        number = np.cumsum(keep) - 1
        return replace(
            self._rows(rows),
            ids=self.ids[keep],
            place=number[self.place[rows]],
            first=self.first[keep],
        )

    def between(self, begin: int, end: int) -> History:
        """The members from place ``begin`` to before ``end``, numbered anew; without copying."""
        low, high = np.searchsorted(self.place, (begin, end))
        return History(
            self.ids[begin:end],
            self.place[low:high] - begin,
            self.day[low:high],
            self.orders[low:high],
            self.total[low:high],
            self.first[begin:end],
        )

    def until(self, cut: int) -> History:
        """What was known at the end of ``cut``, of the members who had ordered by then."""
        seen = self.first <= cut
        known = self if bool(seen.all()) else self.of(seen)
        return known._rows(known.day <= cut)

    def _rows(self, rows: Bools) -> History:
        if bool(rows.all()):
            return self
        return replace(
            self,
            place=self.place[rows],
            day=self.day[rows],
            orders=self.orders[rows],
            total=self.total[rows],
        )


def read_history(member: ArrayLike, day: ArrayLike, amount: ArrayLike, until_day: int) -> History:
    """The log up to ``until_day``; members without an order are absent. Raises InvalidInput."""
    days = read_member_days(member, day, amount, until_day).with_orders()
    starts = run_starts(days.member)
    return History(
        ids=days.member[starts],
        place=np.repeat(np.arange(len(starts)), np.diff(starts, append=len(days.member))),
        day=days.day,
        orders=days.orders.astype(np.float64),
        total=days.total.astype(np.float64),
        first=days.day[starts],
    )
