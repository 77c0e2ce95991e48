"""Maximum likelihood for a handful of positive parameters, and what may be said of the result.

The search runs over the logarithms of the parameters, where none can become negative and a change
of the unit of time or money is a shift.

Standard errors are Huber's: H^-1 S H^-1, with H the observed information (minus the Hessian, by
central differences of the gradient) and S the sum over members of the outer products of their
slopes; carried from logarithms to the parameters by the delta method, ``se(p) = p * se(log p)``.
Where the model is true they equal those of H alone; where it is not, as always a little, H alone
promises too much (alpha of the BG/NBD on CDNOW: 36 % less than a bootstrap finds).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from liuke.science.errors import NotEnoughData
from liuke.science.order_log import Floats

MEMBERS_NEEDED = 30
REPEATERS_NEEDED = 10

Rows = Callable[[slice], tuple[Floats, Floats]]
"""Rows of the data to the log-likelihood of each, shape (rows,), and its slopes, (k, rows)."""

Likelihood = Callable[[Floats], Rows]
"""Parameters, shape (k,), to Rows; slopes are by the logarithms of the parameters."""

Objective = Callable[[Floats], tuple[float, Floats]]

_FARTHEST, _LONGEST, _STEP = 9.0, 1.5, 1e-4
"""In logarithms: the region around a start, one step of the search, one of a difference."""
_MOST_ROUNDS, _MOST_STEPS, _STILL = 5, 50, 1e-8
_LEFT, _FLATTEST = 1e-5, 1e-3


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
    """``covariance`` is the inverse of the observed information, None where there is no peak."""

    logs: Floats
    height: float
    covariance: Floats | None


def check_enough(members: int, repeaters: int) -> None:
    """NotEnoughData below 30 members or 10 members who bought again."""
    if members < MEMBERS_NEEDED or repeaters < REPEATERS_NEEDED:
        raise NotEnoughData(
            f"not enough data: {members} members, {repeaters} of them bought again;"
            f" {MEMBERS_NEEDED} and {REPEATERS_NEEDED} are needed"
        )


def maximise(
    model: str,
    likelihood: Likelihood,
    count: Floats,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    *,
    block: int = 8_192,
) -> Fit:
    """Climb from each start in turn until one reaches a peak; otherwise keep the highest point.

    Row i counts ``count[i]`` times. ``starts`` are parameters, all above 0; the search keeps within
    e**9 of each of them. Rows are worked on ``block`` at a time, to stay in the cache.
    """
    blocks = [slice(begin, begin + block) for begin in range(0, len(count), block)]

    def objective(params: Floats) -> tuple[float, Floats]:
        rows = likelihood(params)
        height, slope = 0.0, np.zeros(len(names))
        for some in blocks:
            heights, slopes = rows(some)
            height += float(heights @ count[some])
            slope += [each @ count[some] for each in slopes]  # short dots start no threads
        return height, slope

    peaks: list[_Peak] = []
    for start in starts:
        peaks.append(_climb(objective, np.log(np.asarray(start, dtype=np.float64))))
        if peaks[-1].covariance is not None:
            break
    best = max(peaks, key=lambda peak: (peak.covariance is not None, peak.height))
    params = np.exp(best.logs)
    errors = np.full(len(params), np.nan)
    if best.covariance is not None:
        spread = _spread(likelihood(params), count, blocks, len(names))
        errors = params * np.sqrt(np.diag(best.covariance @ spread @ best.covariance))
    return Fit(
        model=model,
        params=dict(zip(names, params.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
        log_likelihood=best.height,
        converged=best.covariance is not None,
        members=round(float(count.sum())),
    )


def _spread(rows: Rows, count: Floats, blocks: Sequence[slice], size: int) -> Floats:
    """Sum over members of the outer product of their slopes."""
    total = np.zeros((size, size))
    for some in blocks:
        slopes = rows(some)[1]
        total += (slopes * count[some]) @ slopes.T
    return total


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    logs: Floats
    height: float
    slope: Floats


def _climb(objective: Objective, start: Floats) -> _Peak:
    """BFGS with backtracking, begun anew from differences wherever it stops short of a peak."""
    place = _Place(start, *objective(np.exp(start)))
    information = _information(objective, start, place.slope)
    for _ in range(_MOST_ROUNDS):
        before = place.height
        place = _bfgs(objective, place, information, start)
        information = _information(objective, place.logs, None)
        if _gain(information, place.slope) < _LEFT or place.height <= before:
            break
    curvatures, axes = np.linalg.eigh(information)
    inside = bool((np.abs(place.logs - start) < _FARTHEST - 0.1).all())
    still = _gain(information, place.slope) < _LEFT
    if not (inside and still and curvatures[0] > _FLATTEST):
        return _Peak(place.logs, place.height, None)
    return _Peak(place.logs, place.height, (axes / curvatures) @ axes.T)


def _gain(information: Floats, slope: Floats) -> float:
    """What Newton's next step would bring."""
    return float(slope @ _uphill(information, slope))


def _bfgs(objective: Objective, place: _Place, information: Floats, start: Floats) -> _Place:
    for _ in range(_MOST_STEPS):
        step = _uphill(information, place.slope)
        if float(place.slope @ step) < _STILL:
            break
        ahead = _ahead(objective, place, step, start)
        if ahead is None:
            break
        information = _learned(information, ahead.logs - place.logs, place.slope - ahead.slope)
        place = ahead
    return place


def _uphill(information: Floats, slope: Floats) -> Floats:
    """Newton's step with every curvature taken as if it had a peak, no longer than e**2 allows."""
    curvatures, axes = np.linalg.eigh(information)
    bent = np.maximum(np.abs(curvatures), max(float(np.abs(curvatures).max()) * 1e-9, 1e-9))
    step: Floats = axes @ ((axes.T @ slope) / bent)
    return step * min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-300))


def _ahead(objective: Objective, place: _Place, step: Floats, start: Floats) -> _Place | None:
    """The first of step, step/4, step/16, ... that climbs as it should, within the region."""
    for _ in range(12):
        logs = np.clip(place.logs + step, start - _FARTHEST, start + _FARTHEST)
        height, slope = objective(np.exp(logs))
        promised = float(place.slope @ (logs - place.logs))
        if height > place.height and height >= place.height + 1e-4 * promised:
            return _Place(logs, height, slope)
        step = step / 4
    return None


def _learned(information: Floats, moved: Floats, flatter: Floats) -> Floats:
    """The BFGS update: what one step taught of the curvature along it."""
    along = float(moved @ flatter)
    pulled = information @ moved
    was = float(moved @ pulled)
    if along <= 1e-12 or was <= 1e-12:
        return information
    return information + np.outer(flatter, flatter) / along - np.outer(pulled, pulled) / was


def _information(objective: Objective, logs: Floats, slope: Floats | None) -> Floats:
    """Minus the Hessian: forward differences of the slope given, central ones without."""
    rows = []
    for shift in np.eye(len(logs)) * _STEP:
        ahead = objective(np.exp(logs + shift))[1]
        if slope is None:
            rows.append((objective(np.exp(logs - shift))[1] - ahead) / (2 * _STEP))
        else:
            rows.append((slope - ahead) / _STEP)
    matrix = np.array(rows)
    return (matrix + matrix.T) / 2
