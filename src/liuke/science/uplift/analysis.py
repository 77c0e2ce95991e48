"""One campaign from end to end: the effect, whom it moves, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from liuke.science.adjustment import read_arms, read_floats
from liuke.science.errors import InvalidInput
from liuke.science.experiments import SUSPICIOUS, sample_ratio_p
from liuke.science.order_log import Bools, Floats
from liuke.science.uplift.columns import Coded, Column, LeftOut, coded, features, why_useless
from liuke.science.uplift.crossfit import cross_fit
from liuke.science.uplift.effect import AverageEffect, average_effect
from liuke.science.uplift.learners import Rows
from liuke.science.uplift.qini import Ranking, judged
from liuke.science.uplift.suspicion import ODD, Suspicion, suspicions

Advice = Literal[
    "suspect", "target", "send_to_all", "send_to_none", "nothing_to_learn", "not_enough_data"
]

LEARN_FROM = 100
"""With fewer members in a group nothing is learnt about single ones."""

OUTCOMES_LEAST = 20
"""So many outcomes other than the commonest it takes to learn."""

SAY_FROM = 30
"""With fewer members in a group nothing is advised at all."""

USUAL_SHARES = (0.05, 0.1, 0.2, 0.25, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 0.75, 0.8, 0.9, 0.95)
"""Where nobody says how the lot was drawn, the nearest of these shares of control is taken for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Uplift:
    """What one campaign says. ``uplift`` of each row, shape (rows,), the outcome's unit, never seen by its model.

    ``ranking`` and ``learner`` are None where nothing was learnt; ``risk`` judges the score it was compared with.
    """

    advice: Advice
    effect: AverageEffect
    treated: int
    control: int
    control_share: float
    sample_ratio_p: float
    learner: str | None
    ranking: Ranking | None
    qinis: dict[str, float]
    risk: Ranking | None
    uplift: Floats
    used: list[str]
    left_out: dict[str, LeftOut]
    odd: list[Suspicion]


def analyse(
    treated: ArrayLike,
    outcome: ArrayLike,
    columns: Sequence[Column],
    *,
    control_share: float | None = None,
    risk: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Uplift:
    """Everything above of one campaign drawn by lot.

    ``treated`` 0 and 1, ``outcome`` numbers, shape (rows,); ``columns`` what was known of each before the lot;
    ``control_share`` as the lot was drawn; ``risk`` a score by which members might be chosen instead, highest
    first. Raises InvalidInput, also for an outcome that is the same for all.
    """
    arms, figures = read_arms(treated, outcome)
    if bool((figures == figures[0]).all()):
        raise InvalidInput("the outcome is the same for all, so there is nothing to compare")
    kept, left_out, odd, unlike = _kept(columns, arms, figures)
    matrix = features(kept, len(figures))
    fitted = cross_fit(Rows(matrix, arms, figures)) if _may_learn(arms, figures, matrix) else None
    found = average_effect(arms, figures, fitted.outcome if fitted else None, confidence=confidence)
    control = int((~arms).sum())
    share = _share(control / len(arms)) if control_share is None else control_share
    split_p = sample_ratio_p(len(arms) - control, control, share)
    ranking = judged(fitted.uplift, arms, figures) if fitted else None
    middle = found.effect.difference
    return Uplift(
        advice=_advice(found, ranking, arms, suspect=unlike or split_p < SUSPICIOUS),
        effect=found,
        treated=len(arms) - control,
        control=control,
        control_share=share,
        sample_ratio_p=split_p,
        learner=fitted.learner if fitted else None,
        ranking=ranking,
        qinis=fitted.qinis if fitted else {},
        risk=None if risk is None else judged(read_floats(risk, "risk"), arms, figures),
        uplift=middle + (fitted.uplift if fitted else np.zeros(len(arms))),
        used=[column.name for column in kept],
        left_out=left_out,
        odd=odd,
    )


def _kept(
    columns: Sequence[Column], arms: Bools, outcome: Floats
) -> tuple[list[Coded], dict[str, LeftOut], list[Suspicion], bool]:
    """The columns to learn from, the others with the reason, the odd ones, and whether most are odd.

    Where more than half of three columns or more follow the arm, the groups were not drawn by lot: leaving columns
    out would not mend that, so they stay and the campaign is suspect.
    """
    read = [coded(column, len(arms)) for column in columns]
    left_out = {column.name: why for column in read if (why := why_useless(column))}
    useful = [column for column in read if column.name not in left_out]
    found = suspicions(useful, arms, outcome)
    following = [each for each in found if each.left_out == "follows_the_arm"]
    is_unlike = len(useful) >= 3 and 2 * len(following) > len(useful)
    for each in found:
        if each.left_out and not (is_unlike and each.left_out == "follows_the_arm"):
            left_out[each.name] = each.left_out
    kept = [column for column in useful if column.name not in left_out]
    return kept, left_out, [each for each in found if each.p < ODD], is_unlike


def _may_learn(arms: Bools, outcome: Floats, matrix: Floats) -> bool:
    _, counts = np.unique(outcome, return_counts=True)
    enough = min(int(arms.sum()), int((~arms).sum())) >= LEARN_FROM
    return enough and len(outcome) - int(counts.max()) >= OUTCOMES_LEAST and matrix.shape[1] > 0


def _advice(found: AverageEffect, ranking: Ranking | None, arms: Bools, *, suspect: bool) -> Advice:
    if suspect:
        return "suspect"
    if min(int(arms.sum()), int((~arms).sum())) < SAY_FROM or math.isnan(found.effect.difference):
        return "not_enough_data"
    if ranking is not None and ranking.is_learnable:
        return "target"
    if found.effect.low > 0:
        return "send_to_all"
    if found.effect.high < 0:
        return "send_to_none"
    return "nothing_to_learn" if ranking is not None else "not_enough_data"


def _share(observed: float) -> float:
    return min(USUAL_SHARES, key=lambda share: abs(share - observed))
