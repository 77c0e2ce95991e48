"""Boosted trees as the base learner, where rows suffice and LightGBM is installed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from liuke.science.order_log import Floats
from liuke.science.uplift.ridge import Predictor

ROWS_LEAST = 5_000
"""With fewer rows, trees of a few hundred members each find noise."""

_TREES = 50


def is_available() -> bool:
    return find_spec("lightgbm") is not None


def fit_rate(features: Floats, outcome: Floats) -> Predictor:
    """The chance of outcome 1."""
    return _fit(features, outcome, "binary")


def fit_amount(features: Floats, outcome: Floats) -> Predictor:
    """The mean of the outcome."""
    return _fit(features, outcome, "regression")


def _fit(features: Floats, outcome: Floats, objective: str) -> Predictor:
    """Ke et al., NeurIPS (2017) 3149: shallow, slow and restrained, for effects are small beside the noise."""
    import lightgbm  # noqa: PLC0415 - two seconds, and not everybody has it

    level = float(outcome.mean())
    if bool((outcome == outcome[0]).all()):
        return lambda others: np.full(len(others), level)
    chosen = {
        "objective": objective,
        "learning_rate": 0.08,
        "num_leaves": 7,
        "min_data_in_leaf": max(100, len(outcome) // 100),
        "lambda_l2": 10.0,
        "max_bin": 63,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
        "verbosity": -1,
    }
    trees = lightgbm.train(chosen, lightgbm.Dataset(features, outcome), num_boost_round=_TREES)

    def predict(others: Floats) -> Floats:
        return np.asarray(trees.predict(others, num_threads=1), dtype=np.float64)

    return predict
