"""Past windows as lessons: what was known at a cut, and who then bought.

Every lesson's window has ended by the day from which it is looked at; nothing after a cut enters its
columns. What *is* taken from the whole past up to that day is four parameters and one typical amount.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.churn.behaviour import Behaviours, behaviour_columns, columns_of
from liuke.science.churn.buying import BuyingModel, fit_buying, level_shift
from liuke.science.churn.habits import COLUMNS, habits, typical_value
from liuke.science.churn.history import History
from liuke.science.order_log import Bools, Floats, Int64s

FEWEST_WINDOWS, MOST_WINDOWS = 4, 12
MOST_ROWS = 100_000
MOST_MEMBERS = 40_000
LEAST_DAYS = 60
LEAST_OF_EACH = 25


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What is known of a log as a whole on one day, and how a member is described with it."""

    day: int
    horizon: int
    buying: BuyingModel
    typical: float
    behaviours: Behaviours

    @property
    def names(self) -> tuple[str, ...]:
        return (*COLUMNS, *columns_of(self.behaviours), "buying")

    def describe(self, known: History, cut: int) -> tuple[Floats, Floats]:
        """The columns, and the buying model's log odds (also the last column)."""
        odds = self.buying.log_odds(known, cut, self.horizon)
        columns = np.column_stack(
            [
                habits(known, cut, self.horizon, self.typical),
                behaviour_columns(known, self.behaviours, cut, self.horizon),
                odds,
            ]
        )
        return columns, odds


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Members of several windows below each other; ``ground`` has each window's level in it."""

    columns: Floats
    ground: Floats
    bought: Bools
    windows: int


def stand_on(known: History, day: int, horizon: int, behaviours: Behaviours) -> Ground:
    """Fit the buying model to everything known at the end of ``day``."""
    return Ground(day, horizon, fit_buying(known, day), typical_value(known), behaviours)


def lessons(known: History, ground: Ground) -> Lessons | None:
    """The latest windows that ended by the ground's day; None when there is nothing to learn from.

    The fewer the members, the further back: old windows teach an old shop.
    """
    needed = int(np.clip(MOST_ROWS // len(known.ids), FEWEST_WINDOWS, MOST_WINDOWS))
    cuts = lesson_cuts(known, ground.day, ground.horizon)[:needed]
    share = min(1.0, MOST_ROWS / max(len(known.ids) * len(cuts), 1))
    parts = [
        part
        for number, cut in enumerate(cuts)
        if (part := _lesson(known.of(_some(known.ids, share, number)), ground, cut)) is not None
    ]
    if not parts:
        return None
    columns, odds, bought = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Lessons(columns, odds, bought, len(parts))


def lesson_cuts(known: History, day: int, horizon: int) -> list[int]:
    """A third of a horizon apart, the first one whole horizon (at most 60 days) into the log."""
    first = int(known.first.min()) + min(horizon, LEAST_DAYS)
    return list(range(day - horizon, first - 1, -max(horizon // 3, 7)))


def sample(history: History, most: int = MOST_MEMBERS) -> History:
    """At most about ``most`` members, drawn by their ids, so by nothing that depends on row order."""
    if len(history.ids) <= most:
        return history
    return history.of(_some(history.ids, most / len(history.ids), 0))


def _lesson(known: History, ground: Ground, cut: int) -> tuple[Floats, Floats, Bools] | None:
    seen = known.first <= cut
    if not bool(seen.any()):
        return None
    bought = known.bought_within(cut, cut + ground.horizon)[seen]
    if min(int(bought.sum()), int((~bought).sum())) < LEAST_OF_EACH:
        return None
    columns, odds = ground.describe(known.until(cut), cut)
    return columns, odds + level_shift(odds, float(bought.mean())), bought


def _some(ids: Int64s, share: float, turn: int) -> Bools:
    """A share of the members, others at each turn: a hash of the id (SplitMix64) on a circle."""
    if share >= 1.0:
        return np.ones(len(ids), dtype=np.bool_)
    mixed = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    at = (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2.0**64
    return ((at + turn * share) % 1.0) < share
