"""P(no purchase in the next H days) per member: one way for every shop, chosen by its own past.

Every forecast stands on the MBG/NBD's chance of an order within H (``buying``). Season and drift move its
level, where past windows say so (``level``). Where a rehearsal on the shop's own past shows it helps
(``rehearsal``), a logistic regression and boosted trees on habits and behaviour move members against each
other (``learners``), and their level only where that came nearer too. Nothing is tuned per shop, and too
little data is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from liuke.science.churn.behaviour import Behaviour, read_behaviours
from liuke.science.churn.buying import BuyingModel
from liuke.science.churn.history import History, read_history
from liuke.science.churn.learners import boosting_is_there
from liuke.science.churn.level import Level, coming_level
from liuke.science.churn.reasons import Reasons, joined, reasons
from liuke.science.churn.rehearsal import (
    Choice,
    Learned,
    Verdict,
    judge,
    learn,
    levelled,
    rehearse,
    stretch,
)
from liuke.science.churn.scoring import Scores
from liuke.science.churn.windows import Ground, lessons, sample, stand_on
from liuke.science.errors import InvalidInput
from liuke.science.order_log import Floats, Int64s, check_day

WhyNot = Literal["", "no_orders", "too_few_members", "history_too_short"]
LONGEST_HORIZON = 3_660
_CROWD = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class ChurnForecast:
    """One row per member with an order up to the as-of day, sorted by member id.

    ``probability`` of no purchase in (as_of_day, as_of_day + horizon_days], shape (members,).
    ``model`` is btyd, logistic, boosted or blend; ``level`` says what season and drift add.
    ``backtest`` are the figures of the same forecast made at ``backtest_day``, a horizon earlier; None
    without one. ``enough`` is False, and ``why_not`` says why, where the probabilities are no more
    than the best guess: nobody could check them. ``notes`` are codes: boosting_unavailable,
    fit_has_no_peak, learned_from_a_sample.
    """

    as_of_day: int
    horizon_days: int
    member: Int64s
    probability: Floats
    model: str
    level: Level
    backtest: Scores | None
    backtest_day: int | None
    enough: bool
    why_not: WhyNot
    reasons: Reasons
    notes: tuple[str, ...]


def forecast(
    member: ArrayLike,
    day: ArrayLike,
    amount: ArrayLike,
    as_of_day: int,
    horizon_days: int,
    *,
    signals: Mapping[str, Behaviour] | None = None,
) -> ChurnForecast:
    """Who buys nothing in the next ``horizon_days``, from what was known at the end of ``as_of_day``.

    Three parallel arrays, shape (rows,), in any order; see ``order_log`` for what they mean. Rows and
    events after ``as_of_day`` are ignored. ``signals`` are other things members did or met, by kind:
    login, view, open; complaint, late, dead_key. Raises InvalidInput.
    """
    today = check_day(as_of_day, "as_of_day")
    if isinstance(horizon_days, bool) or not 1 <= horizon_days <= LONGEST_HORIZON:
        raise InvalidInput(f"horizon_days must lie between 1 and {LONGEST_HORIZON}")
    horizon = int(horizon_days)
    history = read_history(member, day, amount, today)
    behaviours = read_behaviours(signals, today)
    if not len(history.ids):
        return _nobody(today, horizon)
    some = sample(history)
    rehearsals = rehearse(some, today, horizon, behaviours)
    verdict = judge(rehearsals) if rehearsals else Verdict(Choice("btyd"), True, 1.0, today, None)
    ground = stand_on(history, today, horizon, behaviours)
    level = coming_level(some, today, horizon, ground.buying)
    rows = lessons(some, ground)
    trees = verdict.choice.model in ("blend", "boosted")
    learned = None if rows is None else learn(rows, trees=trees)
    odds, why = _predicted(history, ground, level, verdict, learned)
    why_not = _why_not(ground.buying, checked=verdict.scores is not None)
    return ChurnForecast(
        as_of_day=today,
        horizon_days=horizon,
        member=history.ids,
        probability=expit(-odds),
        model=verdict.choice.model,
        level=level,
        backtest=verdict.scores,
        backtest_day=verdict.cut if verdict.scores else None,
        enough=not why_not,
        why_not=why_not,
        reasons=why,
        notes=_notes(ground.buying, sampled=some is not history),
    )


def _predicted(
    history: History, ground: Ground, level: Level, verdict: Verdict, learned: Learned | None
) -> tuple[Floats, Reasons]:
    """Log odds of buying and reasons, a crowd of members at a time: the columns of all are large."""
    bases, added, why = [], [], []
    learns = learned is not None and verdict.choice.model != "btyd"
    for begin in range(0, len(history.ids), _CROWD):
        crowd = history.between(begin, begin + _CROWD)
        columns, odds = ground.describe(crowd, ground.day)
        bases.append(odds + level.shift)
        if learned is not None and learns:
            added.append(learned.add(columns, verdict.choice))
        why.append(reasons(columns, ground.names, learned.logistic if learned else None))
    base = np.concatenate(bases)
    final = base + np.concatenate(added) if learns else base
    if verdict.keeps_level:
        final = levelled(final, base)
    return stretch(final, verdict.slope), joined(why)


def _why_not(buying: BuyingModel, *, checked: bool) -> WhyNot:
    if buying.kind == "assumed":
        return "too_few_members"
    return "" if checked else "history_too_short"


def _notes(buying: BuyingModel, *, sampled: bool) -> tuple[str, ...]:
    told = {
        "boosting_unavailable": not boosting_is_there(),
        "fit_has_no_peak": buying.kind == "ridge",
        "learned_from_a_sample": sampled,
    }
    return tuple(code for code, holds in told.items() if holds)


def _nobody(today: int, horizon: int) -> ChurnForecast:
    none = np.empty(0)
    return ChurnForecast(
        as_of_day=today,
        horizon_days=horizon,
        member=np.empty(0, dtype=np.int64),
        probability=none,
        model="btyd",
        level=Level(0.0, 0.0, None),
        backtest=None,
        backtest_day=None,
        enough=False,
        why_not="no_orders",
        reasons=Reasons(
            np.empty((0, 3), dtype=np.int8), np.empty((0, 3)), *(none for _ in range(6))
        ),
        notes=(),
    )
