"""What members do besides buying, up to a cut: how often they come, and what went wrong for them.

A *habit* (login, view, open) speaks by its rhythm: what happened in the latest span against the four spans
before. The same is asked as of the last order, because whoever has left stops logging in too: a fade that
began before the silence is a cause, one that came with it a symptom. A *trouble* (complaint, late delivery,
dead key) speaks by what it left open, and by whether an order has followed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liuke.science.churn.habits import last_rows
from liuke.science.churn.history import History
from liuke.science.errors import InvalidInput
from liuke.science.order_log import Bools, Floats, Int64s, check_same_length, read_integers

HABITS = ("login", "view", "open")
TROUBLES = ("complaint", "late", "dead_key")
HABIT_COLUMNS = ("fade", "fade_at_order", "recent", "since")
TROUBLE_COLUMNS = ("open_since_order", "since_order", "open", "recent", "per_order")
SPANS_BEFORE = 4
OPEN_HORIZONS = 3
"""How long an unsolved trouble is thought to matter, an order in between or not."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Events of one kind: parallel arrays, shape (events,), any order.

    ``solved`` (complaints, dead keys): whether it ended well for the member; None means never.
    """

    member: ArrayLike
    day: ArrayLike
    solved: ArrayLike | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Checked events of one kind, up to the as-of day; ``began`` is the day the site first saw one."""

    member: Int64s
    day: Int64s
    solved: Bools
    began: int


Behaviours = Mapping[str, Series]


def read_behaviours(signals: Mapping[str, Behaviour] | None, until_day: int) -> dict[str, Series]:
    """The kinds that have any event by ``until_day``, in the order of HABITS and TROUBLES."""
    given = dict(signals or {})
    unknown = sorted(given.keys() - {*HABITS, *TROUBLES})
    if unknown:
        raise InvalidInput(f"no such kind of behaviour: {', '.join(unknown)}")
    found = {}
    for kind in (*HABITS, *TROUBLES):
        if kind in given:
            series = _read(given[kind], kind, until_day)
            if len(series.day):
                found[kind] = series
    return found


def span_days(horizon: int) -> int:
    """How many days are called the latest span of a habit."""
    return max(horizon // 2, 14)


def columns_of(behaviours: Behaviours) -> tuple[str, ...]:
    """Names of the columns of ``behaviour_columns``: kind.figure."""
    return tuple(
        f"{kind}.{name}"
        for kind in behaviours
        for name in (HABIT_COLUMNS if kind in HABITS else TROUBLE_COLUMNS)
    )


def behaviour_columns(known: History, behaviours: Behaviours, cut: int, horizon: int) -> Floats:
    """Shape (members, len(columns_of)); NaN where a kind was not recorded long enough by the cut."""
    columns: list[Floats] = []
    for kind, series in behaviours.items():
        of = _habit if kind in HABITS else _trouble
        columns += of(known, series, cut, horizon)
    return np.column_stack(columns) if columns else np.empty((len(known.ids), 0))


def recent_and_usual(
    known: History, series: Series, as_of: NDArray[np.int64], horizon: int
) -> tuple[Floats, Floats]:
    """Events in the span that ends on each member's ``as_of``, and the usual number before it."""
    span = span_days(horizon)
    place, day, _ = _rows(known, series, int(as_of.max(initial=0)))
    ago = as_of[place] - day
    recent = _count(known, place, (ago >= 0) & (ago < span))
    before = _count(known, place, (ago >= span) & (ago < (1 + SPANS_BEFORE) * span))
    watched = np.minimum(as_of - np.maximum(series.began, known.first), (1 + SPANS_BEFORE) * span)
    spans = (watched - span) / span
    return recent, np.where(spans >= 0.5, before / np.maximum(spans, 0.5), np.nan)


def _habit(known: History, series: Series, cut: int, horizon: int) -> list[Floats]:
    now = np.full(len(known.ids), cut, dtype=np.int64)
    ordered = known.day[last_rows(known)].astype(np.int64)
    recent, usual = recent_and_usual(known, series, now, horizon)
    then, usual_then = recent_and_usual(known, series, ordered, horizon)
    place, day, _ = _rows(known, series, cut)
    last = np.full(len(known.ids), -1.0)
    np.maximum.at(last, place, day.astype(np.float64))
    since = np.where(last < 0, np.nan, (cut - last) / span_days(horizon))
    if cut < series.began + span_days(horizon):
        return [np.full(len(known.ids), np.nan)] * len(HABIT_COLUMNS)
    return [fade(recent, usual), fade(then, usual_then), np.log1p(recent), since]


def fade(recent: Floats, usual: Floats) -> Floats:
    """Logarithm of recent over usual, half an event added to both: below 0 it fades."""
    return np.log((recent + 0.5) / (usual + 0.5))


def _trouble(known: History, series: Series, cut: int, horizon: int) -> list[Floats]:
    ends = last_rows(known)
    ordered = known.day[ends].astype(np.int64)
    place, day, solved = _rows(known, series, cut)
    after = day >= ordered[place]
    orders = np.bincount(known.place, minlength=len(known.ids))
    if cut < series.began:
        return [np.full(len(known.ids), np.nan)] * len(TROUBLE_COLUMNS)
    return [
        np.minimum(_count(known, place, after & ~solved), 2.0),
        np.minimum(_count(known, place, after), 2.0),
        np.minimum(_count(known, place, (cut - day < OPEN_HORIZONS * horizon) & ~solved), 2.0),
        np.log1p(_count(known, place, cut - day < horizon)),
        np.log1p(_count(known, place, np.ones(len(place), dtype=np.bool_)) / orders),
    ]


def _rows(known: History, series: Series, until: int) -> tuple[Int64s, Int64s, Bools]:
    """Events of the known members up to a day: place, day, solved."""
    if not len(known.ids):
        return series.day[:0], series.day[:0], series.solved[:0]
    at = np.minimum(np.searchsorted(known.ids, series.member), len(known.ids) - 1)
    keep = (known.ids[at] == series.member) & (series.day <= until)
    return at[keep].astype(np.int64), series.day[keep], series.solved[keep]


def _count(known: History, place: Int64s, which: Bools) -> Floats:
    return np.bincount(place[which], minlength=len(known.ids)).astype(np.float64)


def _read(given: Behaviour, kind: str, until_day: int) -> Series:
    member = read_integers(given.member, f"{kind} member")
    day = read_integers(given.day, f"{kind} day")
    solved = (
        np.zeros(len(day), dtype=np.bool_)
        if given.solved is None
        else np.asarray(given.solved).astype(np.bool_)
    )
    check_same_length(member=member, day=day, solved=solved)
    keep = day <= until_day
    began = int(day[keep].min()) if bool(keep.any()) else until_day
    return Series(member[keep], day[keep], solved[keep], began)
