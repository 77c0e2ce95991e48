"""Purchases of a member who stays: Poisson at a rate ~ Gamma(r, alpha)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

from liuke.science.order_log import Floats


def log_counts(r: float, alpha: float, below: int, age: Floats) -> Floats:
    """log P(x purchases by ``age``), the negative binomial, for x = 0 .. below-1; (ages, below)."""
    x = np.arange(below, dtype=np.float64)
    share = (age / (alpha + age))[:, None]
    ways = gammaln(r + x) - gammaln(r) - gammaln(x + 1)
    log_chance: Floats = ways + xlogy(x, share) - r * np.log1p(age / alpha)[:, None]
    return log_chance
