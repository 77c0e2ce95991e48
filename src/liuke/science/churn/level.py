"""How many come back this time of year: the one number a shop's season and drift change most.

The *index* of a past window is the shift of log odds that makes today's buying model say exactly how many
bought in it: 0 when the window was as the model has it, above 0 when more came. With one fit for all
windows the index speaks of the calendar, not of how young the log was.

*Season*: how far last year's index D of the same window lies from the mean of a year, shrunk by how well
last year's indexes foretold this year's in the windows seen twice: ``weight = D^2 / (D^2 + V)``, V the
variance of their difference (James-Stein, with a prior worth two pairs; a common difference is growth, not
season). It is used only if D^2 > 2 V and beyond three standard errors, and never before some window was seen
in two years.
*Drift*: what the season leaves, times its own autocorrelation at one horizon (least squares, ridge), only
with three pairs of windows apart that show it makes squared errors smaller by a fifth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from liuke.science.churn.buying import BuyingModel, level_shift
from liuke.science.churn.habits import YEAR
from liuke.science.churn.history import History

PRIOR_VARIANCE = 0.01
PAIRS_FOR_DRIFT = 3
LOOKS_BACK = 2  # years
MOST_APART = 26
LEAST_DAYS = 60
"""A log younger than this at the cut has no index yet."""


@dataclass(frozen=True, slots=True)
class Level:
    """What to add to the log odds of the coming window, and where it comes from.

    ``last_year`` is the raw index of the same window a year before (None: not seen), ``season`` and
    ``drift`` the parts that are used, 0 where the past does not speak for them.
    """

    season: float
    drift: float
    last_year: float | None

    @property
    def shift(self) -> float:
        return self.season + self.drift


@dataclass(frozen=True, slots=True)
class _Indexes:
    """Index and its sampling variance by the day the window starts after."""

    of: dict[int, float]
    variance: dict[int, float]


def coming_level(known: History, cut: int, horizon: int, buying: BuyingModel) -> Level:
    """Season and drift of the window (cut, cut + horizon], from the windows that ended by ``cut``."""
    first = int(known.first.min()) + max(min(horizon, 90), LEAST_DAYS)
    this_year = _past_windows(cut, horizon, max(first, cut - LOOKS_BACK * YEAR))
    index = _indexes(known, cut, horizon, buying, [cut - YEAR, *this_year], first)
    earlier = [day - YEAR for day in this_year]
    before = _indexes(known, cut, horizon, buying, earlier, first)
    year = [value for day, value in index.of.items() if cut - horizon - YEAR < day]
    usual = float(np.mean(year)) if year else 0.0
    last_year = index.of.get(cut - YEAR)
    weight = _season_weight(index, before, cut, usual)
    season = weight * (last_year - usual) if weight and last_year is not None else 0.0
    left = {
        day: value - weight * (before.of[day - YEAR] - usual if weight else 0.0)
        for day, value in index.of.items()
        if not weight or day - YEAR in before.of
    }
    noise = float(np.mean(list(index.variance.values()))) if index.variance else 0.0
    return Level(season, _drift(left, noise, cut, horizon), last_year)


def _past_windows(cut: int, horizon: int, first: int) -> list[int]:
    """A third of a horizon apart, and, for the drift, the latest a whole horizon apart."""
    often = range(cut - horizon, first - 1, -max(horizon // 3, 7))
    apart = range(cut - horizon, first - 1, -horizon)[:MOST_APART]
    return sorted({*often, *apart}, reverse=True)


def _indexes(
    known: History, cut: int, horizon: int, buying: BuyingModel, days: list[int], first: int
) -> _Indexes:
    of: dict[int, float] = {}
    variance: dict[int, float] = {}
    for day in days:
        if first <= day <= cut - horizon:
            of[day], variance[day] = window_index(known, day, horizon, buying)
    return _Indexes(of, variance)


def window_index(
    known: History, day: int, horizon: int, buying: BuyingModel
) -> tuple[float, float]:
    """Index of the window (day, day + horizon] and its sampling variance."""
    then = known.until(day)
    odds = buying.log_odds(then, day, horizon)
    bought = known.bought_within(day, day + horizon)[known.first <= day]
    shift = level_shift(odds, float(bought.mean()))
    chance = expit(odds + shift)
    return shift, 1.0 / max(float((chance * (1 - chance)).sum()), 1e-9)


def _season_weight(index: _Indexes, before: _Indexes, cut: int, usual: float) -> float:
    """How much of last year's deviation to expect again; 0 where the past does not speak for it."""
    last_year = index.of.get(cut - YEAR)
    pairs = [
        value - before.of[day - YEAR] for day, value in index.of.items() if day - YEAR in before.of
    ]
    if last_year is None or not pairs:
        return 0.0
    apart = float(np.var(pairs)) * len(pairs)
    differs = (apart + 2 * PRIOR_VARIANCE) / (len(pairs) + 1)
    size = (last_year - usual) ** 2
    if size < 2 * differs or size < 9 * index.variance[cut - YEAR]:
        return 0.0
    return size / (size + differs)


def _drift(left: dict[int, float], noise: float, cut: int, horizon: int) -> float:
    """Autocorrelation of what the season leaves, times the latest of it."""
    first = min(left, default=cut)
    windows = [left[day] for day in range(cut - horizon, first - 1, -horizon) if day in left]
    now, then = np.array(windows[:-1]), np.array(windows[1:])
    if len(now) < PAIRS_FOR_DRIFT:
        return 0.0
    slope = float(now @ then) / (float(then @ then) + len(then) * noise + PRIOR_VARIANCE)
    slope = min(max(slope, 0.0), 1.0)
    if float(((now - slope * then) ** 2).sum()) > 0.8 * float((now**2).sum()):
        return 0.0
    return slope * windows[0]
