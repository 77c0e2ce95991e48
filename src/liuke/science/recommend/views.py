"""What members looked at and did not buy: how likely it is that they will.

The chance that a view leads to a first purchase within 30 days is counted over all members and
items, shrunk by 1 in 20, and halves with every week that has passed since.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.order_log import (
    Floats,
    Indexes,
    Int64s,
    check_same_length,
    read_integers,
    run_starts,
)
from liuke.science.recommend.lines import Lines, positions, sorting

WINDOW_DAYS = 30
HALF_LIFE_DAYS = 7.0


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Items that members viewed lately and never bought: ``starts`` (members + 1,), and per pair
    ``item`` (a place), ``chance`` that it is bought, and ``times`` viewed."""

    starts: Indexes
    item: Int64s
    chance: Floats
    times: Int64s


def read_views(
    views: tuple[ArrayLike, ArrayLike, ArrayLike] | None, lines: Lines, as_of_day: int
) -> Views:
    """``views`` are member, day, item as for orders; members and items without orders are skipped.

    Raises InvalidInput as the order log does.
    """
    member, day, item = _columns(views, lines, as_of_day)
    rows = sorting(member, item, day)
    member, day, item = member[rows], day[rows], item[rows]
    starts = run_starts(member, item)
    times = np.diff(starts, append=len(member))
    last = day[starts + times - 1] if len(starts) else np.empty(0, dtype=np.int64)
    pair = member[starts] * len(lines.items) + item[starts]
    bought = _first_buys(pair, lines)
    rate = _rate(day[starts], bought, as_of_day)
    open_ = (bought < 0) & (last > as_of_day - WINDOW_DAYS)
    chance = rate * np.exp2((last[open_] - as_of_day) / HALF_LIFE_DAYS)
    begins = np.searchsorted(member[starts][open_], np.arange(len(lines.members) + 1))
    return Views(begins, item[starts][open_], chance, times[open_])


def _columns(
    views: tuple[ArrayLike, ArrayLike, ArrayLike] | None, lines: Lines, as_of_day: int
) -> tuple[Int64s, Int64s, Int64s]:
    if views is None:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty
    member = positions(lines.members, views[0], "views member")
    day, item = read_integers(views[1], "views day"), positions(lines.items, views[2], "views item")
    check_same_length(member=member, day=day, item=item)
    keep = (member >= 0) & (item >= 0) & (day <= as_of_day)
    return member[keep], day[keep], item[keep]


def _first_buys(pair: Int64s, lines: Lines) -> Int64s:
    """The day on which each viewed pair was first bought; -1 for never."""
    rows = sorting(lines.member, lines.item, lines.day)
    starts = run_starts(lines.member[rows], lines.item[rows])
    first = rows[starts]
    known = lines.member[first] * len(lines.items) + lines.item[first]
    places = np.minimum(np.searchsorted(known, pair), len(known) - 1)
    if not len(known):
        return np.full(len(pair), -1)
    return np.where(known[places] == pair, lines.day[first][places], -1)


def _rate(viewed: Int64s, bought: Int64s, as_of_day: int) -> float:
    """Of the pairs first viewed a window ago or longer and not owned then: how many were bought."""
    due = (viewed <= as_of_day - WINDOW_DAYS) & ((bought < 0) | (bought >= viewed))
    led = due & (bought >= viewed) & (bought <= viewed + WINDOW_DAYS)
    return (int(led.sum()) + 1.0) / (int(due.sum()) + 20.0)
