"""How good a forecast was: ranking, squared error, and whether 30 % means 30 %.

``left`` is True for a member who bought nothing, ``probability`` the forecast of exactly that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from liuke.science.order_log import Bools, Floats

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One tenth of the members by forecast: what was said, and what came."""

    members: int
    forecast: float
    actual: float


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of one forecast; a figure that needs both kinds of member is None without them."""

    n: int
    auc: float | None
    average_precision: float | None
    brier: float
    ece: float
    reliability: tuple[ReliabilityBin, ...]


def score(probability: Floats, left: Bools) -> Scores | None:
    """All figures, or None for nobody. Shapes (n,)."""
    if not len(left):
        return None
    bins = reliability(probability, left)
    both = 0 < int(left.sum()) < len(left)
    return Scores(
        n=len(left),
        auc=auc(probability, left) if both else None,
        average_precision=average_precision(probability, left) if both else None,
        brier=float(np.mean((probability - left) ** 2)),
        ece=sum(abs(one.forecast - one.actual) * one.members for one in bins) / len(left),
        reliability=bins,
    )


def auc(probability: Floats, left: Bools) -> float:
    """Chance that one who left stands above one who stayed, ties half (Mann and Whitney 1947)."""
    ranks = rankdata(probability)
    gone = int(left.sum())
    return float((ranks[left].sum() - gone * (gone + 1) / 2) / (gone * (len(left) - gone)))


def average_precision(probability: Floats, left: Bools) -> float:
    """Sum of precision times step of recall over the distinct thresholds, from the top down."""
    order = np.argsort(-probability, kind="stable")
    gone = np.cumsum(left[order])
    ends = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    steps = np.diff(gone[ends], prepend=0)
    return float((gone[ends] / (ends + 1.0)) @ steps / gone[-1])


def reliability(probability: Floats, left: Bools) -> tuple[ReliabilityBin, ...]:
    """Ten bins between the deciles of the forecast; equal forecasts are never parted.

    The weighted mean gap between forecast and actual is the expected calibration error
    (Naeini, Cooper and Hauskrecht, AAAI 2015, with bins of equal size).
    """
    edges = np.quantile(probability, np.arange(1, BINS) / BINS)
    place = np.searchsorted(edges, probability, side="right")
    members = np.bincount(place, minlength=BINS)
    said = np.bincount(place, weights=probability, minlength=BINS)
    came = np.bincount(place, weights=left, minlength=BINS)
    return tuple(
        ReliabilityBin(int(members[i]), float(said[i] / members[i]), float(came[i] / members[i]))
        for i in range(BINS)
        if members[i]
    )


def log_loss(logit_of_buying: Floats, bought: Bools) -> Floats:
    """Minus log likelihood per member, from the log odds; safe for large ones."""
    loss: Floats = np.logaddexp(0.0, np.where(bought, -logit_of_buying, logit_of_buying))
    return loss
