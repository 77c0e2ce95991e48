"""Gauss rules: the integrals of the models, exact to many digits with a few dozen points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liuke.science.order_log import Floats

POINTS = 40


def beta_rules(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Points in (0, 1) and weights, each (len(b), POINTS): means over Beta(a, b) for each b.

    Golub & Welsch, Math. Comp. 23 (1969) 221, on the shifted Jacobi polynomials; stable for b in
    the thousands, where tables of Jacobi roots are not. Means of polynomials of degree below
    2 * POINTS are exact.
    """
    n = np.arange(POINTS, dtype=np.float64)
    # weight p^(a-1) (1-p)^(b-1) on (0, 1): Jacobi with exponents (b-1) at 1 and (a-1) at 0
    upper, lower = np.asarray(b)[:, None] - 1, a - 1
    total = 2 * n + upper + lower
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (lower**2 - upper**2) / (total * (total + 2))
        square = (
            4
            * n
            * (n + upper)
            * (n + lower)
            * (n + upper + lower)
            / (total**2 * (total + 1) * (total - 1))
        )
    middle[:, 0] = ((lower - upper) / (upper + lower + 2))[:, 0]
    square[:, 1] = (
        4 * (1 + upper) * (1 + lower) / ((2 + upper + lower) ** 2 * (3 + upper + lower))
    )[:, 0]
    matrix = np.zeros((len(upper), POINTS, POINTS))
    at = np.arange(POINTS)
    matrix[:, at, at] = (1 + middle) / 2
    matrix[:, at[1:], at[:-1]] = np.sqrt(square[:, 1:]) / 2
    points, vectors = np.linalg.eigh(matrix, UPLO="L")
    return np.clip(points, 0.0, 1.0), vectors[:, 0, :] ** 2


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_NOUGHT = 36.0
"""exp(-36) is below the last digit of a float."""


@dataclass(frozen=True, slots=True, eq=False)
class Race:
    """``mass``, shape (rows, nodes), sums to the chance over the nodes t.

    ``own_growth`` and ``other_growth`` are log((own+t)/(own+begin)) and the same of the other.
    """

    mass: Floats
    own_growth: Floats
    other_growth: Floats


def race(
    shape: Floats | float,
    own: float,
    other_shape: Floats | float,
    other: float,
    begin: Floats,
    end: Floats,
) -> Race:
    """The chance, from ``begin`` on, that one clock strikes before ``end`` and before the other.

    Both clocks are exponential, and what is known at ``begin`` of their rates is Gamma(shape, own +
    begin) and Gamma(other_shape, other + begin), so the chance is

        integral of shape / (own+t) ((own+begin)/(own+t))^shape ((other+begin)/(other+t))^other_shape

    over t from begin to end: the difference of two 2F1 of the Pareto/NBD (both cases, whichever of
    alpha and beta is greater), without their cancellation, poles or overflow. In
    y = log(low + t), low the lesser of the two scales, both powers are smooth, and what lies beyond
    a factor of exp(-36) is cut off; so one Gauss-Legendre rule does. Shapes (rows,) or scalars.
    """
    low, high = min(own, other), max(own, other)
    low_shape, high_shape = (shape, other_shape) if own <= other else (other_shape, shape)
    with np.errstate(over="ignore"):
        least = (high + begin) * np.expm1(np.minimum(_NOUGHT / high_shape, 600.0))
    span = np.log1p(np.minimum(end - begin, least) / (low + begin))
    span = np.minimum(span, _NOUGHT / low_shape)[:, None]
    y = span * (1 + _NODES) / 2
    log_high = np.log1p(np.expm1(y) * ((low + begin) / (high + begin))[:, None])
    fades = np.exp(-_column(low_shape) * y - _column(high_shape) * log_high)
    mass = fades * _column(shape) * (span / 2) * _WEIGHTS
    if own <= other:
        return Race(mass, y, log_high)
    lead = ((low + begin) / (high + begin))[:, None]
    return Race(mass * lead * np.exp(y - log_high), log_high, y)


def _column(values: Floats | float) -> Floats:
    return np.asarray(values, dtype=np.float64)[..., None]
