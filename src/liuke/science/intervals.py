"""Honest figures: intervals around rates, means and their differences, and how concentrated money is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.errors import InvalidInput
from liuke.science.order_log import Floats, check_same_length, check_summable, read_integers


@dataclass(frozen=True, slots=True, eq=False)
class RateInterval:
    """``rate``, ``low`` and ``high`` in [0, 1], float64, shape (n,); rate is NaN out of nobody."""

    rate: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Concentration:
    """``share`` of ``money`` (minor units, positive totals only) that ``top_members`` brought."""

    share: float
    top_members: int
    top_money: int
    money: int


def wilson_interval(
    successes: ArrayLike, trials: ArrayLike, *, confidence: float = 0.95
) -> RateInterval:
    """Wilson's score interval for a rate ``successes / trials``; counts, shape (n,) each.

    ``(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)``. It stays inside [0, 1] and covers
    well for small n and rates near 0 or 1, where ``p ± 1.96 se`` does not. Out of 0 trials: rate
    NaN, interval 0 to 1. Source: E. B. Wilson, JASA 22 (1927) 209-212. Raises InvalidInput
    unless ``0 <= successes <= trials`` and ``0 < confidence < 1``.
    """
    z = _quantile(confidence)
    won, n = read_integers(successes, "successes"), read_integers(trials, "trials")
    check_same_length(successes=won, trials=n)
    if bool((won < 0).any()) or bool((won > n).any()):
        raise InvalidInput("successes must lie between 0 and trials")
    some = np.maximum(n, 1).astype(np.float64)
    rate = won / some
    centre = rate + z * z / (2 * some)
    half = z * np.sqrt(rate * (1 - rate) / some + z * z / (4 * some * some))
    scale = 1 + z * z / some
    low = np.where(won == 0, 0.0, np.clip((centre - half) / scale, 0.0, rate))
    high = np.where(won == n, 1.0, np.clip((centre + half) / scale, rate, 1.0))
    return RateInterval(np.where(n == 0, np.nan, rate), low, high)


def concentration(total: ArrayLike, top_share: float = 0.2) -> Concentration:
    """Share of the positive money brought by the best ``top_share`` of all members given.

    ``total`` is net minor units per member, shape (members,); members at or below zero count as
    people but bring nothing. ``ceil(top_share * members)`` members are the top; among equals at
    the border it makes no difference which one is taken, so the figure is unique. Share 0.0 when
    there is no money. Raises InvalidInput unless ``0 < top_share <= 1``.
    """
    if not 0.0 < top_share <= 1.0:
        raise InvalidInput("top_share must lie above 0 and at most 1")
    totals = read_integers(total, "total")
    brought = np.maximum(totals, 0)
    check_summable(brought, "total")
    top = math.ceil(top_share * len(brought) - 1e-9)
    money = int(brought.sum())
    top_money = int(np.sort(brought)[len(brought) - top :].sum())
    return Concentration(top_money / money if money else 0.0, top, top_money, money)


@dataclass(frozen=True, slots=True)
class Difference:
    """``difference`` of two figures (first minus second) and its interval."""

    difference: float
    low: float
    high: float


def rate_difference(
    successes: int,
    trials: int,
    other_successes: int,
    other_trials: int,
    *,
    confidence: float = 0.95,
) -> Difference:
    """Newcombe's hybrid score interval for the difference of two independent rates.

    ``d - sqrt((p1-l1)² + (u2-p2)²)`` to ``d + sqrt((u1-p1)² + (p2-l2)²)`` with Wilson bounds l, u.
    Source: R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10. With no trials on
    either side the difference is NaN and the interval -1 to 1. Raises InvalidInput as Wilson does.
    """
    bounds = wilson_interval(
        [successes, other_successes], [trials, other_trials], confidence=confidence
    )
    if not trials or not other_trials:
        return Difference(math.nan, -1.0, 1.0)
    first, second = zip(
        bounds.rate.tolist(), bounds.low.tolist(), bounds.high.tolist(), strict=True
    )
    return _minus(first, second)


@dataclass(frozen=True, slots=True)
class Sums:
    """What is kept of one figure (orders, minor units) of ``members``, most of whom may have 0.

    ``total`` adds the figures up, ``size`` their absolute values, ``squares`` their squares: exact
    integers, so a database can do the counting and nothing cancels.
    """

    members: int
    total: int
    size: int
    squares: int


OWN_WEIGHT_FROM = 30
"""An arm of so many equal payers is believed half about its own scatter, half about everyone's."""


