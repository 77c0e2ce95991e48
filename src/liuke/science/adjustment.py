"""A narrower interval from what was known before the lot: CUPED and regression adjustment.

Members differ long before anybody writes to them, and most of the scatter of what they spend is theirs, not the
message's. What was known before the lot takes that part out. It moves no effect, since both groups have it alike.
The price is that it must have been known before: a figure that the message can change takes the effect out too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from liuke.science.errors import InvalidInput
from liuke.science.intervals import Difference
from liuke.science.order_log import NO_DAY, Bools, Floats, check_same_length
from liuke.science.rfm import RfmValues

MEMBERS_PER_FEATURE = 3
"""Fewer members of a group than this per feature, and a regression only draws their noise."""


@dataclass(frozen=True, slots=True)
class AdjustedEffect:
    """Treated minus control per member, ``adjusted`` and ``plain``, and what adjusting was worth.

    ``variance_cut`` is ``1 - (standard_error / plain_standard_error)²``: with .4, 60 members say what
    100 said. It may fall below zero where the features say nothing.
    """

    adjusted: Difference
    plain: Difference
    standard_error: float
    plain_standard_error: float
    variance_cut: float


def cuped(
    treated: ArrayLike, outcome: ArrayLike, before: ArrayLike, *, confidence: float = 0.95
) -> AdjustedEffect:
    """Adjust by one figure of each member from before the lot, such as what they spent.

    ``Y - theta (X - mean X)``, ``theta = cov(Y, X) / var(X)`` within the groups: Deng, Xu, Kohavi, Walker, WSDM
    (2013) 123, eq. 4 and 5. Rates (0 and 1) and money alike. Three arrays of shape (members,). Raises InvalidInput.
    """
    arms, figures = read_arms(treated, outcome)
    known = read_floats(before, "before")
    check_same_length(outcome=figures, before=known)
    within = known - np.where(arms, known[arms].mean(), known[~arms].mean())
    squares = float(within @ within)
    theta = float(within @ figures) / squares if squares > 0 else 0.0
    return _told(
        welch(arms, figures - theta * (known - known.mean()), confidence=confidence),
        welch(arms, figures, confidence=confidence),
    )


def regression_adjusted(
    treated: ArrayLike, outcome: ArrayLike, features: ArrayLike, *, confidence: float = 0.95
) -> AdjustedEffect:
    """Adjust by several figures, each group with a regression of its own.

    The coefficient of T in ``Y ~ T + (X - mean X) + T (X - mean X)``, which is never less exact than the plain
    difference in large groups: Lin, Annals of Applied Statistics 7 (2013) 295, eq. 3 and corollary 1.1. Standard
    error HC2 (MacKinnon and White, Journal of Econometrics 29 (1985) 305), plus ``d' S d / n`` with d the difference
    of both groups' slopes and S the scatter of X: members are drawn from more of their kind (Negi and Wooldridge,
    Econometric Reviews 40 (2021) 504). ``features`` has shape (members, k). Raises InvalidInput.
    """
    arms, figures = read_arms(treated, outcome)
    known = np.asarray(features, dtype=np.float64)
    if known.ndim != 2 or len(known) != len(figures) or not bool(np.isfinite(known).all()):
        raise InvalidInput("features must be finite, one row a member")
    width = known.shape[1]
    if min(arms.sum(), (~arms).sum()) <= MEMBERS_PER_FEATURE * (width + 1):
        raise InvalidInput(f"{width} features are too many for groups this small")
    centred = known - known.mean(axis=0)
    level, slopes, variance = _regression(centred[arms], figures[arms])
    other_level, other_slopes, other_variance = _regression(centred[~arms], figures[~arms])
    moved = centred @ (slopes - other_slopes)
    total = variance + other_variance + float(moved @ moved) / len(figures) ** 2
    freedom = len(figures) - 2 * (width + 1)
    return _told(
        (level - other_level, math.sqrt(total), quantile(freedom, confidence)),
        welch(arms, figures, confidence=confidence),
    )


def rfm_features(values: RfmValues) -> Floats:
    """Recency, frequency and money as features, shape (members, 4), row for row with ``values``.

    Days since the last order (longer than anybody's where there is none), the square root of the orders, net money and
    its logarithm: both halves of a skewed figure.
    """
    days = values.days_since_last_order.astype(np.float64)
    if len(days):
        days[values.days_since_last_order == NO_DAY] = days.max() + 1.0
    money = values.total.astype(np.float64)
    return np.column_stack((days, np.sqrt(values.orders), money, np.log1p(np.maximum(money, 0.0))))


Measured = tuple[float, float, float]
"""An effect, its standard error, and how many of these the interval reaches to each side."""


def welch(arms: Bools, figures: Floats, *, confidence: float = 0.95) -> Measured:
    """The plain difference of two means of unlike scatter: Welch, Biometrika 34 (1947) 28."""
    first, second = figures[arms], figures[~arms]
    parts = [_variance(first) / len(first), _variance(second) / len(second)]
    total = sum(parts)
    squares = sum(
        part * part / max(len(arm) - 1, 1) for part, arm in zip(parts, (first, second), strict=True)
    )
    freedom = total * total / squares if squares > 0 else float(len(figures) - 2)
    return (
        float(first.mean() - second.mean()),
        math.sqrt(total),
        quantile(max(freedom, 1.0), confidence),
    )


def around(measured: Measured) -> Difference:
    """What was measured, with its interval."""
    effect, error, width = measured
    return Difference(effect, effect - width * error, effect + width * error)


def quantile(freedom: float, confidence: float) -> float:
    """Student's t that leaves out (1 - confidence) / 2 on each side."""
    if not 0.0 < confidence < 1.0:
        raise InvalidInput("confidence must lie between 0 and 1")
    return float(stdtrit(freedom, 0.5 + confidence / 2))


def read_arms(treated: ArrayLike, outcome: ArrayLike) -> tuple[Bools, Floats]:
    """Who was treated, as truth values, and the outcome as floats; both groups need two members."""
    asked = np.asarray(treated)
    if (
        asked.ndim != 1
        or asked.dtype.kind not in "biu"
        or bool(((asked != 0) & (asked != 1)).any())
    ):
        raise InvalidInput("treated must hold 0 and 1 only, one for each member")
    figures = read_floats(outcome, "outcome")
    check_same_length(treated=asked, outcome=figures)
    arms = asked.astype(np.bool_)
    if min(int(arms.sum()), int((~arms).sum())) < 2:
        raise InvalidInput("each group needs at least two members")
    return arms, figures


def read_floats(values: ArrayLike, name: str) -> Floats:
    """``values`` as finite float64, shape (n,). Raises InvalidInput."""
    try:
        figures = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(f"{name} must hold numbers") from None
    if figures.ndim != 1 or not bool(np.isfinite(figures).all()):
        raise InvalidInput(f"{name} must have one dimension and no missing or infinite values")
    return figures


def _regression(centred: Floats, figures: Floats) -> tuple[float, Floats, float]:
    """Least squares within one group: the level at the mean of everybody, the slopes, the level's HC2 variance."""
    rows = np.column_stack((np.ones(len(figures)), centred))
    inverse = np.linalg.pinv(rows.T @ rows, hermitian=True)
    slopes = inverse @ (rows.T @ figures)
    leverage = np.einsum("ij,ij->i", rows @ inverse, rows)
    left = (figures - rows @ slopes) ** 2 / np.maximum(1.0 - leverage, 1e-9)
    weight = rows @ inverse[0]
    return float(slopes[0]), slopes[1:], float((weight * weight) @ left)


def _told(adjusted: Measured, plain: Measured) -> AdjustedEffect:
    cut = 1.0 - (adjusted[1] / plain[1]) ** 2 if plain[1] > 0 else 0.0
    return AdjustedEffect(around(adjusted), around(plain), adjusted[1], plain[1], cut)


def _variance(figures: Floats) -> float:
    return float(figures.var(ddof=1)) if len(figures) > 1 else 0.0
