"""A forecast against what came, when the log reaches over its horizon."""

from __future__ import annotations

from numpy.typing import ArrayLike

from liuke.science.churn.forecast import ChurnForecast
from liuke.science.churn.history import read_history
from liuke.science.churn.scoring import Scores, score
from liuke.science.order_log import read_integers


def came_true(
    found: ChurnForecast, member: ArrayLike, day: ArrayLike, amount: ArrayLike
) -> Scores | None:
    """The figures over the whole window; None when the log ends before the window does."""
    end = found.as_of_day + found.horizon_days
    days = read_integers(day, "day")
    if not len(days) or int(days.max()) < end:
        return None
    whole = read_history(member, day, amount, end)
    bought = whole.bought_within(found.as_of_day, end)[whole.first <= found.as_of_day]
    return score(found.probability, ~bought)
