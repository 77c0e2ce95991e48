"""MBG/NBD: as the BG/NBD, but a member may leave at the first purchase too.

Batislam, Denizel & Filiztekin, IJRM 24 (2007) 201; the better choice where most members buy once.
``x, t_x, age`` are as in BuyingSummary, scalars or arrays of one shape; the results have that shape.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from liuke.science.btyd import dropout
from liuke.science.btyd.cells import Cells
from liuke.science.btyd.dropout import Params
from liuke.science.btyd.fitting import Fit
from liuke.science.btyd.summary import BuyingSummary
from liuke.science.order_log import Floats

FIRST_MAY_LEAVE = True


def fit(summary: BuyingSummary | Cells) -> Fit:
    """Most likely r, alpha, a, b with standard errors. Raises NotEnoughData or InvalidInput."""
    return dropout.fit_dropout("mbgnbd", summary, FIRST_MAY_LEAVE)


def probability_alive(params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike) -> Floats:
    """That the member has not left by now."""
    return dropout.probability_alive(params, x, t_x, age, FIRST_MAY_LEAVE)


def probability_of_order(
    params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, within: float
) -> Floats:
    """That the member buys at least once in the next ``within`` units of time."""
    return dropout.probability_of_order(params, x, t_x, age, within, FIRST_MAY_LEAVE)


def expected_orders(
    params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, horizon: float
) -> Floats:
    """Expected purchases in the next ``horizon`` units of time."""
    return dropout.expected_orders(params, x, t_x, age, horizon, FIRST_MAY_LEAVE)


def repeat_probabilities(params: Params, below: int, age: Floats) -> Floats:
    """P(x repeat purchases by ``age``) for x = 0 .. below-1, shape (ages, below)."""
    return dropout.repeat_probabilities(params, below, age, FIRST_MAY_LEAVE)
