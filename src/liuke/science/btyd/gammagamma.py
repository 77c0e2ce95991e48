"""Gamma-Gamma: what an order of a member is worth, and how much of their own mean is luck.

Fader, Hardie & Lee, JMR 42 (2005) 415; Fader & Hardie, "The Gamma-Gamma model of monetary value"
(2013). An order of a member is Gamma(p, v_i), the members' scales are Gamma(q, v), so the mean z of x
orders has the density (eq. 1a)

    G(px+q) / (G(px) G(q)) v^q z^(px-1) x^(px) / (v + x z)^(px+q).

Only members with a repeat purchase and money above 0 take part. The model takes money per order to be
independent of the number of orders. ``v`` is in the unit that the amounts are in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from liuke.science.btyd.dropout import Params
from liuke.science.btyd.fitting import REPEATERS_NEEDED, Fit, Likelihood, Rows, maximise
from liuke.science.btyd.summary import BuyingSummary
from liuke.science.errors import InvalidInput, NotEnoughData
from liuke.science.order_log import Floats

NAMES = ("p", "q", "v")


def fit(summary: BuyingSummary, *, minor_units: float = 1.0) -> Fit:
    """Most likely p, q, v with standard errors; ``members`` counts those who took part.

    ``minor_units`` is how many make one of the unit that ``v`` and the likelihood are in: 100 for
    dollars. Raises NotEnoughData or InvalidInput.
    """
    if not minor_units > 0:
        raise InvalidInput("minor_units must be above 0")
    with np.errstate(invalid="ignore"):
        takes_part = (summary.frequency > 0) & (summary.repeat_money > 0)
    x = summary.frequency[takes_part].astype(np.float64)
    mean = summary.repeat_money[takes_part] / minor_units
    if len(x) < REPEATERS_NEEDED:
        raise NotEnoughData(
            f"not enough data: {len(x)} members paid for a repeat purchase;"
            f" {REPEATERS_NEEDED} are needed"
        )
    typical = float(np.median(mean))
    starts = [(6.0, 4.0, typical / 2), (1.0, 2.0, typical), (50.0, 2.0, typical / 50)]
    return maximise("gg", likelihood(x, mean), np.ones(len(x)), NAMES, starts)


def likelihood(x: Floats, mean: Floats) -> Likelihood:
    """Log-likelihood of each (x, z) and its slopes by log p, log q, log v; shapes (members,)."""
    counts, x_at = np.unique(x, return_inverse=True)
    total = x * mean
    log_total, log_mean = np.log(total), np.log(mean)

    def at(params: Floats) -> Rows:
        p, q, v = params.tolist()
        shape = p * counts
        of_x = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
        by_p = shape * (digamma(shape + q) - digamma(shape))
        by_q = q * (digamma(shape + q) - digamma(q) + np.log(v))

        def rows(some: slice) -> tuple[Floats, Floats]:
            which, shapes = x_at[some], p * x[some]
            log_sum = np.log(v + total[some])
            above = log_total[some] - log_sum
            height = of_x[which] + shapes * above - log_mean[some] - q * log_sum
            slopes = np.empty((3, len(shapes)))
            slopes[0] = by_p[which] + shapes * above
            slopes[1] = by_q[which] - q * log_sum
            slopes[2] = q - v * (shapes + q) / (v + total[some])
            return height, slopes

        return rows

    return at


def expected_amount(params: Params, x: ArrayLike, mean: ArrayLike) -> Floats:
    """Expected money of a member's next order, in the unit of ``v``: eq. 5 of the 2013 note,

        (v + x z) p / (p x + q - 1),

    the mean of all members and the own mean, weighed by what x orders tell. Without a repeat
    purchase it is the mean of all. A mean below 0 (more returned than bought) counts as 0. NaN where
    the expectation is infinite, p x + q <= 1.
    """
    p, q, v = (params[name] for name in NAMES)
    x, mean = np.asarray(x, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    own = x * np.where(x > 0, np.maximum(mean, 0.0), 0.0)
    below = p * x + q - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, (v + own) * p / below, np.nan)
