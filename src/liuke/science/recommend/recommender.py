"""A fitted recommender: a few arrays, and lists served from them in well under a millisecond.

Scores are about chances of being in the next basket. With c the scale of EASE to a chance, an item
that the member does not own has

    ``new_ui = c * heat_i ** power * max(sum of B_ji over owned j, 0) + view_ui + share_i / 100``

where view_ui is the chance told by views; the last term only orders what nothing else is known of.
The list of all is the habit score of every item (``habits``) plus, for items not owned, view_ui and
``discovery`` times the rest of the line above.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from liuke.science.order_log import Bools, Floats, Indexes, Int32s, Int64s, run_starts
from liuke.science.recommend.choosing import Settings
from liuke.science.recommend.complements import Complements
from liuke.science.recommend.ease import Float32s
from liuke.science.recommend.habits import Habits
from liuke.science.recommend.lines import check_k
from liuke.science.recommend.ranking import Reason, Recommendation
from liuke.science.recommend.views import Views

NO_SCENE = -1
MOST_OWNED = 256
"""Of a member who owns more, the strongest habits speak for all; it bounds the time of an answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """EASE cut to the largest weights of each row: ``row`` (items,) is -1 for items outside it;
    ``owner`` (rows,) the item of each row; ``item`` places and ``weight``, shape (rows, kept)."""

    row: Int32s
    owner: Int32s
    item: Int32s
    weight: Float32s


