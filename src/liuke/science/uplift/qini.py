"""Does a score find the members who are moved more? Qini, and what chance alone would make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.order_log import Bools, Floats, Indexes

SHUFFLES = 1_000
"""Beyond 20,000 rows half as many do: the null is smooth there."""

_MANY = 20_000


@dataclass(frozen=True, slots=True)
class Ranking:
    """``qini`` of a score, and the ``null_975`` that chance exceeds once in forty; NaN where nothing is gained."""

    qini: float
    null_975: float

    @property
    def is_learnable(self) -> bool:
        return self.qini > self.null_975


def qini(score: Floats, treated: Bools, outcome: Floats) -> float:
    """The area between the Qini curve and the random line, over that under the random line.

    ``Q(k) = Y1(k) - Y0(k) N1(k) / N0(k)`` among the k best by score: Radcliffe, Direct Marketing Analytics Journal
    (2007) 14. 0 is random, 1 gains everything at once; beyond 1 where some are put off. Equal scores are met
    together, on a straight line. Divided by |Q(n)|, so that more is better even where the effect is below zero.
    """
    order, ends = _groups(score)
    return _over_random(treated[order], outcome[order], ends)


def judged(
    score: Floats, treated: Bools, outcome: Floats, *, shuffles: int | None = None, seed: int = 0
) -> Ranking:
    """The Qini, and the 97.5 % point of it when members are shuffled against the scores."""
    order, ends = _groups(score)
    arms, figures = treated[order], outcome[order]
    chance = np.random.default_rng(seed)
    times = shuffles or (SHUFFLES if len(arms) <= _MANY else SHUFFLES // 2)
    null = np.empty(times)
    for each in range(times):
        mixed = chance.permutation(len(arms))
        null[each] = _over_random(arms[mixed], figures[mixed], ends)
    return Ranking(_over_random(arms, figures, ends), float(np.quantile(null, 0.975)))


def _groups(score: Floats) -> tuple[Indexes, Indexes]:
    """Rows from the best score to the worst, and where each group of equal scores ends."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order]) != 0), len(score) - 1)
    return order, ends


def _over_random(treated: Bools, outcome: Floats, ends: Indexes) -> float:
    n1, y = np.cumsum(treated), np.cumsum(outcome)
    y1 = np.cumsum(outcome * treated)
    if len(ends) < len(n1):
        n1, y, y1 = n1[ends], y[ends], y1[ends]
    gained = y1 - (y - y1) * (n1 / np.maximum(ends + 1 - n1, 1))
    all_gained = abs(float(gained[-1]))
    if all_gained <= 1e-12 * max(abs(float(y1[-1])), 1e-300):
        return float("nan")
    share = (ends + 1) / len(treated)
    area = np.trapezoid(np.append(0.0, gained), np.append(0.0, share))
    return float((area - gained[-1] / 2) / (all_gained / 2))
