"""How well lists foretell the next basket: recall@k, with a split by time that is the same for all.

History is all up to and including the as-of day. The truth of a member with history is the first
basket that begins within the horizon after it. Then

    ``recall@k = mean over members of |first k of the list ∩ truth| / |truth|``

with truth the whole basket; or, for new items only, the items of that basket that the member had
never bought, beside a list without any they had. Members whose truth is empty are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from liuke.science.order_log import Int64s, run_starts
from liuke.science.recommend.lines import Lines, sorting


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What members with history bought next: pairs of places, sorted; ``is_new`` marks first buys.

    All of shape (pairs,): ``member``, ``item`` int64, ``is_new`` bool.
    """

    member: Int64s
    item: Int64s
    is_new: np.typing.NDArray[np.bool_]

    def by_member(self, *, new_only: bool) -> dict[int, set[int]]:
        """The items of each member, as places; members with none are absent."""
        keep = self.is_new if new_only else np.ones(len(self.member), dtype=bool)
        found: dict[int, set[int]] = {}
        for who, what in zip(self.member[keep].tolist(), self.item[keep].tolist(), strict=True):
            found.setdefault(who, set()).add(what)
        return found


def next_baskets(lines: Lines, as_of_day: int, horizon_days: int) -> Truth:
    """The first basket of each member with history in (as_of_day, as_of_day + horizon_days]."""
    past = lines.until(as_of_day)
    ahead = lines.where((lines.day > as_of_day) & (lines.day <= as_of_day + horizon_days))
    first = np.full(len(lines.members), -1)
    starts = run_starts(ahead.member)
    first[ahead.member[starts]] = ahead.basket[starts]
    has_history = np.zeros(len(lines.members), dtype=bool)
    has_history[past.member] = True
    ahead = ahead.where((ahead.basket == first[ahead.member]) & has_history[ahead.member])
    pairs = sorting(ahead.member, ahead.item)
    member, item = ahead.member[pairs], ahead.item[pairs]
    bought = past.member * len(lines.items) + past.item
    return Truth(member, item, ~np.isin(member * len(lines.items) + item, bought))


def recall(lists: Mapping[int, Sequence[int]], truth: Mapping[int, set[int]]) -> float | None:
    """Mean recall of ``lists`` (member -> items, cut at k already); None when nobody has a truth."""
    if not truth:
        return None
    told = [len(wanted & set(lists.get(who, ()))) / len(wanted) for who, wanted in truth.items()]
    return float(np.mean(told))
