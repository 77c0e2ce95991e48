"""Looking before the end without fooling oneself: group-sequential boundaries.

When it is known beforehand how many members there will be at most, the error allowed is spent look by look and
little power is lost (`boundaries`). When it is not, the interval that holds for ever is the honest one
(`experiments.anytime_confidence`), at a price in power. `width_of_look` chooses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from liuke.science.errors import InvalidInput
from liuke.science.experiments import anytime_confidence
from liuke.science.order_log import Floats

Spending = Literal["obrien_fleming", "pocock"]

_FARTHEST = 8.5
"""Standard deviations beyond which a normal density adds nothing to a float."""

_WIDEST = 37.0
"""A boundary that no chance above the smallest float would cross."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """At look k stop when the effect is ``bounds[k]`` standard errors from zero, either way.

    ``fractions`` of all members that will have been watched, ``spent`` the error allowed so far; shape (looks,).
    """

    fractions: Floats
    bounds: Floats
    spent: Floats


def spend(fraction: float, alpha: float, spending: Spending) -> float:
    """How much of the error ``alpha`` (both sides together) may be used up at a fraction of all members.

    Lan and DeMets, Biometrika 70 (1983) 659: like O'Brien and Fleming ``4 (1 - Phi(z / sqrt(t)))`` with z the
    quantile of 1 - alpha / 4, strict at first and at the end nearly a single look; like Pocock
    ``alpha log(1 + (e - 1) t)``, the same at all looks.
    """
    if fraction >= 1.0:
        return alpha
    if spending == "pocock":
        return alpha * math.log1p((math.e - 1.0) * fraction)
    return 4.0 * float(ndtr(ndtri(alpha / 4.0) / math.sqrt(fraction)))


def boundaries(
    fractions: Sequence[float], *, alpha: float = 0.05, spending: Spending = "obrien_fleming"
) -> Boundaries:
    """Boundaries for looks after these fractions of all members, rising to at most 1.

    Each bound is where the chance of crossing it first at its look equals what may be spent there. The chance is
    integrated look by look over those who have not crossed: Armitage, McPherson, Rowe, Journal of the Royal
    Statistical Society A 132 (1969) 235, by Gauss and Legendre. Later looks change no earlier bound, so their
    number need not be planned, only the members. Raises InvalidInput.
    """
    at = _read_fractions(fractions)
    if not 0.0 < alpha < 1.0 or spending not in ("obrien_fleming", "pocock"):
        raise InvalidInput("alpha must lie between 0 and 1, spending be obrien_fleming or pocock")
    spent = np.array([spend(float(each), alpha, spending) for each in at])
    bounds = np.empty(len(at))
    walk = _Walk()
    for look, (fraction, may) in enumerate(zip(at, np.diff(spent, prepend=0.0), strict=True)):
        bounds[look] = walk.bound(float(fraction), float(may))
        walk = walk.on(float(fraction), float(bounds[look]))
    return Boundaries(at, bounds, spent)


def crossing_chances(
    fractions: Sequence[float], bounds: Sequence[float], *, effect: float = 0.0
) -> Floats:
    """The chance to cross first at each look, shape (looks,); all together they are the power.

    ``effect`` is the true one in standard errors at fraction 1: 1.96 + 1.34 where one look sees it 91 times in
    100. Same integration as `boundaries`. Raises InvalidInput.
    """
    at = _read_fractions(fractions)
    if len(bounds) != len(at) or min(bounds) < 0.0:
        raise InvalidInput("each look needs one bound, not below 0")
    chances = np.empty(len(at))
    walk = _Walk(effect=effect)
    for look, (fraction, bound) in enumerate(zip(at, bounds, strict=True)):
        chances[look] = walk.crosses(float(fraction), float(bound))
        walk = walk.on(float(fraction), float(bound))
    return chances


def width_of_look(
    members: Sequence[int],
    *,
    at_most: int | None,
    planned: int,
    confidence: float = 0.95,
    spending: Spending = "obrien_fleming",
) -> float:
    """How many standard errors an interval must reach to each side at the last of these looks.

    ``members`` watched at each look so far, rising. With ``at_most`` members known beforehand the looks are a
    group-sequential plan and the intervals repeated ones (Jennison and Turnbull, Journal of the Royal Statistical
    Society B 51 (1989) 305). Without, the interval that holds at all looks for ever, narrowest at ``planned``.
    Raises InvalidInput, also for looks that go on after ``at_most`` members were reached.
    """
    if not members or not 0.0 < confidence < 1.0:
        raise InvalidInput("there must be a look, and confidence between 0 and 1")
    if at_most is None:
        wide = anytime_confidence(members[-1], planned=planned, confidence=confidence)
        return float(ndtri(0.5 + wide / 2))
    if at_most < 1 or any(each >= at_most for each in members[:-1]):
        raise InvalidInput(
            "all planned members were watched at an earlier look, which was the last"
        )
    fractions = [min(each / at_most, 1.0) for each in members]
    return float(boundaries(fractions, alpha=1.0 - confidence, spending=spending).bounds[-1])


class _Walk:
    """Where a Brownian motion with drift ``effect`` may be at ``time``, having crossed nothing.

    ``weight`` is its density at ``place`` times the weight of that node.
    """

    def __init__(
        self,
        time: float = 0.0,
        place: Floats | None = None,
        weight: Floats | None = None,
        effect: float = 0.0,
    ) -> None:
        self.time = time
        self.place = np.zeros(1) if place is None else place
        self.weight = np.ones(1) if weight is None else weight
        self.effect = effect

    def crosses(self, fraction: float, bound: float) -> float:
        """The chance to be beyond ``± bound sqrt(fraction)`` at ``fraction``."""
        step = math.sqrt(fraction - self.time)
        edge = bound * math.sqrt(fraction)
        middle = self.place + self.effect * (fraction - self.time)
        beyond = ndtr((middle - edge) / step) + ndtr((-edge - middle) / step)
        return float(self.weight @ beyond)

    def bound(self, fraction: float, may: float) -> float:
        """The bound crossed with chance ``may``."""
        if self.crosses(fraction, _WIDEST) >= may:
            return _WIDEST
        return float(brentq(lambda z: self.crosses(fraction, z) - may, 0.0, _WIDEST, xtol=1e-12))

    def on(self, fraction: float, bound: float) -> _Walk:
        """The walk at ``fraction``, of those that stayed within the bound."""
        step = math.sqrt(fraction - self.time)
        drift = self.effect * (fraction - self.time)
        reach = _FARTHEST * math.sqrt(fraction)
        edge = bound * math.sqrt(fraction)
        low = max(-edge, min(0.0, self.effect * fraction) - reach)
        high = min(edge, max(0.0, self.effect * fraction) + reach)
        place, share = _nodes(low, high, math.ceil(5 * (high - low) / step))
        density = np.exp(-0.5 * ((place[:, None] - self.place - drift) / step) ** 2) @ self.weight
        density /= step * math.sqrt(2 * math.pi)
        return _Walk(fraction, place, share * density, self.effect)


def _nodes(low: float, high: float, least: int) -> tuple[Floats, Floats]:
    """Places and weights to integrate from low to high: pieces of 16 nodes, at least 5 pieces."""
    pieces = max(5, math.ceil(least / len(_NODES)))
    half = (high - low) / pieces / 2
    middles = low + half * (2 * np.arange(pieces) + 1)
    return (middles[:, None] + half * _NODES).ravel(), np.tile(half * _WEIGHTS, pieces)


def _read_fractions(fractions: Sequence[float]) -> Floats:
    at = np.asarray(fractions, dtype=np.float64)
    if at.ndim != 1 or not at.size or not bool((np.diff(at, prepend=0.0) > 0).all()):
        raise InvalidInput("fractions must rise from above 0")
    if at[-1] > 1.0 or not bool(np.isfinite(at).all()):
        raise InvalidInput("fractions must not exceed 1")
    if float(np.diff(at, prepend=0.0).min()) < 1e-4:
        raise InvalidInput("looks must lie further apart")
    return at
