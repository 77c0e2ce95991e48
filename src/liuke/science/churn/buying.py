"""The ground every forecast stands on: P(order within H) of the MBG/NBD, as log odds.

Not the probability of being alive: that stays near 1 for a member who buys twice a decade, and on some
logs ranks worse than chance. The chance of an order within H is what churn means here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from liuke.science.btyd import mbgnbd
from liuke.science.btyd.summary import DAYS_PER_WEEK, BuyingSummary
from liuke.science.churn.history import History
from liuke.science.errors import NotEnoughData
from liuke.science.order_log import Floats, Int64s

_SURELY = 1e-6
_PRIOR_SHAPE = 0.5
FARTHEST_SHIFT = 4.0


@dataclass(frozen=True, slots=True)
class BuyingModel:
    """``params`` of the MBG/NBD; or, where it could not be fitted, r and alpha of a plain NBD.

    ``kind`` says which: fitted, ridge (the likelihood has no single peak; the best point seen is
    used), or assumed (too few members; nobody ever leaves, and rates scatter with shape 0.5).
    """

    params: Mapping[str, float]
    kind: str

    def log_odds(self, known: History, cut: int, horizon: int) -> Floats:
        """Log odds of an order in (cut, cut + horizon], one per member of ``known``."""
        x, t_x, age = _summary_columns(known, cut)
        within = horizon / DAYS_PER_WEEK
        if self.kind == "assumed":
            wait = np.log1p(within / (self.params["alpha"] + age))
            chance = -np.expm1(-(self.params["r"] + x) * wait)
        else:
            chance = mbgnbd.probability_of_order(self.params, x, t_x, age, within)
        odds: Floats = logit(np.clip(chance, _SURELY, 1 - _SURELY))
        return odds


def fit_buying(known: History, cut: int) -> BuyingModel:
    """The model of everything known at the end of ``cut``; never fails."""
    x, t_x, age = _summary_columns(known, cut)
    summary = BuyingSummary(known.ids, x.astype(np.int64), t_x, age, np.full(len(x), np.nan))
    try:
        fit = mbgnbd.fit(summary)
    except NotEnoughData:
        weeks = float(age.sum()) + 1.0
        rate = (float(x.sum()) + _PRIOR_SHAPE) / weeks
        return BuyingModel({"r": _PRIOR_SHAPE, "alpha": _PRIOR_SHAPE / rate}, "assumed")
    return BuyingModel(fit.params, "fitted" if fit.converged else "ridge")


def level_shift(log_odds: Floats, share: float) -> float:
    """The number to add to all log odds so that their mean chance is ``share``; kept in [-4, 4].

    Newton's steps inside a bracket that only shrinks.
    """
    low, high, at = -FARTHEST_SHIFT, FARTHEST_SHIFT, 0.0
    for _ in range(30):
        chance = expit(log_odds + at)
        short = share - float(chance.mean())
        low, high = (at, high) if short > 0 else (low, at)
        steepness = float((chance * (1.0 - chance)).mean())
        tried = at + short / max(steepness, 1e-12)
        before, at = at, tried if low < tried < high else (low + high) / 2
        if abs(at - before) < 1e-9:
            break
    return at


def _summary_columns(known: History, cut: int) -> tuple[Floats, Floats, Floats]:
    """x, t_x and T in weeks."""
    days: Int64s = np.bincount(known.place, minlength=len(known.ids))
    last = known.day[np.cumsum(days) - 1]
    t_x: Floats = (last - known.first) / DAYS_PER_WEEK
    return days.astype(np.float64) - 1.0, t_x, (cut - known.first) / DAYS_PER_WEEK
