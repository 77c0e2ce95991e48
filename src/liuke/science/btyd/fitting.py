"""Maximum likelihood for a handful of positive parameters, and what may be said of the result.

The search runs over the logarithms of the parameters, where none can become negative and a change
of the unit of time or money is a shift. Standard errors come from the observed information: the
Hessian of the log-likelihood, by central differences of its gradient, inverted and carried from
logarithms to the parameters by the delta method, ``se(p) = p * se(log p)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from liuke.science.errors import NotEnoughData
from liuke.science.order_log import Floats

MEMBERS_NEEDED = 30
REPEATERS_NEEDED = 10

Objective = Callable[[Floats], tuple[float, Floats]]
"""Parameters, shape (k,), to log-likelihood and its gradient by the parameters' logarithms."""

_FARTHEST = 12.0
_STEP = 1e-4
_LEFT = 1e-5
_SLOPE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted model. ``params`` and ``standard_errors`` by name; time in the summary's unit.

    ``converged`` is True only where the likelihood has a peak inside the searched region and the
    search reached it, with less than 0.00001 of log-likelihood left to gain. Otherwise the
    parameters are the most likely ones looked at, they lie on a ridge that has no peak, and
    every standard error is NaN: the data do not tell the parameters apart.
    """

    model: str
    params: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float
    converged: bool
    members: int


@dataclass(frozen=True, slots=True, eq=False)
class _Peak:
    logs: Floats
    height: float
    deviations: Floats
    reached: bool


def check_enough(members: int, repeaters: int) -> None:
    """NotEnoughData below 30 members or 10 members who bought again."""
    if members < MEMBERS_NEEDED or repeaters < REPEATERS_NEEDED:
        raise NotEnoughData(
            f"not enough data: {members} members, {repeaters} of them bought again;"
            f" {MEMBERS_NEEDED} and {REPEATERS_NEEDED} are needed"
        )


def maximise(
    model: str,
    objective: Objective,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    members: int,
) -> Fit:
    """Climb from each start in turn until one reaches a peak; otherwise keep the highest point.

    ``starts`` are parameters, all above 0; the search keeps within e**12 of each of them.
    """
    best: _Peak | None = None
    for start in starts:
        found = _climb(objective, np.log(np.asarray(start, dtype=np.float64)))
        if best is None or found.reached or found.height > best.height:
            best = found
        if best.reached:
            break
    if best is None:
        raise ValueError("no start was given")
    params = np.exp(best.logs)
    return Fit(
        model=model,
        params=dict(zip(names, params.tolist(), strict=True)),
        standard_errors=dict(zip(names, (params * best.deviations).tolist(), strict=True)),
        log_likelihood=best.height,
        converged=best.reached,
        members=members,
    )


def _climb(objective: Objective, start: Floats) -> _Peak:
    def cost(logs: Floats) -> tuple[float, Floats]:
        height, slope = objective(np.exp(logs))
        return -height, -slope

    low, high = start - _FARTHEST, start + _FARTHEST
    found = minimize(
        cost,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-9, "maxcor": 20},
    )
    logs, height = np.asarray(found.x), -float(found.fun)
    for _ in range(4):
        slope = objective(np.exp(logs))[1]
        deviations, step = _newton(objective, logs, slope)
        left = math.inf if step is None else float(slope @ step)
        if step is None or left < _LEFT:
            break
        ahead = np.clip(logs + step, low, high)
        if (higher := objective(np.exp(ahead))[0]) <= height:
            break
        logs, height = ahead, higher
    inside = bool((np.abs(logs - start) < _FARTHEST - 0.1).all())
    reached = inside and left < 2 * _LEFT
    return _Peak(logs, height, deviations if reached else np.full(len(logs), np.nan), reached)


def _newton(objective: Objective, logs: Floats, slope: Floats) -> tuple[Floats, Floats | None]:
    """Standard deviations of the logarithms and the step to the peak; None where there is none."""
    size = len(logs)
    hessian = np.empty((size, size))
    for place in range(size):
        shift = np.zeros(size)
        shift[place] = _STEP
        ahead, behind = objective(np.exp(logs + shift))[1], objective(np.exp(logs - shift))[1]
        hessian[place] = (ahead - behind) / (2 * _STEP)
    information = -(hessian + hessian.T) / 2
    unknown = np.full(size, np.nan)
    if not np.isfinite(information).all():
        return unknown, None
    curvatures, axes = np.linalg.eigh(information)
    if curvatures[0] <= _SLOPE:
        return unknown, None
    covariance = (axes / curvatures) @ axes.T
    return np.sqrt(np.diag(covariance)), covariance @ slope
