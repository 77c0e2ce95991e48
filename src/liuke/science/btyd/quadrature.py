"""Gauss rules: the integrals of the models, exact to many digits with a few dozen points."""

from __future__ import annotations

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
