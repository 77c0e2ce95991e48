"""What each member may bring next: the chance that they order no more, and money, by the models of `liuke.science`.

Members who bought alike count once: a million of them are a few hundred thousand combinations of (x, t_x, T).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from liuke.analytics.lake.engines import DuckEngine
from liuke.science.btyd import gammagamma, mbgnbd
from liuke.science.btyd.cells import Cells
from liuke.science.btyd.fitting import Fit
from liuke.science.btyd.summary import DAYS_PER_WEEK, BuyingSummary
from liuke.science.errors import NotEnoughData
from liuke.science.order_log import Floats

MONEY_SAMPLE = 100_000
"""The money model is fitted to every n-th member, so that there are not many more than these."""

_CELLS = "SELECT x, t_x, age, count(*) AS members FROM {told} GROUP BY ALL ORDER BY ALL"
_MONEY = "SELECT member_id, order_days, total_fen FROM {told} WHERE total_fen > 0"
_KEYS = "orders, order_days, returns, spent_fen, returned_fen, total_fen, days_since_last_order"
_MEMBERS = """
SELECT member_id, {keys}, r::TINYINT AS r, f::TINYINT AS f, m::TINYINT AS m, stage::SMALLINT AS stage,
       {first} AS first_on, {last} AS last_on, {since} AS since_on, {next} AS next_move_on,
       no_order AS no_order_chance, expected_orders,
       floor(expected_orders * coalesce(order_fen, greatest(total_fen, 0) / order_days))::BIGINT AS expected_fen
FROM {told} LEFT JOIN outlook USING (x, t_x, age) LEFT JOIN money USING (member_id)
"""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the forecasts were come by; `problem` is a sentence when there are none."""

    horizon_days: int
    cells: int
    params: dict[str, float]
    money_params: dict[str, float]
    converged: bool
    problem: str


def write_members(engine: DuckEngine, standings: Path, path: Path, horizon_days: int) -> Outlook:
    """The standings with the forecasts, one row a member with an order, as one Parquet file."""
    link = engine.link.con
    told = f"read_parquet('{engine.name(standings)}')"
    outlook = _orders(link, told, horizon_days)
    _money(link, told, outlook)
    days = ("first_day", "last_day", "since_day", "next_move_day")
    dates = [f"(DATE '1970-01-01' + {day}::INTEGER)" for day in days]
    columns = dict(zip(("first", "last", "since", "next"), dates, strict=True))
    engine.copy(_MEMBERS.format(told=told, keys=_KEYS, **columns), path)
    for name in ("outlook", "money"):
        link.unregister(name)
    return outlook


def _orders(link: Any, told: str, horizon_days: int) -> Outlook:
    """Fit the model and register `outlook`: what it says of every combination."""
    cells = {name: np.asarray(column) for name, column in _arrays(link, _CELLS, told).items()}
    x, t_x, age = (cells[name].astype(np.float64) for name in ("x", "t_x", "age"))
    t_x, age = t_x / DAYS_PER_WEEK, age / DAYS_PER_WEEK
    horizon = horizon_days / DAYS_PER_WEEK
    values, begins = np.unique(x, return_index=True)
    summary = Cells(cells["members"].astype(np.float64), x, t_x, age, values, begins)
    problem, fit = "", None
    try:
        fit = mbgnbd.fit(summary)
        order = mbgnbd.probability_of_order(fit.params, x, t_x, age, horizon)
        expected = mbgnbd.expected_orders(fit.params, x, t_x, age, horizon)
        known = {"no_order": pa.array(1 - order), "expected_orders": pa.array(expected)}
    except NotEnoughData as few:
        problem = str(few)
        nothing = pa.nulls(len(x), pa.float64())
        known = {"no_order": nothing, "expected_orders": nothing}
    keys = {name: pa.array(cells[name]) for name in ("x", "t_x", "age")}
    link.register("outlook", pa.table({**keys, **known}))
    return _outlook(fit, horizon_days, len(x), problem)


def _outlook(fit: Fit | None, horizon_days: int, cells: int, problem: str) -> Outlook:
    if fit is None:
        return Outlook(horizon_days, cells, {}, {}, False, problem)
    if not fit.converged:
        problem = (
            "the search for the likeliest parameters found no peak: take the forecasts with care"
        )
    return Outlook(horizon_days, cells, dict(fit.params), {}, fit.converged, problem)


def _money(link: Any, told: str, outlook: Outlook) -> None:
    """Register `money`: what an order day of each member is worth, drawn to what is usual when they had few."""
    paid = {name: np.asarray(column) for name, column in _arrays(link, _MONEY, told).items()}
    member, days = paid["member_id"], paid["order_days"].astype(np.float64)
    mean = paid["total_fen"] / np.maximum(days, 1)
    worth: Any = pa.nulls(len(member), pa.float64())
    some = slice(None, None, max(len(member) // MONEY_SAMPLE, 1))
    try:
        fit = gammagamma.fit(_payers(member[some], days[some], mean[some]))
        outlook.money_params.update(fit.params)
        amount = gammagamma.expected_amount(fit.params, days, mean)
        worth = pa.array(amount, mask=~np.isfinite(amount))
    except NotEnoughData:
        pass  # their own mean has to do
    link.register("money", pa.table({"member_id": pa.array(member), "order_fen": worth}))


def _payers(member: Any, days: Floats, mean: Floats) -> BuyingSummary:
    """Every order day counts here, not the repeated ones alone: the model takes the mean of any number."""
    nothing = np.zeros(len(member))
    return BuyingSummary(member, days.astype(np.int64), nothing, nothing, mean)


def _arrays(link: Any, sql: str, told: str) -> dict[str, Any]:
    """Columns of numpy, by member so that what is drawn from them does not depend on threads."""
    arrays: dict[str, Any] = link.execute(
        f"SELECT * FROM ({sql.format(told=told)}) ORDER BY 1, 2, 3"
    ).fetchnumpy()
    return arrays
