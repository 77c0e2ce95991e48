"""Does a fitted model foretell how many members have bought again 0, 1, 2, ... times?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from liuke.science.btyd.cells import Cells, compress
from liuke.science.btyd.fitting import Fit
from liuke.science.btyd.models import MODELS
from liuke.science.btyd.summary import BuyingSummary
from liuke.science.errors import InvalidInput
from liuke.science.order_log import Floats, Int64s

LAST = 7
LEAST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Goodness:
    """Members by repeat purchases: ``repeats`` 0, 1, 2, ..., the last entry meaning that or more.

    ``chi_square`` has ``degrees`` of freedom (entries - 1 - parameters) and ``p_value`` is the chance
    of one as large if the model were true; NaN when no degrees are left. With very many members
    every model fails this test; then look at the two columns.
    """

    repeats: Int64s
    observed: Floats
    expected: Floats
    chi_square: float
    degrees: int
    p_value: float


def goodness(fit: Fit, summary: BuyingSummary | Cells, *, last: int = LAST) -> Goodness:
    """Hold a fit against the members it was fitted to: Pearson's chi-square, as in the papers.

    Entries from ``last`` on are one; more are joined to it until 5 members are expected there.
    Raises InvalidInput for a model that does not foretell orders.
    """
    if fit.model not in MODELS:
        raise InvalidInput(f"{fit.model} does not foretell orders")
    cells = compress(summary) if isinstance(summary, BuyingSummary) else summary
    ages, age_at = np.unique(cells.age, return_inverse=True)
    members = np.bincount(age_at, cells.count, len(ages))
    chances = MODELS[fit.model].repeat_probabilities(fit.params, last, ages)
    expected = _with_rest(members @ chances, members.sum())
    places = np.minimum(cells.x, last).astype(np.int64)
    observed: Floats = np.bincount(places, cells.count, last + 1).astype(np.float64)
    while len(expected) > 1 and expected[-1] < LEAST_EXPECTED:
        expected, observed = _joined(expected), _joined(observed)
    degrees = len(expected) - 1 - len(fit.params)
    off = float(((observed - expected) ** 2 / np.maximum(expected, 1e-300)).sum())
    p_value = float(chi2.sf(off, degrees)) if degrees > 0 else float("nan")
    return Goodness(np.arange(len(expected)), observed, expected, off, max(degrees, 0), p_value)


def _with_rest(expected: Floats, total: float) -> Floats:
    return np.append(expected, max(total - float(expected.sum()), 0.0))


def _joined(entries: Floats) -> Floats:
    return np.append(entries[:-2], entries[-2:].sum())
