"""Did it help? Two groups drawn by lot, compared: what may be said, how surely, and with how many members.

Everybody drawn counts in the group they were drawn for, whatever became of them later (intention to
treat). Groups drawn with another share of control are strata of their own, joined at the end with
the number of their members as weight, so that a change of share in a better month is no effect.

A member who came back is one with an order in the window. That is what the verdict judges; orders
and money per member are shown beside it with intervals of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.errors import InvalidInput
from liuke.science.intervals import (
    Difference,
    Sums,
    mean_difference,
    rate_difference,
    scatter_per_unit,
    weighted_difference,
)
from liuke.science.order_log import Floats, check_same_length, read_integers

BACK_NEEDED = 20
"""Fewer members who came back, both groups together, and nothing is said of orders and money."""

SUSPICIOUS = 0.001
"""A split at least this unlikely did not come from the lot: what follows from it is not to be believed."""

Judged = Literal["once", "always", "never"]
Verdict = Literal[
    "suspect",
    "too_early",
    "helped",
    "harmed",
    "promising",
    "worrying",
    "no_difference_seen",
    "not_measurable",
]

_EXACT_UP_TO = 100_000
_CERTAIN = 1.0 - 1e-15
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Arm:
    """One group: ``drawn`` by lot, of whom ``orders.members`` could be watched for the whole window.

    Of these, ``came_back`` had an order. ``money`` is net of returns, in minor units.
    """

    drawn: int
    came_back: int
    orders: Sums
    money: Sums

    @property
    def members(self) -> int:
        """How many could be watched for the whole window."""
        return self.orders.members


@dataclass(frozen=True, slots=True)
class Stratum:
    """Both groups of those drawn with one ``control_share``, 0 to 1."""

    control_share: float
    treated: Arm
    control: Arm

    @property
    def members(self) -> int:
        return self.treated.members + self.control.members


@dataclass(frozen=True, slots=True)
class Means:
    """Of one group: the rate that came back, orders and money per member, strata weighed alike."""

    came_back: float
    orders: float
    money: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treated minus control, per member, over the ``members`` of strata that have both groups.

    ``came_back`` is an interval for one look; ``came_back_always`` holds at all looks together.
    ``orders`` and ``money`` are None while fewer than BACK_NEEDED came back.
    """

    members: int
    treated_members: int
    treated: Means
    control: Means
    came_back: Difference
    came_back_always: Difference
    orders: Difference | None
    money: Difference | None
    detectable: float


def compare(
    strata: Sequence[Stratum], *, planned: int, confidence: float = 0.95
) -> Comparison | None:
    """Compare the two groups; None when no stratum has members to compare in both.

    ``planned`` is the number of members at which ``came_back_always`` is narrowest for its error;
    it must not be chosen from what came out. Raises InvalidInput.
    """
    usable = [each for each in strata if each.treated.members and each.control.members]
    if not usable:
        return None
    members = sum(each.members for each in usable)
    weights = [each.members / members for each in usable]
    always = anytime_confidence(members, planned=planned, confidence=confidence)
    back = sum(each.treated.came_back + each.control.came_back for each in usable)
    says_enough = back >= BACK_NEEDED
    orders = [(each.treated.orders, each.control.orders) for each in usable]
    money = [(each.treated.money, each.control.money) for each in usable]
    treated = sum(each.treated.members for each in usable)
    return Comparison(
        members=members,
        treated_members=treated,
        treated=_means([each.treated for each in usable], weights),
        control=_means([each.control for each in usable], weights),
        came_back=_rates(usable, weights, confidence),
        came_back_always=_rates(usable, weights, always),
        orders=_amounts(orders, weights, confidence) if says_enough else None,
        money=_amounts(money, weights, confidence) if says_enough else None,
        detectable=detectable_difference(
            treated, members - treated, (back + 1) / (members + 2), confidence=confidence
        ),
    )


def verdict(
    found: Comparison | None, *, is_over: bool, split_p: float, judged: Judged, worth_seeing: float
) -> Verdict:
    """What may be said. ``judged`` is how often the figures are looked at.

    Judged ``once``, when all windows are over, the interval for one look decides; judged
    ``always``, the one that holds at all looks together; ``never`` when the window was not the one
    fixed beforehand. An interval for one look that alone leaves out zero is promising or worrying.
    Nothing seen is "no difference" only when a difference ``worth_seeing`` would have been seen
    in eight cases of ten; otherwise it is not measurable.
    """
    if split_p < SUSPICIOUS:
        return "suspect"
    if not is_over:
        return "too_early"
    if found is None:
        return "not_measurable"
    deciding = found.came_back if judged == "once" else found.came_back_always
    if judged != "never" and _side(deciding):
        return "helped" if _side(deciding) > 0 else "harmed"
    if _side(found.came_back):
        return "promising" if _side(found.came_back) > 0 else "worrying"
    return "no_difference_seen" if found.detectable <= worth_seeing else "not_measurable"


def anytime_confidence(members: int, *, planned: int, confidence: float = 0.95) -> float:
    """The confidence an interval for one look needs so that it holds at every look, for ever.

    Robbins' normal mixture (Annals of Mathematical Statistics 41 (1970) 1397), used with the
    variance as estimated (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Annals of Statistics 52
    (2024) 2613): with ``r = planned / (members * (L + log(1 + L)))`` and ``L = 2 log(1 / alpha)``
    the interval is ``sqrt((1 + r) * (log(1 + 1/r) + L))`` standard errors wide, on each side:
    about 3.0 instead of 1.96 near ``planned`` members, more far from it. Raises InvalidInput.
    """
    if members < 1 or planned < 1 or not 0.0 < confidence < 1.0:
        raise InvalidInput("members, planned and confidence must be positive, confidence below 1")
    error = -2.0 * math.log(1.0 - confidence)
    r = planned / (members * (error + math.log1p(error)))
    width = math.sqrt((1.0 + r) * (math.log1p(1.0 / r) + error))
    return min(2.0 * _NORMAL.cdf(width) - 1.0, _CERTAIN)


