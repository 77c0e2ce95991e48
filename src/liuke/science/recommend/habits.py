"""What members keep buying, and what everybody buys now: decayed counts.

With a half-life h a basket of d days ago counts ``w = 2 ** (-d / h)``. Of member u and item i

* ``weight_ui`` is the sum of w over the baskets of u that hold i, ``baskets_u`` over all of theirs;
* ``share_i = sum_u weight_ui / sum_u baskets_u``: how often i is in a basket nowadays;
* ``heat_i = (recent_i + 10) / (usual_i + 10)``: decayed counts of i at h / 3 over those at 2 h scaled
  to the same total, so that 1 is a steady item and a seasonal one rises in its season.

The chance that the next basket of u holds i is then

    ``score_ui = heat_i ** power * (weight_ui + prior * share_i) / (baskets_u + prior)``

the posterior mean of a binomial whose prior is worth ``prior`` baskets of the population: personal
frequency (GP-TopFreq of Li et al., TOIS 41 (2023) art. 123, with the decay of TIFU-KNN, Hu et al.,
SIGIR 2020), whose ties and empty places are filled by what is popular now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuke.science.order_log import Floats, Indexes, Int32s, Int64s, run_starts
from liuke.science.recommend.lines import Lines, sorting

Float32s = NDArray[np.float32]

SMOOTHING = 10.0
"""Purchases that every item is given before its heat is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """One row per (member, item) ever bought, sorted; and what is told of members and items.

    ``starts`` (members + 1,) says where each member's rows begin; ``item`` places, ``weight``,
    ``times`` (baskets that held it) have shape (pairs,); ``baskets`` (members,); ``share`` and
    ``heat`` (items,).
    """

    starts: Indexes
    item: Int64s | Int32s
    weight: Floats | Float32s
    times: Int64s | Int32s
    baskets: Floats
    share: Floats
    heat: Floats


def habits(lines: Lines, as_of_day: int, half_life: float) -> Habits:
    """The habits at the end of ``as_of_day``; ``lines`` hold nothing later."""
    members = len(lines.members)
    decay = np.exp2((lines.day - as_of_day) / half_life)
    rows = sorting(lines.member, lines.item)
    starts = run_starts(lines.member[rows], lines.item[rows])
    who = lines.member[rows][starts]
    weight = np.add.reduceat(decay[rows], starts) if len(rows) else np.empty(0)
    first = lines.basket_rows()
    baskets = totals(lines.member[first], decay[first], members)
    return Habits(
        starts=np.searchsorted(who, np.arange(members + 1)),
        item=lines.item[rows][starts],
        weight=weight,
        times=np.diff(starts, append=len(rows)),
        baskets=baskets,
        share=popularity(lines, as_of_day, half_life) / max(float(baskets.sum()), 1e-300),
        heat=heat(lines, as_of_day, half_life),
    )


def heat(lines: Lines, as_of_day: int, half_life: float) -> Floats:
    """How much more an item is bought lately than usual; shape (items,), above 0."""
    recent = popularity(lines, as_of_day, half_life / 3)
    usual = popularity(lines, as_of_day, half_life * 2)
    usual *= recent.sum() / max(float(usual.sum()), 1e-300)
    return (recent + SMOOTHING) / (usual + SMOOTHING)


def popularity(lines: Lines, as_of_day: int, half_life: float) -> Floats:
    """Decayed number of baskets that held each item, shape (items,)."""
    decay = np.exp2((lines.day - as_of_day) / half_life)
    return totals(lines.item, decay, len(lines.items))


def totals(places: Int64s, values: Floats, size: int) -> Floats:
    """The sum of the values of each place, shape (size,)."""
    added = np.bincount(places, values, minlength=size)
    return added.astype(np.float64, copy=False)  # of nothing, bincount makes integers
