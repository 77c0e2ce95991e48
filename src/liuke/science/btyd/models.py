"""The models that foretell orders, by name."""

from __future__ import annotations

from typing import Protocol

from numpy.typing import ArrayLike

from liuke.science.btyd import bgnbd, mbgnbd, paretonbd
from liuke.science.btyd.cells import Cells
from liuke.science.btyd.dropout import Params
from liuke.science.btyd.fitting import Fit
from liuke.science.btyd.summary import BuyingSummary
from liuke.science.order_log import Floats


class OrderModel(Protocol):
    """What each of these modules can do."""

    def fit(self, summary: BuyingSummary | Cells) -> Fit: ...
    def probability_alive(
        self, params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike
    ) -> Floats: ...
    def probability_of_order(
        self, params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, within: float
    ) -> Floats: ...
    def expected_orders(
        self, params: Params, x: ArrayLike, t_x: ArrayLike, age: ArrayLike, horizon: float
    ) -> Floats: ...
    def repeat_probabilities(self, params: Params, below: int, age: Floats) -> Floats: ...


MODELS: dict[str, OrderModel] = {"bgnbd": bgnbd, "mbgnbd": mbgnbd, "paretonbd": paretonbd}
