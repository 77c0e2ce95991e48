"""Fit a recommender to an order log: one call, a few seconds, no settings to know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.errors import InvalidInput
from liuke.science.order_log import Int64s, check_day, check_same_length, read_integers
from liuke.science.recommend.choosing import Settings, choose_settings
from liuke.science.recommend.complements import complements
from liuke.science.recommend.ease import (
    MOST_ITEMS,
    ease,
    gram,
    most_bought,
    owned_matrix,
    strongest,
    usual_penalty,
)
from liuke.science.recommend.habits import Habits, habits
from liuke.science.recommend.lines import Lines, positions, read_lines
from liuke.science.recommend.recommender import NO_SCENE, Likeness, Recommender
from liuke.science.recommend.views import read_views

Columns = tuple[ArrayLike, ArrayLike, ArrayLike]


def fit(
    member: ArrayLike,
    day: ArrayLike,
    item: ArrayLike,
    *,
    basket: ArrayLike | None = None,
    views: Columns | None = None,
    scenes: tuple[ArrayLike, ArrayLike] | None = None,
    as_of_day: int | None = None,
    horizon_days: int = 30,
    settings: Settings | None = None,
) -> Recommender:
    """A recommender from what was bought until ``as_of_day`` (the last day of the log).

    ``member``, ``day``, ``item`` and ``basket`` are parallel integer arrays, shape (rows,), in any
    order; leave returns out. Without ``basket`` numbers (or where one is negative) a basket is all
    of a member's day. ``views`` are member, day, item; ``scenes`` item, scene. Without ``settings``
    the log chooses its own, by what foretells first baskets within ``horizon_days``. Raises
    InvalidInput.
    """
    return fit_lines(
        read_lines(member, day, item, basket),
        views=views,
        scenes=scenes,
        as_of_day=as_of_day,
        horizon_days=horizon_days,
        settings=settings,
    )


def fit_lines(
    lines: Lines,
    *,
    views: Columns | None = None,
    scenes: tuple[ArrayLike, ArrayLike] | None = None,
    as_of_day: int | None = None,
    horizon_days: int = 30,
    settings: Settings | None = None,
) -> Recommender:
    """As ``fit``, from lines already read: members with no line until then have empty habits."""
    if horizon_days < 1:
        raise InvalidInput("horizon_days must be above 0")
    last = int(lines.day.max()) if len(lines.day) else 0
    today = last if as_of_day is None else check_day(as_of_day, "as_of_day")
    past = _compact(lines.until(today))
    chosen = settings or choose_settings(past, today, horizon_days)
    found = habits(past, today, chosen.half_life)
    return Recommender(
        members=past.members,
        items=past.items,
        habits=_small(found),
        likeness=_likeness(past, chosen),
        complements=complements(past),
        views=read_views(views, past, today),
        scene=_scene(scenes, past),
        warm=found.heat**chosen.heat_power,
        new_warm=found.heat**chosen.new_heat_power,
        settings=chosen,
        as_of_day=today,
    )


def _compact(lines: Lines) -> Lines:
    """Only the members and items that occur."""
    who, member = _renumbered(lines.member, len(lines.members))
    what, item = _renumbered(lines.item, len(lines.items))
    basket = np.cumsum(np.diff(lines.basket, prepend=-1) > 0) - 1
    return Lines(lines.members[who], lines.items[what], member, lines.day, basket, item)


def _renumbered(places: Int64s, size: int) -> tuple[Int64s, Int64s]:
    """The places that occur, and the rows in numbers of those."""
    occurs = np.zeros(size, dtype=bool)
    occurs[places] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[places]


def _small(found: Habits) -> Habits:
    """Half the bytes: 12 a pair of member and item."""
    return replace(
        found,
        item=found.item.astype(np.int32),
        weight=found.weight.astype(np.float32),
        times=found.times.astype(np.int32),
    )


def _likeness(past: Lines, chosen: Settings) -> Likeness:
    everything = np.arange(len(past.items))
    owners = owned_matrix(past, everything).sum(axis=0)
    items = most_bought(owners, MOST_ITEMS)
    both = gram(owned_matrix(past, items))
    columns, weights = strongest(ease(both, chosen.penalty * usual_penalty(both)))
    row = np.full(len(past.items), -1, dtype=np.int32)
    row[items] = np.arange(len(items))
    places = items.astype(np.int32)
    return Likeness(row, places, places[columns], weights)


def _scene(scenes: tuple[ArrayLike, ArrayLike] | None, lines: Lines) -> Int64s:
    scene = np.full(len(lines.items), NO_SCENE)
    if scenes is not None:
        place, what = positions(lines.items, scenes[0], "scenes item"), scenes[1]
        named = read_integers(what, "scene")
        check_same_length(item=place, scene=named)
        scene[place[place >= 0]] = named[place >= 0]
    return scene
