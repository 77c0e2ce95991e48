"""Pareto/NBD: members buy at rates of their own and may leave at any moment, unseen.

Schmittlein, Morrison & Colombo, Management Science 33 (1987) 1. Purchase rate ~ Gamma(r, alpha),
leaving rate ~ Gamma(s, beta). With k = r+x (Fader & Hardie, "A note on deriving the Pareto/NBD
model", 2005):

    L = G(k)/G(r) alpha^r { (alpha+T)^-k (beta/(beta+T))^s
                            + integral_{t_x}^{T} s beta^s (beta+t)^-(s+1) (alpha+t)^-k dt }.

The literature writes the integral as a difference of 2F1; here it is a quadrature (`quadrature.race`),
whose nodes also give the gradient exactly: every derivative of the integrand is elementary.
``x, t_x, age`` are as in BuyingSummary, scalars or arrays of one shape; the results have that shape.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from liuke.science.btyd.cells import Cells, compress
from liuke.science.btyd.counting import log_counts
from liuke.science.btyd.dropout import Params
from liuke.science.btyd.fitting import Fit, Likelihood, Rows, check_enough, maximise
from liuke.science.btyd.quadrature import race
from liuke.science.btyd.summary import BuyingSummary
from liuke.science.order_log import Floats

NAMES = ("r", "alpha", "s", "beta")
_BLOCK = 256
_MOMENTS = 64


def fit(summary: BuyingSummary | Cells) -> Fit:
    """Most likely r, alpha, s, beta with standard errors. Raises NotEnoughData or InvalidInput."""
    cells = compress(summary) if isinstance(summary, BuyingSummary) else summary
    check_enough(cells.members, cells.repeaters)
    age = cells.mean_age()
    starts = [(0.5, age / 4, 0.5, age / 4), (2.0, age, 1.0, age), (0.2, age / 20, 0.2, age / 20)]
    return maximise("paretonbd", likelihood(cells), cells.count, NAMES, starts, block=_BLOCK)


def likelihood(cells: Cells) -> Likelihood:
    """Log-likelihood of each cell and its slopes by log r, log alpha, log s, log beta."""
    x = cells.x_values
    x_at = np.repeat(np.arange(len(x)), np.diff(cells.x_begins, append=len(cells.x)))

    def at(params: Floats) -> Rows:
        r, alpha, s, beta = params.tolist()
        of_x = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        by_r = r * (digamma(r + x) - digamma(r) + np.log(alpha))

        def rows(some: slice) -> tuple[Floats, Floats]:
            which, k = x_at[some], r + cells.x[some]
            t_x, age = cells.t_x[some], cells.age[some]
            log_alpha, log_beta = np.log(alpha + t_x), np.log1p(t_x / beta)
            leaves = race(s, beta, k, alpha, t_x, age)
            own, other = np.log1p((age - t_x) / (beta + t_x)), np.log1p((age - t_x) / (alpha + t_x))
            alive = np.exp(-k * other - s * own)
            either = alive + leaves.mass.sum(axis=1)
            is_alive, left = alive / either, leaves.mass / either[:, None]
            per_alpha = is_alive / (alpha + age)
            per_alpha += (left * np.exp(-leaves.other_growth)).sum(axis=1) / (alpha + t_x)
            per_beta = (left * np.exp(-leaves.own_growth)).sum(axis=1) / (beta + t_x)
            slopes = np.empty((4, len(k)))
            slopes[0] = is_alive * other + (left * leaves.other_growth).sum(axis=1) + log_alpha
            slopes[0] = by_r[which] - r * slopes[0]
            slopes[1] = r - alpha * k * per_alpha
            slopes[2] = is_alive * own + (left * leaves.own_growth).sum(axis=1) + log_beta
            slopes[2] = (1 - is_alive) - s * slopes[2]
            slopes[3] = s - beta * (s * is_alive / (beta + age) + (s + 1) * per_beta)
            return of_x[which] + np.log(either) - k * log_alpha - s * log_beta, slopes

        return rows

    return at


def probability_alive(params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
    """That the member has not left by now."""

    def rows(x: Floats, t_x: Floats, age: Floats) -> Floats:
        r, alpha, s, beta = (params[name] for name in NAMES)
        left = race(s, beta, r + x, alpha, t_x, age).mass.sum(axis=1)
        waited = (r + x) * np.log1p((age - t_x) / (alpha + t_x))
        alive = np.exp(-waited - s * np.log1p((age - t_x) / (beta + t_x)))
        kept: Floats = alive / (alive + left)
        return kept

    return _in_blocks(rows, x, t_x, age)


def probability_of_order(
    params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, within: float
) -> Floats:
    """That the member buys at least once in the next ``within`` units of time.

    P(alive) times the chance that the next purchase, at a rate ~ Gamma(r+x, alpha+T), comes before
    the end and before the member leaves, at a rate ~ Gamma(s, beta+T).
    """

    def rows(x: Floats, age: Floats) -> Floats:
        r, alpha, s, beta = (params[name] for name in NAMES)
        orders = race(r + x, alpha, s, beta, age, age + within)
        chance: Floats = orders.mass.sum(axis=1)
        return chance

    return probability_alive(params, x, t_x, age) * _in_blocks(rows, x, age)


def expected_orders(
    params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, horizon: float
) -> Floats:
    """Expected purchases in the next ``horizon`` units of time (1987 paper, eq. 22).

    P(alive) (r+x)/(alpha+T) (beta+T)/(s-1) [1 - ((beta+T)/(beta+T+horizon))^(s-1)]; at s = 1 its
    limit.
    """
    r, alpha, s, beta = (params[name] for name in NAMES)
    alive = probability_alive(params, x, t_x, age)
    x, age = np.asarray(x, dtype=np.float64), np.asarray(age, dtype=np.float64)
    stretch = np.log1p(horizon / (beta + age))
    stays = stretch if s == 1 else -np.expm1((1 - s) * stretch) / (s - 1)
    return alive * (r + x) / (alpha + age) * (beta + age) * stays


def repeat_probabilities(params: Params, below: int, age: Floats) -> Floats:
    """P(x repeat purchases by ``age``) for x = 0 .. below-1, shape (ages, below).

    Purchases while the member stays, over the moment of leaving: after ``age``, or at one of the
    nodes before it.
    """
    r, alpha, s, beta = (params[name] for name in NAMES)
    nodes, weights = np.polynomial.legendre.leggauss(_MOMENTS)
    stays = np.exp(-s * np.log1p(age / beta))[:, None]
    chances = stays * np.exp(log_counts(r, alpha, below, age))
    low = min(alpha, beta)
    span = np.log1p(age / low)
    for node, weight in zip((1 + nodes) / 2, weights / 2, strict=True):
        moment = low * np.expm1(span * node)
        density = s / (beta + moment) * np.exp(-s * np.log1p(moment / beta))
        chance = weight * span * (low + moment) * density
        chances += chance[:, None] * np.exp(log_counts(r, alpha, below, moment))
    return chances


def _in_blocks(rows: Callable[..., Floats], *columns: ArrayLike) -> Floats:
    """Quadratures a few hundred members at a time, so that their nodes stay in the cache."""
    wide = np.broadcast_arrays(*(np.asarray(column, dtype=np.float64) for column in columns))
    flat = [column.ravel() for column in wide]
    result = np.empty(len(flat[0]))
    for begin in range(0, len(result), _BLOCK):
        some = slice(begin, begin + _BLOCK)
        result[some] = rows(*(column[some] for column in flat))
    return result.reshape(wide[0].shape)
