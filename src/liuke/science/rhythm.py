"""Own rhythm: how often a member usually orders, and whether the present wait is unusual for them.

Model. The gaps between a member's order days are exponential with a rate of their own, and the
rates are Gamma(shape a, rate b) across members. With n completed gaps of S days together,

* the posterior of the rate is Gamma(a + n, b + S);
* the expected gap is ``(b + S) / (a - 1 + n)``: with ``weight = a - 1`` and
  ``typical_days = b / (a - 1)`` that is ``(weight * typical + S) / (weight + n)``, the member's own
  gaps mixed with ``weight`` gaps of the typical length;
* the predictive chance that a gap exceeds t is ``((b + S) / (b + S + t)) ** (a + n)``: a Lomax
  (Pareto type II) tail. Sources: Lomax, JASA 49 (1954) 847; Harris, Operations Research 16 (1968)
  307 for the gamma mixture of exponentials; Robbins (1956) for empirical Bayes.

Two limits to know. Only completed gaps are seen, so ``still_normal`` speaks of members who do come
again; it is no churn probability. And buyers more regular than an exponential are noticed late
rather than early.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from liuke.science.errors import InvalidInput
from liuke.science.order_log import (
    NO_DAY,
    Bools,
    Floats,
    Int32s,
    Int64s,
    check_day,
    check_same_length,
)
from liuke.science.rfm import RfmValues

MEMBERS_NEEDED = 30
"""Fewer members with a completed gap than this, and the prior is not fitted."""

FALLBACK_WEIGHT = 2.0
FALLBACK_DAYS = 30.0
LEAST_WEIGHT, GREATEST_WEIGHT = 0.5, 50.0

Basis = Literal["fitted", "too_few", "all_equal", "no_gaps"]

_BILLION = 1_000_000_000
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class RhythmFit:
    """What the population says of gaps: ``typical_days`` counts as ``weight`` gaps of everyone.

    ``basis`` says where the two come from: fitted; or the median of the members' mean gaps with
    weight 2 when there are too_few members with a gap or all mean gaps are equal; or 30 days with
    weight 2 when there are no_gaps. ``enough_data`` is True only when fitted.
    """

    typical_days: float
    weight: float
    members: int
    gaps: int
    basis: Basis

    @property
    def enough_data(self) -> bool:
        """Whether the two figures were fitted to the data rather than assumed."""
        return self.basis == "fitted"


@dataclass(frozen=True, slots=True, eq=False)
class Rhythm:
    """One row per row of the RfmValues, shape (members,).

    ``rhythm_days`` expected gap, float days, above 0; ``gaps`` completed gaps; ``waiting_days``
    days since the last order; ``overdue_ratio = waiting_days / rhythm_days``; ``still_normal`` in
    [0, 1], the chance that a gap is longer than the present wait. A member without an order waits
    NO_DAY (-1), with ratio 0 and still_normal 1: nobody is overdue who never came.
    """

    rhythm_days: Floats
    gaps: Int64s
    waiting_days: Int32s
    overdue_ratio: Floats
    still_normal: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Members compressed to distinct (n, S): the likelihood needs nothing else."""

    count: Floats
    gaps: Floats
    days: Floats
    members_beyond: Floats
    """Number of members with more than j gaps, j = 0, 1, ..."""


def fit_rhythm(values: RfmValues) -> RhythmFit:
    """Fit weight and typical gap to the members with at least one completed gap.

    Maximum marginal likelihood of (n, S) over members,
    ``sum log[Gamma(a+n)/Gamma(a)] + n log b - (a+n) log(b+S)``, with weight kept in [0.5, 50].
    Likelihood rather than moments, because the variance of a Lomax is infinite for a <= 2 and one
    ten-year gap would then decide the fit; it also weighs a member by what their gaps tell. For a
    given b the maximum over a is one root, so the search is one golden section over log b.
    Without enough data the fallback of RhythmFit. Deterministic; never raises on RfmValues.
    """
    gaps, days = _completed_gaps(values)
    some = gaps > 0
    gaps, days = gaps[some], days[some]
    people, total = len(gaps), int(gaps.sum())
    if not people:
        return RhythmFit(FALLBACK_DAYS, FALLBACK_WEIGHT, 0, 0, "no_gaps")
    means = days / gaps
    if people < MEMBERS_NEEDED or means.min() == means.max():
        basis: Basis = "too_few" if people < MEMBERS_NEEDED else "all_equal"
        return RhythmFit(float(np.median(means)), FALLBACK_WEIGHT, people, total, basis)
    scale, shape = _most_likely(_compress(gaps, days), float(means.min()), float(means.max()))
    weight = shape - 1.0
    return RhythmFit(scale / weight, weight, people, total, "fitted")


def own_rhythm(values: RfmValues, fit: RhythmFit, as_of_day: int) -> Rhythm:
    """Each member's rhythm and present wait at the end of ``as_of_day``; formulas of the module.

    Raises InvalidInput when some member's last order lies after ``as_of_day``.
    """
    today = check_day(as_of_day, "as_of_day")
    gaps, days = _completed_gaps(values)
    ordered = values.last_order_day != NO_DAY
    if bool((values.last_order_day > today).any()):
        raise InvalidInput("as_of_day lies before a last order day in values")
    waiting = np.where(ordered, today - values.last_order_day, NO_DAY).astype(np.int32)
    waited = np.maximum(waiting, 0).astype(np.float64)
    scale = fit.weight * fit.typical_days + days
    rhythm = scale / (fit.weight + gaps)
    still_normal = np.exp(-(fit.weight + 1.0 + gaps) * np.log1p(waited / scale))
    return Rhythm(rhythm, gaps, waiting, waited / rhythm, still_normal)


