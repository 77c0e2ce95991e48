"""The same forecast at earlier days, where the outcome is known: which model to take, and how good it is.

At each rehearsal's cut everything is done anew with what was known then: the fit, the level, the lessons.
Models are compared after setting each to the true level of the window, because the level is the same
question for all of them; the figures shown are of the forecast as it would have been given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from liuke.science.churn.behaviour import Behaviours
from liuke.science.churn.buying import level_shift
from liuke.science.churn.history import History
from liuke.science.churn.learners import (
    ROUNDS,
    Boosted,
    Logistic,
    boosting_is_there,
    fit_boosted,
    fit_logistic,
)
from liuke.science.churn.level import coming_level
from liuke.science.churn.scoring import Scores, log_loss, score
from liuke.science.churn.windows import LEAST_OF_EACH, Ground, Lessons, lessons, stand_on
from liuke.science.order_log import Bools, Floats

REHEARSALS = 3
LEAST_DAYS = 30
SLOPES = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
WORTH_IT = 2.0
"""Units of log-likelihood that a slope must gain on windows it was not fitted to."""


@dataclass(frozen=True, slots=True)
class Choice:
    """btyd, logistic, boosted or blend (their mean), and with how many trees."""

    model: str
    rounds: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What can be added to the buying model's log odds."""

    logistic: Logistic
    boosted: Boosted | None

    def add(self, columns: Floats, choice: Choice) -> Floats:
        if choice.model == "logistic" or self.boosted is None:
            return self.logistic.add(columns)
        trees = self.boosted.add(columns, choice.rounds)
        return trees if choice.model == "boosted" else (trees + self.logistic.add(columns)) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Rehearsal:
    """Log odds of each choice at an earlier cut, and who then bought."""

    cut: int
    odds: dict[Choice, Floats]
    bought: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The choice, whether the buying model keeps the level, the slope that log odds are stretched by,
    and how the latest rehearsal went."""

    choice: Choice
    keeps_level: bool
    slope: float
    cut: int
    scores: Scores | None


def learn(rows: Lessons, *, trees: bool) -> Learned:
    """Both learners on the same lessons."""
    given = (rows.columns, rows.ground, rows.bought)
    return Learned(fit_logistic(*given), fit_boosted(*given, max(ROUNDS)) if trees else None)


def rehearse(
    history: History, day: int, horizon: int, behaviours: Behaviours
) -> tuple[Rehearsal, ...]:
    """The latest rehearsals that fit into the log, newest first."""
    first = int(history.first.min()) + LEAST_DAYS
    cuts = range(day - horizon, first - 1, -max(horizon // 3, 7))[:REHEARSALS]
    found = (_rehearsal(history, cut, horizon, behaviours) for cut in cuts)
    return tuple(one for one in found if one is not None)


def judge(rehearsals: tuple[Rehearsal, ...]) -> Verdict:
    """The best choice; the buying model alone unless another is better by a standard error."""
    choice = _best(rehearsals)
    keeps = _keeps_level(choice, rehearsals)
    slope = _slope(choice, rehearsals)
    newest = rehearsals[0]
    base = newest.odds[Choice("btyd")]
    odds = stretch(levelled(newest.odds[choice], base) if keeps else newest.odds[choice], slope)
    return Verdict(choice, keeps, slope, newest.cut, score(1.0 - expit(odds), ~newest.bought))


def stretch(odds: Floats, slope: float) -> Floats:
    """Platt's slope (1999), the mean chance kept as it is."""
    if slope == 1.0 or not len(odds):
        return odds
    stretched = odds * slope
    return stretched + level_shift(stretched, float(expit(odds).mean()))


def levelled(odds: Floats, base: Floats) -> Floats:
    """``odds`` moved to the mean chance of ``base``: who stands where is learned, how many is not."""
    return odds + level_shift(odds, float(expit(base).mean()))


def _rehearsal(
    history: History, cut: int, horizon: int, behaviours: Behaviours
) -> Rehearsal | None:
    known = history.until(cut)
    bought = history.bought_within(cut, cut + horizon)[history.first <= cut]
    if min(int(bought.sum()), int((~bought).sum())) < LEAST_OF_EACH:
        return None
    ground = stand_on(known, cut, horizon, behaviours)
    columns, odds = ground.describe(known, cut)
    base = odds + coming_level(known, cut, horizon, ground.buying).shift
    return Rehearsal(
        cut, {Choice("btyd"): base, **_learned_odds(known, ground, columns, base)}, bought
    )


def _learned_odds(
    known: History, ground: Ground, columns: Floats, base: Floats
) -> dict[Choice, Floats]:
    rows = lessons(known, ground)
    if rows is None:
        return {}
    trees = boosting_is_there()
    learned = learn(rows, trees=trees)
    choices = [Choice("logistic")]
    if trees:
        choices += [Choice(model, rounds) for rounds in ROUNDS for model in ("blend", "boosted")]
    return {choice: base + learned.add(columns, choice) for choice in choices}


def _best(rehearsals: tuple[Rehearsal, ...]) -> Choice:
    """From the plainest on, each kind of model must beat the one before by a standard error.

    A blend need only be better than the logistic in it: a mean of two errs less than either.
    Rehearsals overlap, so members of one of them count, not of all.
    """
    common = [each for each in rehearsals[0].odds if all(each in one.odds for one in rehearsals)]
    losses = {
        choice: np.concatenate([_levelled_loss(one, choice) for one in rehearsals])
        for choice in common
    }
    members = max(len(one.bought) for one in rehearsals)
    best = Choice("btyd")
    for model in ("logistic", "blend", "boosted"):
        kind = [choice for choice in common if choice.model == model]
        if not kind:
            continue
        tried = min(kind, key=lambda choice: float(losses[choice].mean()))
        gained = losses[best] - losses[tried]
        errors = 0.0 if (best.model, model) == ("logistic", "blend") else 1.0
        if float(gained.mean()) > errors * float(gained.std()) / members**0.5:
            best = tried
    return best


def _keeps_level(choice: Choice, rehearsals: tuple[Rehearsal, ...]) -> bool:
    """Whether the buying model's level came nearer to what came, over all rehearsals."""
    off = {True: 0.0, False: 0.0}
    for one in rehearsals:
        free, came = one.odds[choice], float(one.bought.mean())
        off[False] += abs(float(expit(free).mean()) - came)
        off[True] += abs(float(expit(one.odds[Choice("btyd")]).mean()) - came)
    return off[True] <= off[False]


def _levelled_loss(rehearsal: Rehearsal, choice: Choice, slope: float = 1.0) -> Floats:
    odds = rehearsal.odds[choice] * slope
    return log_loss(odds + level_shift(odds, float(rehearsal.bought.mean())), rehearsal.bought)


def _slope(choice: Choice, rehearsals: tuple[Rehearsal, ...]) -> float:
    """Half the way to the slope of the least loss, if slopes of the others helped where left out.

    Half, because a rehearsal has fewer lessons than the forecast itself. 1 where they did not help.
    """
    if len(rehearsals) < 2:
        return 1.0
    costs = np.array(
        [
            [float(_levelled_loss(one, choice, slope).sum()) for slope in SLOPES]
            for one in rehearsals
        ]
    )
    unstretched = SLOPES.index(1.0)
    of_others = np.argmin(costs.sum(axis=0) - costs, axis=1)
    gained = costs[:, unstretched] - costs[np.arange(len(costs)), of_others]
    if float(gained.mean()) < WORTH_IT:
        return 1.0
    return (1.0 + SLOPES[int(np.argmin(costs.sum(axis=0)))]) / 2
