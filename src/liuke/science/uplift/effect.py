"""The average effect and its interval: plainly, or adjusted where adjusting is worth a word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.adjustment import Measured, around, regression_adjusted, welch
from liuke.science.intervals import Difference, Sums, mean_difference, rate_difference
from liuke.science.order_log import Bools, Floats

WORTH_ADJUSTING = 0.05
"""With less of the variance cut, the plain difference is given: everybody can check it."""

_PARTS = 100
_LARGEST = 2.0**52


@dataclass(frozen=True, slots=True)
class AverageEffect:
    """``effect`` as it is to be told, ``plain`` without adjustment; ``variance_cut`` as measured."""

    effect: Difference
    plain: Difference
    variance_cut: float
    is_adjusted: bool


def average_effect(
    treated: Bools, outcome: Floats, foretold: Floats | None = None, *, confidence: float = 0.95
) -> AverageEffect:
    """Treated minus control, per person.

    ``foretold`` is each row's outcome as models that never saw the row expect it: one feature for
    `adjustment.regression_adjusted` (Guo, Coey, Konutgan, Li, Schoener, Goldman, NeurIPS 34 (2021) 8637). The plain
    interval is Newcombe's for rates, the score interval for money that is mostly zero, Welch's for anything else.
    """
    plain = _plain(treated, outcome, confidence)
    if foretold is None or not foretold.var() > 0:
        return AverageEffect(plain, plain, 0.0, False)
    found = regression_adjusted(treated, outcome, foretold[:, None], confidence=confidence)
    if found.variance_cut < WORTH_ADJUSTING:
        return AverageEffect(plain, plain, found.variance_cut, False)
    return AverageEffect(found.adjusted, plain, found.variance_cut, True)


def _plain(treated: Bools, outcome: Floats, confidence: float) -> Difference:
    first, second = outcome[treated], outcome[~treated]
    if bool(((outcome == 0) | (outcome == 1)).all()):
        return rate_difference(
            int(first.sum()), len(first), int(second.sum()), len(second), confidence=confidence
        )
    if bool((outcome >= 0).all()) and float((outcome == 0).mean()) >= 0.5:
        parts = np.rint(outcome * _PARTS)
        exact = bool((np.abs(outcome * _PARTS - parts) < 1e-6 * np.maximum(parts, 1)).all())
        if exact and float(np.square(parts).sum()) < _LARGEST:
            found = mean_difference(
                _sums(parts[treated]), _sums(parts[~treated]), confidence=confidence
            )
            return Difference(
                *(each / _PARTS for each in (found.difference, found.low, found.high))
            )
    measured: Measured = welch(treated, outcome, confidence=confidence)
    return around(measured)


def _sums(parts: Floats) -> Sums:
    total = int(parts.sum())
    return Sums(len(parts), total, total, int(np.square(parts).sum()))
