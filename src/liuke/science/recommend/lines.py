"""An order log with items, read once: who had what in which basket, and on which day.

A basket is an order number of a member where one is given, else all that a member bought on a day;
its day is its first. An item is in a basket once, however many lines or pieces it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liuke.science.errors import InvalidInput
from liuke.science.order_log import (
    Bools,
    Indexes,
    Int64s,
    check_day,
    check_same_length,
    read_integers,
    run_starts,
)

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """One row per item of a basket, sorted by member, day, basket and item.

    ``members`` and ``items`` are the sorted ids; ``member`` and ``item`` are places in them, and
    ``basket`` counts baskets in that order. All rows have shape (lines,), int64.
    """

    members: Int64s
    items: Int64s
    member: Int64s
    day: Int64s
    basket: Int64s
    item: Int64s

    def where(self, keep: Bools) -> Lines:
        """Some of the rows; members, items and the numbers of baskets stay as they are."""
        rows = (self.member[keep], self.day[keep], self.basket[keep], self.item[keep])
        return Lines(self.members, self.items, *rows)

    def until(self, day: int) -> Lines:
        """The history at the end of ``day``."""
        return self.where(self.day <= day)

    def basket_rows(self) -> Indexes:
        """The first row of each basket."""
        return run_starts(self.basket)


def read_lines(
    member: ArrayLike, day: ArrayLike, item: ArrayLike, basket: ArrayLike | None = None
) -> Lines:
    """Parallel integer arrays, shape (rows,), in any order; a negative ``basket`` is none.

    Raises InvalidInput for anything but whole numbers, unequal lengths, or days that are none.
    """
    columns = [read_integers(member, "member"), read_integers(day, "day")]
    columns.append(read_integers(item, "item"))
    number = np.full(len(columns[0]), -1) if basket is None else read_integers(basket, "basket")
    check_same_length(member=columns[0], day=columns[1], item=columns[2], basket=number)
    if not len(number):
        empty = np.empty(0, dtype=np.int64)
        return Lines(empty, empty, empty, empty, empty, empty)
    for edge in (columns[1].min(), columns[1].max()):
        check_day(int(edge), "day")
    members, who = np.unique(columns[0], return_inverse=True)
    items, what = np.unique(columns[2], return_inverse=True)
    group, first_day = _baskets(who, columns[1], number)
    rows = sorting(group, what)
    once = rows[run_starts(group[rows], what[rows])]
    who, when, group, what = who[once], first_day[group[once]], group[once], what[once]
    rows = sorting(who, when, group, what)
    starts = run_starts(group[rows])
    count = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
    return Lines(members, items, who[rows], when[rows], count, what[rows])


def _baskets(who: Int64s, day: Int64s, number: Int64s) -> tuple[Int64s, Int64s]:
    """Which basket each row belongs to, and the first day of each basket."""
    number = np.maximum(number, -1)
    apart = np.where(number < 0, day, 0)  # without a number, the day keeps baskets apart
    rows = sorting(who, number, apart, day)
    starts = run_starts(who[rows], number[rows], apart[rows])
    group = np.empty(len(rows), dtype=np.int64)
    group[rows] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
    return group, day[rows][starts]


def sorting(*keys: Int64s) -> Indexes:
    """The permutation that sorts by the first key, then the second, and so on; stable.

    Keys that fit into one int64 are packed, which sorts several times faster.
    """
    packed, room = np.zeros(len(keys[0]), dtype=np.int64), 1
    for key in keys:
        low = int(key.min()) if len(key) else 0
        spread = int(key.max()) - low + 1 if len(key) else 1
        room *= spread
        if room > _LARGEST:
            return np.lexsort(keys[::-1])
        packed = packed * spread + (key - low)
    if bool((packed[1:] >= packed[:-1]).all()):
        return np.arange(len(packed))
    return np.argsort(packed, kind="stable")


def positions(ids: Int64s, wanted: ArrayLike, name: str) -> NDArray[np.int64]:
    """Where each wanted id stands in sorted ``ids``; -1 where it does not."""
    asked = read_integers(wanted, name)
    if not len(ids):
        return np.full(len(asked), -1)
    places = np.minimum(np.searchsorted(ids, asked), len(ids) - 1)
    return np.where(ids[places] == asked, places, -1)


def check_k(k: int) -> int:
    """``k`` as a plain int, or InvalidInput when it is below 1."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InvalidInput("k must be a whole number above 0")
    return int(k)