@dataclass(frozen=True, slots=True, eq=False)
class Recommender:
    """What ``fit`` found. ``members`` and ``items`` are the sorted ids, all else speaks of places
    in them. Of each item: ``scene`` or NO_SCENE, and ``warm`` and ``new_warm``, its heat to the power
    chosen for either list. ``load`` of ``saving`` gives back an equal one."""

    members: Int64s
    items: Int64s
    habits: Habits
    likeness: Likeness
    complements: Complements
    views: Views
    scene: Int64s
    warm: Floats
    new_warm: Floats
    settings: Settings
    as_of_day: int

    def allowed(
        self, in_stock: Collection[int] | None = None, excluded: Collection[int] = ()
    ) -> Bools:
        """The items that may be shown, for the ``allowed`` of the lists; make it once for many."""
        some = np.ones(len(self.items), dtype=bool)
        if in_stock is not None:
            some = np.isin(self.items, np.fromiter(in_stock, dtype=np.int64))
        return some & ~np.isin(self.items, np.fromiter(excluded, dtype=np.int64))

    def rebuy(
        self, member: int, k: int = 10, *, allowed: Bools | None = None
    ) -> list[Recommendation]:
        """Of what the member had, what they are most likely to buy again; empty for a stranger."""
        place = self._place(member)
        if place < 0:
            return []
        scores = np.full(len(self.items), -np.inf)
        mine = self.habits.item[self._rows(place)]
        scores[mine] = self._habit_scores(place)[mine]
        return self._told(place, _first(scores, check_k(k), allowed), scores)

    def discover(
        self, member: int, k: int = 10, *, allowed: Bools | None = None
    ) -> list[Recommendation]:
        """What the member never had and may like; what is popular for a stranger."""
        place = self._place(member)
        if place < 0:
            return self.cold(k, allowed=allowed)
        scores = self._unowned_scores(place)
        return self._told(place, _first(scores, check_k(k), allowed), scores)

    def for_member(
        self, member: int, k: int = 10, *, scene: int | None = None, allowed: Bools | None = None
    ) -> list[Recommendation]:
        """The k items most likely in the next basket, old or new; ``scene`` serves strangers."""
        place = self._place(member)
        if place < 0:
            return self.cold(k, scene=scene, allowed=allowed)
        scores, is_liked = self._all_scores(place), self.settings.discovery > 0
        order = _first(scores, check_k(k), allowed)
        return self._told(place, order, scores, is_liked=is_liked)

    def cold(
        self, k: int = 10, *, scene: int | None = None, allowed: Bools | None = None
    ) -> list[Recommendation]:
        """For somebody unknown: what is popular now in the scene they came for, then at all."""
        scores = self._popular()
        here = np.zeros(len(scores), dtype=bool) if scene is None else self.scene == scene
        order = _first(np.where(here, 2.0 + scores, scores), check_k(k), allowed)
        reasons: tuple[Reason, Reason] = ("popular", "popular_in_scene")
        return [
            Recommendation(int(self.items[at]), float(scores[at]), reasons[int(here[at])])
            for at in order
        ]

    def alongside(
        self, item: int, k: int = 10, *, allowed: Bools | None = None
    ) -> list[Recommendation]:
        """What goes with an item: from baskets, then from who owns it; empty for an unknown one."""
        place = int(np.searchsorted(self.items, item))
        if place == len(self.items) or self.items[place] != item:
            return []
        mine = slice(self.complements.starts[place], self.complements.starts[place + 1])
        chances = dict(
            zip(
                self.complements.item[mine].tolist(),
                self.complements.chance[mine].tolist(),
                strict=True,
            )
        )
        for at, weight in self._alike(place):
            chances.setdefault(at, weight)
        shown = [at for at in chances if allowed is None or allowed[at]]
        return [
            Recommendation(int(self.items[at]), chances[at], "goes_with", because=int(item))
            for at in shown[: check_k(k)]
        ]

    def everyone(
        self,
        k: int = 10,
        *,
        new_only: bool = False,
        allowed: Bools | None = None,
        chunk: int = 10_000,
    ) -> Iterator[tuple[Int64s, Int64s, Int64s]]:
        """The lists of ``for_member`` or, ``new_only``, of ``discover``, for all members by id.

        A chunk of members at a time, as parallel arrays: member id, rank from 1, item id.
        """
        k, score = check_k(k), self._unowned_scores if new_only else self._all_scores
        for start in range(0, len(self.members), chunk):
            places = range(start, min(start + chunk, len(self.members)))
            lists = [_first(score(place), k, allowed) for place in places]
            sizes = [len(each) for each in lists]
            ranks = [np.arange(1, size + 1) for size in sizes]
            yield (
                np.repeat(self.members[start : start + chunk], sizes),
                np.concatenate(ranks),
                self.items[np.concatenate(lists)],
            )

    def _place(self, member: int) -> int:
        place = int(np.searchsorted(self.members, member))
        return place if place < len(self.members) and self.members[place] == member else -1

    def _rows(self, place: int) -> slice:
        return slice(int(self.habits.starts[place]), int(self.habits.starts[place + 1]))

    def _popular(self) -> Floats:
        """The chance that a basket of anybody holds the item."""
        return self.habits.share * self.warm

    def _habit_scores(self, place: int) -> Floats:
        rows, prior = self._rows(place), self.settings.prior
        scores = prior * self.habits.share
        scores[self.habits.item[rows]] += self.habits.weight[rows]
        scores *= self.warm
        return scores / (float(self.habits.baskets[place]) + prior)

    def _all_scores(self, place: int) -> Floats:
        scores = self._habit_scores(place)
        if self.settings.discovery > 0:
            fresh = self.settings.discovery * self._liked(place)
            fresh[self.habits.item[self._rows(place)]] = 0.0
            scores += fresh
        self._add_views(place, scores)
        return scores

    def _unowned_scores(self, place: int) -> Floats:
        scores = self._liked(place)
        self._add_views(place, scores)
        scores[self.habits.item[self._rows(place)]] = -np.inf
        return scores

    def _liked(self, place: int) -> Floats:
        rows = self._speaking(place)
        columns, weights = self.likeness.item[rows].ravel(), self.likeness.weight[rows].ravel()
        liked = np.bincount(columns, weights, minlength=len(self.items))
        scores: Floats = self.settings.scale * np.maximum(liked, 0.0) * self.new_warm
        return scores + self.habits.share / 100.0

    def _speaking(self, place: int) -> Int32s:
        """The rows of likeness of the member's items, the strongest habits where there are many."""
        mine = self._rows(place)
        items = self.habits.item[mine]
        if len(items) > MOST_OWNED:
            items = items[np.argsort(-self.habits.weight[mine], kind="stable")[:MOST_OWNED]]
        rows = self.likeness.row[items]
        return rows[rows >= 0]

    def _add_views(self, place: int, scores: Floats) -> None:
        mine = slice(self.views.starts[place], self.views.starts[place + 1])
        scores[self.views.item[mine]] += self.views.chance[mine]

    def _alike(self, place: int) -> list[tuple[int, float]]:
        """What who owns the item owns too, best first, with a chance."""
        row = self.likeness.row[place]
        if row < 0:
            return []
        weight, item = self.likeness.weight[row], self.likeness.item[row]
        order = np.argsort(-weight, kind="stable")
        order = order[weight[order] > 0]
        chances = self.settings.scale * weight[order].astype(np.float64)
        return list(zip(item[order].tolist(), chances.tolist(), strict=True))

    def _told(
        self, place: int, order: Indexes, scores: Floats, *, is_liked: bool = True
    ) -> list[Recommendation]:
        """The items in that order with their reasons."""
        mine, seen = self._rows(place), slice(*self.views.starts[place : place + 2])
        times = _counts(self.habits.item[mine], self.habits.times[mine], order)
        viewed = _counts(self.views.item[seen], self.views.times[seen], order)
        sources = self._because(place, order) if is_liked else [None] * len(order)
        told = []
        for rank, at in enumerate(order.tolist()):
            item, score = int(self.items[at]), float(scores[at])
            if times[rank]:
                each = Recommendation(item, score, "bought_often", count=times[rank])
            elif viewed[rank]:
                each = Recommendation(item, score, "viewed", count=viewed[rank])
            elif sources[rank] is not None:
                each = Recommendation(item, score, "goes_with", because=sources[rank])
            else:
                each = Recommendation(item, score, "popular")
            told.append(each)
        return told

    def _because(self, place: int, order: Indexes) -> list[int | None]:
        """For each item the owned one that speaks for it most, if any does."""
        rows = self._speaking(place)
        slot = np.full(len(self.items), -1, dtype=np.int16)
        slot[order] = np.arange(len(order))
        slots, weights = slot[self.likeness.item[rows].ravel()], self.likeness.weight[rows].ravel()
        hits = np.flatnonzero(slots >= 0)
        hits = hits[weights[hits] > 0]
        asked, row = slots[hits], hits // max(self.likeness.item.shape[1], 1)
        best = np.lexsort((row, -weights[hits], asked))
        best = best[run_starts(asked[best])]
        sources: list[int | None] = [None] * len(order)
        for at, owner in zip(asked[best], self.likeness.owner[rows[row[best]]], strict=True):
            sources[at] = int(self.items[owner])
        return sources


def _counts(items: Int32s | Int64s, counts: Int32s | Int64s, order: Indexes) -> list[int]:
    """The count of each item of ``order`` in a member's sorted items; 0 where it is not there."""
    if not len(items):
        return [0] * len(order)
    places = np.minimum(np.searchsorted(items, order), len(items) - 1)
    found: list[int] = np.where(items[places] == order, counts[places], 0).tolist()
    return found


def _first(scores: Floats, k: int, allowed: Bools | None) -> Indexes:
    """The places of the k greatest scores, equal ones by place; never one of minus infinity."""
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        some = np.flatnonzero(scores >= least)
    else:
        some = np.arange(len(scores))
    some = some[scores[some] > -np.inf]
    return some[np.argsort(-scores[some], kind="stable")[:k]]