def detectable_difference(
    n1: int, n0: int, base_rate: float, *, power: float = 0.8, confidence: float = 0.95
) -> float:
    """The difference of two rates near ``base_rate`` that is seen with chance ``power``.

    ``(z + z_power) * sqrt(p (1 - p) (1/n1 + 1/n0))``, the usual normal approximation; infinite
    with an empty group. Raises InvalidInput.
    """
    if n1 < 0 or n0 < 0:
        raise InvalidInput("a group cannot have fewer than 0 members")
    spread = _spread(base_rate) * _quantiles(power, confidence)
    return spread * math.sqrt(1 / n1 + 1 / n0) if n1 and n0 else math.inf


def members_needed(
    base_rate: float,
    difference: float,
    control_share: float,
    *,
    power: float = 0.8,
    confidence: float = 0.95,
) -> int:
    """How many members, both groups together, it takes to see ``difference`` with ``power``.

    The inverse of ``detectable_difference``, rounded up. Raises InvalidInput.
    """
    if not 0.0 < control_share < 1.0 or not difference > 0.0:
        raise InvalidInput("control_share must lie between 0 and 1, difference above 0")
    spread = _spread(base_rate) * _quantiles(power, confidence) / difference
    return math.ceil(spread * spread * (1 / control_share + 1 / (1 - control_share)))


def sample_ratio_p(treated: int, control: int, control_share: float) -> float:
    """How likely a split at least as odd as this one is, if the lot was drawn with ``control_share``.

    The exact two-sided binomial test (all splits no likelier than this one), beyond 100,000
    members the normal one. Raises InvalidInput.
    """
    if treated < 0 or control < 0 or not 0.0 <= control_share <= 1.0:
        raise InvalidInput("counts must not be negative, control_share must lie between 0 and 1")
    n = treated + control
    if control_share in (0.0, 1.0):
        return 1.0 if control == n * control_share else 0.0
    if n > _EXACT_UP_TO:
        off = abs(control - n * control_share)
        return 2.0 * _NORMAL.cdf(-off / math.sqrt(n * control_share * (1 - control_share)))
    ways = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))
    k = np.arange(n + 1)
    chance = ways[n] - ways - ways[::-1]
    chance += k * math.log(control_share) + (n - k) * math.log1p(-control_share)
    return min(1.0, float(np.exp(chance[chance <= chance[control] + 1e-7]).sum()))


def split_p(strata: Sequence[Stratum]) -> float:
    """``sample_ratio_p`` of the oddest stratum, times the number of strata (Bonferroni)."""
    if not strata:
        return 1.0
    odds = [sample_ratio_p(s.treated.drawn, s.control.drawn, s.control_share) for s in strata]
    return min(1.0, len(odds) * min(odds))


def share_by_day(came_back: ArrayLike, left: ArrayLike) -> Floats:
    """The share that has come back by the end of day 1, 2, ... since they were drawn.

    Both arrays count members by day, shape (days + 1,), index 0 for before the first day is over:
    ``came_back`` on that day, ``left`` watched up to that day and not longer, without coming back.
    Kaplan and Meier, JASA 53 (1958) 457: members watched for different times are all used. NaN
    from the day on which nobody is watched any more who has not come back. Raises InvalidInput.
    """
    back, gone = read_integers(came_back, "came_back"), read_integers(left, "left")
    check_same_length(came_back=back, left=gone)
    ended = back + gone
    watched = ended[::-1].cumsum()[::-1][1:]
    stays = 1.0 - back[1:] / np.maximum(watched, 1)
    away = np.cumprod(stays)
    share: Floats = np.where((watched > 0) | (away == 0), 1.0 - away, np.nan)
    return share


def _rates(strata: list[Stratum], weights: list[float], confidence: float) -> Difference:
    parts = [
        rate_difference(
            each.treated.came_back,
            each.treated.members,
            each.control.came_back,
            each.control.members,
            confidence=confidence,
        )
        for each in strata
    ]
    return weighted_difference(parts, weights)


def _amounts(
    pairs: list[tuple[Sums, Sums]], weights: list[float], confidence: float
) -> Difference | None:
    common = scatter_per_unit([sums for pair in pairs for sums in pair])
    if math.isnan(common):
        return None
    parts = [mean_difference(*pair, confidence=confidence, common=common) for pair in pairs]
    return weighted_difference(parts, weights)


def _means(arms: list[Arm], weights: list[float]) -> Means:
    pairs = list(zip(arms, weights, strict=True))
    return Means(
        came_back=math.fsum(w * arm.came_back / arm.members for arm, w in pairs),
        orders=math.fsum(w * arm.orders.total / arm.members for arm, w in pairs),
        money=math.fsum(w * arm.money.total / arm.members for arm, w in pairs),
    )


def _side(found: Difference) -> int:
    """1 when the whole interval lies above zero, -1 below, else 0."""
    return (found.low > 0) - (found.high < 0)


def _spread(base_rate: float) -> float:
    if not 0.0 < base_rate < 1.0:
        raise InvalidInput("base_rate must lie between 0 and 1")
    return math.sqrt(base_rate * (1 - base_rate))


def _quantiles(power: float, confidence: float) -> float:
    if not 0.0 < power < 1.0 or not 0.0 < confidence < 1.0:
        raise InvalidInput("power and confidence must lie between 0 and 1")
    return _NORMAL.inv_cdf(0.5 + confidence / 2) + _NORMAL.inv_cdf(power)