def overdue(
    values: RfmValues,
    rhythm: Rhythm,
    *,
    still_normal_max: float = 0.05,
    min_orders: int = 2,
    lost_after_days: int | None = None,
) -> Bools:
    """Who waits longer than they used to: ``still_normal <= still_normal_max``, shape (members,).

    Only members with ``min_orders`` orders or more, and, when ``lost_after_days`` is given, only
    those who have waited no longer than that: the others are lost rather than late. Raises
    InvalidInput for a chance outside [0, 1] or arrays that do not belong together.
    """
    if not 0.0 <= still_normal_max <= 1.0:
        raise InvalidInput("still_normal_max is a chance between 0 and 1")
    check_same_length(values=values.member, rhythm=rhythm.rhythm_days)
    late = (rhythm.still_normal <= still_normal_max) & (values.orders >= max(min_orders, 1))
    if lost_after_days is not None:
        late &= rhythm.waiting_days <= lost_after_days
    return late


def money_at_stake(values: RfmValues, rhythm: Rhythm, horizon_days: int = 90) -> Int64s:
    """Net money a member would bring in ``horizon_days`` at their own rhythm; minor units, int64.

    ``total / orders * horizon_days / rhythm_days``, rounded down, never negative, and capped at
    what the member has spent in total: one short gap must not promise a fortune. Computed as
    total times a share of at most 1, held in whole billionths, so the money itself never passes
    through a float. An order of magnitude for sorting a work list, not a forecast.
    """
    if horizon_days < 0:
        raise InvalidInput("horizon_days must not be negative")
    check_same_length(values=values.member, rhythm=rhythm.rhythm_days)
    spent = np.where(values.orders > 0, np.maximum(values.total, 0), 0)
    share = horizon_days / (np.maximum(values.orders, 1) * rhythm.rhythm_days)
    billionths = np.floor(np.minimum(share, 1.0) * _BILLION).astype(np.int64)
    whole, rest = np.divmod(spent, _BILLION)
    stake: Int64s = whole * billionths + rest * billionths // _BILLION
    return stake


def _completed_gaps(values: RfmValues) -> tuple[Int64s, Int64s]:
    """Number of gaps between order days, and the days they add up to (they telescope)."""
    days = values.last_order_day.astype(np.int64) - values.first_order_day
    return np.maximum(values.order_days - 1, 0), days


def _compress(gaps: Int64s, days: Int64s) -> _Cells:
    span = int(days.max()) + 1
    cells, count = np.unique(gaps * span + days, return_counts=True)
    n, s = np.divmod(cells, span)
    beyond = len(gaps) - np.cumsum(np.bincount(gaps))
    return _Cells(
        count.astype(np.float64),
        n.astype(np.float64),
        s.astype(np.float64),
        beyond[:-1].astype(np.float64),
    )


def _most_likely(cells: _Cells, shortest: float, longest: float) -> tuple[float, float]:
    """(scale b, shape a) of the greatest likelihood: a coarse grid, then a golden section."""
    low = np.log(LEAST_WEIGHT * shortest)
    high = np.log(2.0 * GREATEST_WEIGHT * longest)
    grid = np.linspace(low, high, 33)
    best = int(np.argmax([_profile(float(each), cells)[0] for each in grid]))
    left, right = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 32)])
    while right - left > 1e-7:
        inner = right - _GOLDEN * (right - left)
        outer = left + _GOLDEN * (right - left)
        if _profile(inner, cells)[0] >= _profile(outer, cells)[0]:
            right = outer
        else:
            left = inner
    middle = (left + right) / 2
    return float(np.exp(middle)), _profile(middle, cells)[1]


def _profile(log_scale: float, cells: _Cells) -> tuple[float, float]:
    """The log-likelihood at this scale with the best shape for it, and that shape."""
    spread = np.log1p(cells.days / np.exp(log_scale))
    shape = _best_shape(float(cells.count @ spread), cells.members_beyond)
    steps = np.arange(len(cells.members_beyond))
    gained = float(cells.members_beyond @ np.log(shape + steps))
    total = float(cells.count @ cells.gaps)
    lost = float((cells.count * (shape + cells.gaps)) @ spread)
    return gained - lost - total * log_scale, shape


def _best_shape(target: float, members_beyond: Floats) -> float:
    """Root in a of ``sum_j members_beyond[j] / (a + j) = target``, by bisection on log a.

    The left side is the derivative of log Gamma(a+n)/Gamma(a) and falls in a, so the root is
    unique; outside the allowed weights the nearer end is the constrained maximum.
    """
    steps = np.arange(len(members_beyond))
    low, high = LEAST_WEIGHT + 1.0, GREATEST_WEIGHT + 1.0
    for _ in range(50):
        middle = (low * high) ** 0.5
        if float((members_beyond / (middle + steps)).sum()) > target:
            low = middle
        else:
            high = middle
    return float((low * high) ** 0.5)
