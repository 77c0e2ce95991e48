"""The last word on a list: what may be shown at all, and what serves member and shop best."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from liuke.science.errors import InvalidInput

Reason = Literal["bought_often", "goes_with", "viewed", "popular", "popular_in_scene"]

MARGIN_WEIGHT = 0.5
"""A margin of the whole price makes an item half as attractive again: margin tilts, taste decides."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An item for a member and why; ``score`` is about the chance that it is in the next basket.

    ``bought_often``: ``count`` baskets of theirs held it. ``goes_with``: it follows from their item
    ``because``. ``viewed``: ``count`` times lately. ``popular`` and ``popular_in_scene``: with others.
    """

    item: int
    score: float
    reason: Reason
    count: int = 0
    because: int | None = None


def rank(
    candidates: Sequence[Recommendation],
    margin: Mapping[int, float] | None = None,
    trouble: Mapping[int, float] | None = None,
    in_stock: Collection[int] | None = None,
    excluded: Collection[int] = (),
) -> list[Recommendation]:
    """The candidates that may be shown, best first: ``score (1 + margin / 2) (1 - trouble)``.

    ``margin`` is a share of the price, held to [-1, 1], 0 where it is not told; ``trouble`` the
    predicted chance in [0, 1] that an order of the item goes wrong, 0 where it is not told. What is
    not in ``in_stock`` (None: everything is) or is ``excluded`` is left out, and so is a second
    mention of an item. Equal ones keep their order. Raises InvalidInput for a chance that is none
    and for a margin or score that is no number.
    """
    best: dict[int, Recommendation] = {}
    for each in candidates:
        if each.item in excluded or (in_stock is not None and each.item not in in_stock):
            continue
        share, chance = (margin or {}).get(each.item, 0.0), (trouble or {}).get(each.item, 0.0)
        if not 0.0 <= chance <= 1.0:
            raise InvalidInput("trouble is a chance between 0 and 1")
        if share != share or each.score != each.score:
            raise InvalidInput("a margin or a score is not a number")
        tilt = 1.0 + MARGIN_WEIGHT * min(max(share, -1.0), 1.0)
        weighed = replace(each, score=each.score * tilt * (1.0 - chance))
        if each.item not in best or best[each.item].score < weighed.score:
            best[each.item] = weighed
    return sorted(best.values(), key=lambda each: -each.score)