def mean_difference(
    first: Sums, second: Sums, *, confidence: float = 0.95, common: float | None = None
) -> Difference:
    """Score interval for the difference of two means of figures that are mostly zero and skewed.

    A mean of ``x`` over n members scatters with variance ``c m / n`` where m is its true value and
    c the scatter per unit, as of a compound Poisson sum. Solving ``(x - m)² = z² c m / n`` for m,
    as Wilson (1927) does for a rate, gives ``x + h ± sqrt(z² c x / n + h²)``, ``h = z² c / 2n``:
    lopsided as the figures are, and sensible when an arm has no payer at all. c is ``common``, by
    default that of both arms together, and that of the arm itself the more payers it has:
    ``k = size² / squares`` payers of equal weight count k against OWN_WEIGHT_FROM. The two bounds
    are joined as Newcombe joins rates (Zou and Donner, Statistics in Medicine 27 (2008) 1693).
    Variance proportional to the mean: Wedderburn, Biometrika 61 (1974) 439. Negative figures
    (returns) count in ``size``, so they widen the interval.

    NaN, and no bounds, when a side has nobody or nobody has anything. Raises InvalidInput.
    """
    z = _quantile(confidence)
    per_unit = scatter_per_unit([first, second]) if common is None else common
    if not first.members or not second.members or math.isnan(per_unit):
        return Difference(math.nan, -math.inf, math.inf)
    return _minus(_mean_bounds(first, per_unit, z), _mean_bounds(second, per_unit, z))


def scatter_per_unit(groups: Sequence[Sums]) -> float:
    """Variance within the groups per unit of size; NaN when there is no unit. Raises InvalidInput."""
    for group in groups:
        _check_sums(group)
    free = sum(group.members - 1 for group in groups if group.members)
    members, size = sum(group.members for group in groups), sum(group.size for group in groups)
    if free < 1 or not size:
        return math.nan
    return math.fsum(map(_scatter, groups)) / free * members / size


def weighted_difference(parts: Sequence[Difference], weights: Sequence[float]) -> Difference:
    """Independent differences added with weights, with an interval made of theirs.

    ``D - sqrt(sum w² (d - l)²)`` to ``D + sqrt(sum w² (u - d)²)``: Zou and Donner, Statistics in
    Medicine 27 (2008) 1693-1702. Raises InvalidInput for no parts, or weights that do not fit.
    """
    if not parts or len(parts) != len(weights) or min(weights) < 0:
        raise InvalidInput("each part needs one weight, and there must be a part")
    pairs = list(zip(parts, weights, strict=True))
    middle = math.fsum(weight * part.difference for part, weight in pairs)
    below = math.hypot(*(weight * (part.difference - part.low) for part, weight in pairs))
    above = math.hypot(*(weight * (part.high - part.difference) for part, weight in pairs))
    return Difference(middle, middle - below, middle + above)


Bounded = tuple[float, float, float]


def _minus(first: Bounded, second: Bounded) -> Difference:
    """First minus second, both as (figure, low, high)."""
    (x1, l1, u1), (x2, l2, u2) = first, second
    low, high = math.hypot(x1 - l1, u2 - x2), math.hypot(u1 - x1, x2 - l2)
    return Difference(x1 - x2, x1 - x2 - low, x1 - x2 + high)


def _mean_bounds(sums: Sums, common: float, z: float) -> Bounded:
    n, mean = sums.members, sums.total / sums.members
    spread = common
    if sums.size and n > 1:
        own = _scatter(sums) / (n - 1) * n / sums.size
        payers = sums.size**2 / sums.squares
        spread = (payers * own + OWN_WEIGHT_FROM * common) / (payers + OWN_WEIGHT_FROM)
    shift = z * z * spread / (2 * n)
    half = math.sqrt(z * z * spread * (sums.size / n) / n + shift * shift)
    return mean, mean + shift - half, mean + shift + half


def _scatter(sums: Sums) -> float:
    """The squared deviations from the mean, added up: exact until the last division."""
    return (sums.members * sums.squares - sums.total**2) / max(sums.members, 1)


def _check_sums(sums: Sums) -> None:
    enough = sums.members >= 0 and abs(sums.total) <= sums.size <= sums.squares
    if not enough or sums.total**2 > sums.members * sums.squares:
        raise InvalidInput(f"these cannot be sums of whole figures of one group: {sums}")


def _quantile(confidence: float) -> float:
    """The normal quantile that leaves out (1 - confidence) / 2 on each side."""
    if not 0.0 < confidence < 1.0:
        raise InvalidInput("confidence must lie between 0 and 1")
    return NormalDist().inv_cdf(0.5 + confidence / 2)
