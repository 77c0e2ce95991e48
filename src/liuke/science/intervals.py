"""Honest figures: an interval around a rate, and how much of the money few members bring."""

from __future__ import annotations

import math
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
    if not 0.0 < confidence < 1.0:
        raise InvalidInput("confidence must lie between 0 and 1")
    won, n = read_integers(successes, "successes"), read_integers(trials, "trials")
    check_same_length(successes=won, trials=n)
    if bool((won < 0).any()) or bool((won > n).any()):
        raise InvalidInput("successes must lie between 0 and trials")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
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
class RateDifference:
    """``difference`` of two rates (first minus second) and its interval."""

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
) -> RateDifference:
    """Newcombe's hybrid score interval for the difference of two independent rates.

    ``d - sqrt((p1-l1)² + (u2-p2)²)`` to ``d + sqrt((u1-p1)² + (p2-l2)²)`` with Wilson bounds l, u.
    Source: R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10. With no trials on
    either side the difference is NaN and the interval -1 to 1. Raises InvalidInput as Wilson does.
    """
    bounds = wilson_interval(
        [successes, other_successes], [trials, other_trials], confidence=confidence
    )
    (p1, p2), (l1, l2), (u1, u2) = bounds.rate, bounds.low, bounds.high
    if not trials or not other_trials:
        return RateDifference(math.nan, -1.0, 1.0)
    low = p1 - p2 - math.hypot(p1 - l1, u2 - p2)
    high = p1 - p2 + math.hypot(u1 - p1, p2 - l2)
    return RateDifference(float(p1 - p2), float(low), float(high))
