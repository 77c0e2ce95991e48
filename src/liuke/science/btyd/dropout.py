"""The two models in which a member may leave at a purchase: BG/NBD and MBG/NBD, in one set of formulas.

While a member stays, purchases follow a Poisson process with rate ~ Gamma(r, alpha). With
probability p ~ Beta(a, b) the member leaves at a purchase: after each *repeat* purchase in the
BG/NBD (Fader, Hardie & Lee, Marketing Science 24 (2005) 275, eq. 6), after *every* purchase, the
first included, in the MBG/NBD (Batislam, Denizel & Filiztekin, IJRM 24 (2007) 201). So a member
seen at x repeat purchases survived ``m = x`` or ``m = x + 1`` chances to leave, and

    L = G(r+x)/G(r) alpha^r { B(a, b+m)/B(a, b) (alpha+T)^-(r+x)
                              + [m > 0] B(a+1, b+m-1)/B(a, b) (alpha+t_x)^-(r+x) }.

Every ratio of the two terms is kept as a logarithm, so nothing overflows at any x or T.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, digamma, expit, gammaln

from liuke.science.btyd.cells import Cells, compress
from liuke.science.btyd.counting import log_counts
from liuke.science.btyd.fitting import Fit, Likelihood, Rows, check_enough, maximise
from liuke.science.btyd.quadrature import beta_rules
from liuke.science.btyd.summary import BuyingSummary
from liuke.science.order_log import Floats

NAMES = ("r", "alpha", "a", "b")
_ROWS = 20_000
_NEVER = -700.0
"""Log odds that count as nought and whose exponential is still a number."""

Params = Mapping[str, float]


def fit_dropout(model: str, summary: BuyingSummary | Cells, first_may_leave: bool) -> Fit:
    """Most likely r, alpha, a, b. Raises NotEnoughData or InvalidInput."""
    cells = compress(summary) if isinstance(summary, BuyingSummary) else summary
    check_enough(cells.members, cells.repeaters)
    age = cells.mean_age()
    starts = [(0.5, age / 4, 0.8, 2.0), (2.0, age, 1.0, 1.0), (0.2, age / 20, 0.2, 5.0)]
    return maximise(model, likelihood(cells, first_may_leave), cells.count, NAMES, starts)


def likelihood(cells: Cells, first_may_leave: bool) -> Likelihood:
    """Log-likelihood of each cell and its slopes by log r, log alpha, log a, log b.

    What depends on x alone is worked out once per distinct x. ``odds`` are the log odds of having
    left against being alive.
    """
    x = cells.x_values
    chances = x + first_may_leave
    may = chances > 0
    x_at = np.repeat(np.arange(len(x)), np.diff(cells.x_begins, append=len(cells.x)))

    def at(params: Floats) -> Rows:
        r, alpha, a, b = params.tolist()
        survived = np.where(may, b + chances - 1, 1.0)
        leaving = np.where(may, np.log(a) - np.log(survived), _NEVER)
        of_x = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + chances)
        of_x -= betaln(a, b)
        ends = digamma(a + b) - digamma(a + b + chances)
        by_r = r * (digamma(r + x) - digamma(r) + np.log(alpha))
        by_a = a * ends
        by_b = b * (ends + digamma(b + chances) - digamma(b))
        left_by_b = np.where(may, b / survived, 0.0)

        def rows(some: slice) -> tuple[Floats, Floats]:
            which, k = x_at[some], r + cells.x[some]
            from_age, from_t_x = alpha + cells.age[some], alpha + cells.t_x[some]
            log_age = np.log(from_age)
            waited = log_age - np.log(from_t_x)
            odds = np.maximum(leaving[which] + k * waited, _NEVER)
            against = np.exp(-odds)
            left = 1 / (1 + against)
            height = of_x[which] + odds + np.log1p(against) - k * log_age
            slopes = np.empty((4, len(k)))
            slopes[0] = by_r[which] + r * (left * waited - log_age)
            slopes[1] = r - alpha * k * ((1 - left) / from_age + left / from_t_x)
            slopes[2] = by_a[which] + left
            slopes[3] = by_b[which] - left * left_by_b[which]
            return height, slopes

        return rows

    return at


def probability_alive(
    params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, first_may_leave: bool
) -> Floats:
    """1 / (1 + a / (b+m-1) ((alpha+T) / (alpha+t_x))^(r+x)); 1 without a chance to leave."""
    r, alpha, a, b = (params[name] for name in NAMES)
    x, t_x, age = (np.asarray(each, dtype=np.float64) for each in (x, t_x, age))
    chances = x + first_may_leave
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(a) - np.log(b + chances - 1)
    waited = np.log1p((age - t_x) / (alpha + t_x))
    stays: Floats = expit(-(odds + (r + x) * waited))
    return np.where(chances > 0, stays, 1.0)


def probability_of_order(
    params: Params,
    x: ArrayLike,
    t_x: ArrayLike,
    age: ArrayLike,
    within: float,
    first_may_leave: bool,
) -> Floats:
    """P(at least one purchase in (T, T + within]) = P(alive) [1 - ((alpha+T)/(alpha+T+within))^(r+x)].

    A member who is alive leaves at a purchase only, so the next one comes at their rate, whose
    posterior is Gamma(r+x, alpha+T).
    """
    alive = probability_alive(params, x, t_x, age, first_may_leave)
    x, age = np.asarray(x, dtype=np.float64), np.asarray(age, dtype=np.float64)
    waited = np.log1p(within / (params["alpha"] + age))
    return alive * -np.expm1(-(params["r"] + x) * waited)


def expected_orders(
    params: Params,
    x: ArrayLike,
    t_x: ArrayLike,
    age: ArrayLike,
    horizon: float,
    first_may_leave: bool,
) -> Floats:
    """Expected purchases in (T, T + horizon], given x, t_x, T (paper's eq. 10).

    The paper's 2F1 loses every digit near a = 1 and overflows for large x. The same expectation is
    P(alive) E[(1 - (1 + p h)^-(r+x)) / p] with h = horizon / (alpha+T) and p ~ Beta(a, b+m), whose
    integrand lies between 0 and (r+x) h: a Gauss-Jacobi rule for each x gives it, for all a alike.
    """
    alive = probability_alive(params, x, t_x, age, first_may_leave)
    x, age = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(age, dtype=np.float64))
    times, time_at = np.unique(age.ravel(), return_inverse=True)
    counts, count_at = np.unique(x.ravel(), return_inverse=True)
    pairs, pair_at = np.unique(count_at * len(times) + time_at, return_inverse=True)
    per_pair = np.empty(len(pairs))
    for begin in range(0, len(pairs), _ROWS):
        some = slice(begin, begin + _ROWS)
        which_x, which_age = np.divmod(pairs[some], len(times))
        per_pair[some] = _while_alive(
            params, counts[which_x], times[which_age], horizon, first_may_leave
        )
    return alive * per_pair[pair_at].reshape(x.shape)


def repeat_probabilities(params: Params, below: int, age: Floats, first_may_leave: bool) -> Floats:
    """P(x repeat purchases by ``age``) for x = 0 .. below-1, shape (ages, below) (paper's eq. 8).

    Either x purchases came and the member survived their m chances to leave, or at least x would
    have come, and the member left at the m-th chance.
    """
    r, alpha, a, b = (params[name] for name in NAMES)
    counts = np.exp(log_counts(r, alpha, below, age))
    at_least = np.maximum(1 - np.cumsum(counts, axis=1) + counts, 0.0)
    chances = np.arange(below) + first_may_leave
    survives = np.exp(betaln(a, b + chances) - betaln(a, b))
    leaves = np.exp(betaln(a + 1, b + np.maximum(chances, 1) - 1) - betaln(a, b))
    chance: Floats = survives * counts + np.where(chances > 0, leaves, 0.0) * at_least
    return chance


def _while_alive(
    params: Params, x: Floats, age: Floats, horizon: float, first_may_leave: bool
) -> Floats:
    """E[(1 - (1 + p h)^-(r+x)) / p] for rows sorted by x."""
    r, alpha, a, b = (params[name] for name in NAMES)
    counts, at = np.unique(x, return_inverse=True)
    points, weights = beta_rules(a, b + counts + first_may_leave)
    share, weight = points[at], weights[at]
    reach = (horizon / (alpha + age))[:, None]
    rate = (r + x)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = -np.expm1(-rate * np.log1p(share * reach)) / share
    mean: Floats = (weight * np.where(share > 0, each, rate * reach)).sum(axis=1)
    return mean
