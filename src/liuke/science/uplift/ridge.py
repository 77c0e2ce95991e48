"""Ridge regression, linear and logistic: the base learner for small data, with the penalty chosen from the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from liuke.science.order_log import Floats

Predictor = Callable[[Floats], Floats]

EXTREME = 0.001
"""This share of a figure's ends is drawn in, at least the outermost figure: one giant must not tilt the line."""

_PENALTIES = 10.0 ** np.arange(-2.0, 6.1, 0.5)
_STEPS_MOST = 50


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Makes features comparable: ends drawn in, mean 0, scatter 1, as they were among the rows learnt from."""

    low: Floats
    high: Floats
    mean: Floats
    spread: Floats

    def __call__(self, features: Floats) -> Floats:
        scaled: Floats = (np.clip(features, self.low, self.high) - self.mean) / self.spread
        return scaled


def scale_of(features: Floats) -> Scale:
    low = np.quantile(features, EXTREME, axis=0, method="higher")
    high = np.quantile(features, 1 - EXTREME, axis=0, method="lower")
    drawn_in = np.clip(features, low, high)
    spread = drawn_in.std(axis=0)
    return Scale(low, high, drawn_in.mean(axis=0), np.where(spread > 1e-12, spread, np.inf))


def fit_linear(features: Floats, outcome: Floats) -> Predictor:
    """Least squares with a penalty on the squared slopes: Hoerl and Kennard, Technometrics 12 (1970) 55."""
    scale = scale_of(features)
    rows = scale(features)
    level = float(outcome.mean())
    slopes, _ = _penalised(rows, outcome - level)

    def predict(others: Floats) -> Floats:
        predicted: Floats = level + scale(others) @ slopes
        return predicted

    return predict


def fit_logistic(features: Floats, outcome: Floats) -> Predictor:
    """The chance of outcome 1, by Newton's method; the same penalty in the scale of its weights ``p (1 - p)``.

    le Cessie and van Houwelingen, Applied Statistics 41 (1992) 191. With one kind of outcome only, its share. A fit
    that does not settle in 50 steps cannot happen with a penalty: the target is strictly concave and steps that
    would lose are halved.
    """
    level = float(outcome.mean())
    if not 0.0 < level < 1.0:
        return lambda others: np.full(len(others), level)
    scale = scale_of(features)
    rows = np.column_stack((np.ones(len(outcome)), scale(features)))
    _, penalty = _penalised(rows[:, 1:], outcome - level)
    penalties = np.full(rows.shape[1], penalty * level * (1 - level))
    penalties[0] = 0.0
    start = np.zeros(rows.shape[1])
    start[0] = np.log(level / (1 - level))
    slopes = _newton(rows, outcome, penalties, start)

    def predict(others: Floats) -> Floats:
        predicted: Floats = expit(slopes[0] + scale(others) @ slopes[1:])
        return predicted

    return predict


def _newton(rows: Floats, outcome: Floats, penalties: Floats, slopes: Floats) -> Floats:
    at = _log_likelihood(rows, outcome, penalties, slopes)
    for _ in range(_STEPS_MOST):
        chance = expit(rows @ slopes)
        weight = np.maximum(chance * (1 - chance), 1e-9)
        slope = rows.T @ (outcome - chance) - penalties * slopes
        bend = (rows * weight[:, None]).T @ rows + np.diag(penalties + 1e-9)
        step = np.linalg.solve(bend, slope)
        found = _log_likelihood(rows, outcome, penalties, slopes + step)
        while found < at and float(np.abs(step).max()) > 1e-10:
            step = step / 2
            found = _log_likelihood(rows, outcome, penalties, slopes + step)
        slopes = slopes + step
        if found - at < 1e-8 * abs(at):
            break
        at = found
    return slopes


def _log_likelihood(rows: Floats, outcome: Floats, penalties: Floats, slopes: Floats) -> float:
    score = rows @ slopes
    return float(outcome @ score - np.logaddexp(0.0, score).sum() - penalties @ slopes**2 / 2)


def _penalised(rows: Floats, centred: Floats) -> tuple[Floats, float]:
    """The slopes, and the penalty with the least generalised cross-validation error.

    ``n |y - Xb|² / (n - freedom)²``: Golub, Heath, Wahba, Technometrics 21 (1979) 215.
    """
    n = len(centred)
    squares, axes = np.linalg.eigh(rows.T @ rows)
    squares = np.maximum(squares, 0.0)
    along = axes.T @ (rows.T @ centred)
    total = float(centred @ centred)
    penalties = _PENALTIES * max(n / 1_000, 1e-3)
    kept = squares / (squares + penalties[:, None])
    explained = along**2 / np.where(squares > 1e-9 * max(n, 1), squares, np.inf)
    left = np.maximum(total - explained @ (kept * (2 - kept)).T, 0.0)
    freedom = 1.0 + kept.sum(axis=1)
    error = np.where(freedom < n, left / np.maximum(n - freedom, 1e-9) ** 2, np.inf)
    penalty = float(penalties[int(np.argmin(error))])
    return axes @ (along / (squares + penalty)), penalty
