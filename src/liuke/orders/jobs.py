"""The room's timers."""

from __future__ import annotations

from procrastinate.contrib.django import app

from liuke.orders.actions import expire_orders


@app.periodic(cron="* * * * *")
@app.task(name="orders.expire")
def expire(timestamp: int) -> None:
    """Each minute: orders that were not paid in time give their stock back."""
    while expire_orders():
        pass
