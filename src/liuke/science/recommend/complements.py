"""What is taken along with an item: conditional probability in the same basket, with shrinkage.

    ``P(j | i) = (both_ij + 10 * share_j) / (baskets_i + 10)``

where share_j is the share of all baskets that hold j: an item seen in few baskets is believed to
draw along what everybody buys. Items are ranked by the added value ``P(j | i) - share_j``, so that
what is in every basket anyway comes last; ``lift = P(j | i) / share_j``. Agrawal, Imielinski and
Swami, SIGMOD 1993 for the counts; Sahar, KDD 1999, for added value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from liuke.science.order_log import Floats, Indexes, Int64s
from liuke.science.recommend.ease import most_bought
from liuke.science.recommend.lines import Lines

SHRINKAGE = 10.0
MOST_IN_BASKET = 200
"""A basket of more lines is a stocktaking rather than a choice, and tells nothing."""

BASKETS_NEEDED = 2
MOST_ITEMS = 6_000
MOST_PARTNERS = 20
_BLOCK = 500


@dataclass(frozen=True, slots=True, eq=False)
class Complements:
    """Partners of each item, best first: ``starts`` (items + 1,); the others (pairs,).

    ``item`` places, ``chance`` the shrunken P(j | i), ``lift`` above 1, ``both`` baskets with both.
    """

    starts: Indexes
    item: Int64s
    chance: Floats
    lift: Floats
    both: Int64s


def complements(lines: Lines) -> Complements:
    """The partners of each of the most bought items, over all baskets in ``lines``."""
    size = np.bincount(lines.basket) if len(lines.basket) else np.empty(0, dtype=np.int64)
    told = lines.where(size[lines.basket] <= MOST_IN_BASKET)
    held = np.bincount(told.item, minlength=len(lines.items))
    items = most_bought(held, MOST_ITEMS)
    column = np.full(len(lines.items), -1)
    column[items] = np.arange(len(items))
    there = column[told.item] >= 0
    ones = np.ones(int(there.sum()), dtype=np.int32)
    shape = (len(size), len(items))
    baskets = csr_array((ones, (told.basket[there], column[told.item[there]])), shape=shape)
    all_baskets = max(len(np.unique(told.basket)), 1)
    return _ranked(baskets, items, held[items] / all_baskets, len(lines.items))


def _ranked(baskets: csr_array, items: Int64s, share: Floats, all_items: int) -> Complements:
    counts = np.zeros(all_items, dtype=np.int64)
    columns = baskets.tocsc()
    held = np.diff(columns.indptr)
    parts: list[tuple[NDArray[np.int64], Floats, Floats, NDArray[np.int64]]] = []
    for start in range(0, len(items), _BLOCK):
        block = (columns[:, start : start + _BLOCK].T.tocsr() @ baskets).toarray()
        for row, both in enumerate(block, start=start):
            chance = (both + SHRINKAGE * share) / (held[row] + SHRINKAGE)
            added = np.where(both >= BASKETS_NEEDED, chance - share, 0.0)
            added[row] = 0.0
            best = most_bought(added, MOST_PARTNERS)
            best = best[np.argsort(-added[best], kind="stable")]
            counts[items[row]] = len(best)
            parts.append((items[best], chance[best], chance[best] / share[best], both[best]))
    nothing = np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)
    item, chance, lift, both = (
        np.concatenate(column) for column in zip(nothing, *parts, strict=True)
    )
    starts = np.concatenate([[0], np.cumsum(counts)])
    return Complements(starts, item, chance, lift, both.astype(np.int64))
