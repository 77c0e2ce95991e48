"""The room's timers."""

from __future__ import annotations

from procrastinate.contrib.django import app

from liuke.orders.actions import expire_orders
from liuke.orders.actions import prune_answers as prune


@app.periodic(cron="* * * * *")
@app.task(name="orders.expire")
def expire(timestamp: int) -> None:
    """Each minute: orders that were not paid in time give their stock back."""
    while expire_orders():
        pass


@app.periodic(cron="37 4 * * *")
@app.task(name="orders.prune_answers")
def prune_answers(timestamp: int) -> None:
    """Every night: what orders of erased persons still tell is forgotten."""
    prune()
