"""What will members bring in the next H days, together and one by one, and how far was the same forecast off before?

Orders follow the MBG/NBD, money per order the Gamma-Gamma model (`btyd`). The interval of the total is
made of the model's own past: the same forecast, made again at earlier days, against what then came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from liuke.science.btyd import gammagamma, mbgnbd
from liuke.science.btyd.summary import BuyingSummary, buying_summary
from liuke.science.errors import InvalidInput, NotEnoughData
from liuke.science.order_log import Floats, Int64s, check_day, read_integers

MONEY_MEMBERS = 100_000
"""The money model is fitted to every n-th member, so that there are not many more than these."""

PAST_MOST, PAST_LEAST = 6, 3
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class ValueForecast:
    """One row per member with an order up to the as-of day, sorted by member; arrays have shape (members,).

    ``chance`` of at least one order within the horizon, ``orders`` and ``money`` (minor units) expected in it.
    ``converged`` is False where the likelihood has no peak.
    """

    member: Int64s
    chance: Floats
    orders: Floats
    money: Floats
    converged: bool

    @property
    def total(self) -> float:
        return float(self.money.sum())


@dataclass(frozen=True, slots=True)
class PastForecast:
    """The same forecast as of an earlier day, and what the members known then really brought."""

    as_of_day: int
    forecast: float
    actual: float


@dataclass(frozen=True, slots=True)
class ValueRange:
    """Between ``low`` and ``high`` lies the total with a confidence of 90 %; None where nobody could check it.

    ``error`` is the root mean square of log(actual / forecast) over ``past``, newest first.
    """

    low: float | None
    high: float | None
    error: float | None
    past: tuple[PastForecast, ...]


def value_forecast(
    member: ArrayLike, day: ArrayLike, amount: ArrayLike, as_of_day: int, horizon_days: int
) -> ValueForecast:
    """Three parallel arrays, see `order_log`; rows after ``as_of_day`` are ignored.

    Raises NotEnoughData where the models cannot be fitted, and InvalidInput.
    """
    if horizon_days < 1:
        raise InvalidInput("horizon_days must be 1 or more")
    summary = buying_summary(member, day, amount, as_of_day)
    within = horizon_days / summary.unit_days
    fit = mbgnbd.fit(summary)
    at = (summary.frequency, summary.recency, summary.age)
    orders = mbgnbd.expected_orders(fit.params, *at, within)
    return ValueForecast(
        member=summary.member,
        chance=mbgnbd.probability_of_order(fit.params, *at, within),
        orders=orders,
        money=orders * _order_worth(summary),
        converged=fit.converged,
    )


def value_range(
    member: ArrayLike,
    day: ArrayLike,
    amount: ArrayLike,
    as_of_day: int,
    horizon_days: int,
    total: float,
) -> ValueRange:
    """The interval of a ``total`` forecast as of ``as_of_day``, from windows of the past that do not overlap.

    ``total exp(± t_k e)`` with e the root mean square of k past log errors about 0 and Student's t of k
    degrees of freedom: a forecast that is always too low has a wide interval, not a silent correction.
    Three past windows with money are needed.
    """
    rows = tuple(read_integers(each, "log") for each in (member, day, amount))
    today, past = check_day(as_of_day, "as_of_day"), []
    for back in range(1, PAST_MOST + 1):
        found = _past(rows, today - back * horizon_days, horizon_days)
        if found is None:
            break
        past.append(found)
    errors = [
        math.log(each.actual / each.forecast)
        for each in past
        if each.actual > 0 and each.forecast > 0
    ]
    if len(errors) < PAST_LEAST or not total > 0:
        return ValueRange(None, None, None, tuple(past))
    error = math.sqrt(math.fsum(each * each for each in errors) / len(errors))
    reach = float(student.ppf((1 + CONFIDENCE) / 2, len(errors))) * error
    return ValueRange(total * math.exp(-reach), total * math.exp(reach), error, tuple(past))


def doubled_odds_gain(chance: Floats) -> Floats:
    """How much an action adds to a chance if it doubles the odds: 2q / (1 + q) - q. Shape of ``chance``."""
    gain: Floats = chance * (1 - chance) / (1 + chance)
    return gain


def _order_worth(summary: BuyingSummary) -> Floats:
    """Money of an order of each member, drawn to what is usual where little is known of theirs."""
    some = slice(None, None, max(len(summary.member) // MONEY_MEMBERS, 1))
    sample = BuyingSummary(
        summary.member[some],
        summary.frequency[some],
        summary.recency[some],
        summary.age[some],
        summary.repeat_money[some],
    )
    repeated = summary.frequency > 0
    own = np.where(repeated, np.maximum(summary.repeat_money, 0.0), 0.0)
    usual = float(own[repeated].mean()) if repeated.any() else 0.0
    fallback = np.where(repeated, own, usual)
    try:
        fit = gammagamma.fit(sample)
    except NotEnoughData:
        return fallback
    worth = gammagamma.expected_amount(fit.params, summary.frequency, summary.repeat_money)
    return np.where(np.isfinite(worth), worth, fallback)


def _past(rows: tuple[Int64s, ...], cut: int, horizon: int) -> PastForecast | None:
    """None where the log is too young at the cut."""
    member, day, amount = rows
    known = day <= cut
    if not known.any() or cut - int(day.min()) < 2 * horizon:
        return None
    try:
        said = value_forecast(member[known], day[known], amount[known], cut, horizon)
    except NotEnoughData:
        return None
    came = (day > cut) & (day <= cut + horizon)
    at = np.minimum(np.searchsorted(said.member, member[came]), len(said.member) - 1)
    theirs = said.member[at] == member[came]
    return PastForecast(cut, said.total, float(amount[came][theirs].sum()))
