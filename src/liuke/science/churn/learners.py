"""What is learned on top of the buying model: both start from its log odds and add a correction.

So little data means little correction, and the level of a window, which is season, is not learned as if it
were habit. Both give log odds of buying to *add*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from liuke.science.order_log import Bools, Floats

RIDGE = 10.0
FARTHEST = 4.0
THREADS = 1
ROUNDS = (25, 50, 100, 150)
BOOSTING = {
    "objective": "binary",
    "boost_from_average": False,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 63,
    "num_threads": THREADS,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 7,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """A ridge logistic regression on standardised columns; ``intercept`` and one weight a column."""

    middle: Floats
    spread: Floats
    weights: Floats
    intercept: float

    def parts(self, columns: Floats) -> Floats:
        """What each column adds, shape of ``columns``; a missing figure adds nothing."""
        return standardise(columns, self.middle, self.spread) * self.weights

    def add(self, columns: Floats) -> Floats:
        added: Floats = self.parts(columns).sum(axis=1) + self.intercept
        return added


def squeeze(columns: Floats) -> Floats:
    """sign(x) log(1 + |x|): counts, days and money on one footing."""
    return np.sign(columns) * np.log1p(np.abs(columns))


def standardise(columns: Floats, middle: Floats, spread: Floats) -> Floats:
    """(squeezed - middle) / spread, kept within FARTHEST; missing figures are in the middle."""
    scaled = np.nan_to_num((squeeze(columns) - middle) / spread, nan=0.0)
    return np.clip(scaled, -FARTHEST, FARTHEST)


def fit_logistic(columns: Floats, ground: Floats, bought: Bools) -> Logistic:
    """Penalised maximum likelihood with ``ground`` as offset, by Newton's method with halved steps."""
    squeezed = squeeze(columns)
    seen = np.isfinite(squeezed)
    counts = np.maximum(seen.sum(axis=0), 1)
    middle = np.where(seen, squeezed, 0.0).sum(axis=0) / counts
    square = (np.where(seen, squeezed - middle, 0.0) ** 2).sum(axis=0) / counts
    spread = np.where(square > 1e-12, np.sqrt(square), 1.0)
    table = np.column_stack([standardise(columns, middle, spread), np.ones(len(columns))])
    penalty = np.append(np.full(columns.shape[1], RIDGE), 1e-6)
    weights = np.zeros(table.shape[1])
    cost = _cost(table, ground, bought, weights, penalty)
    for _ in range(50):
        chance = expit(ground + table @ weights)
        slope = table.T @ (bought - chance) - penalty * weights
        bend = (table * (chance * (1 - chance))[:, None]).T @ table + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        while (tried := _cost(table, ground, bought, weights + step, penalty)) > cost + 1e-9:
            step = step / 2
        weights = weights + step
        gained, cost = cost - tried, tried
        if gained < 1e-7 * max(cost, 1.0):
            break
    return Logistic(middle, spread, weights[:-1], float(weights[-1]))


def _cost(table: Floats, ground: Floats, bought: Bools, weights: Floats, penalty: Floats) -> float:
    odds = ground + table @ weights
    loss = np.logaddexp(0.0, np.where(bought, -odds, odds)).sum()
    return float(loss + 0.5 * penalty @ weights**2)


def boosting_is_there() -> bool:
    """Whether LightGBM can be loaded: it needs OpenMP, which not every machine has."""
    try:
        import lightgbm  # noqa: F401, PLC0415
    except (ImportError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """Gradient-boosted trees (Friedman, Annals of Statistics 29 (2001) 1189), by LightGBM."""

    booster: Any

    def add(self, columns: Floats, rounds: int) -> Floats:
        added: Floats = self.booster.predict(columns, raw_score=True, num_iteration=rounds)
        return added


def fit_boosted(columns: Floats, ground: Floats, bought: Bools, rounds: int) -> Boosted:
    """Trees on what ``ground`` leaves unexplained."""
    import lightgbm  # noqa: PLC0415

    rows = lightgbm.Dataset(
        columns,
        bought.astype(np.float64),
        init_score=ground,
        params={"verbosity": -1, "max_bin": BOOSTING["max_bin"], "num_threads": THREADS},
    )
    return Boosted(lightgbm.train(BOOSTING, rows, num_boost_round=rounds))
