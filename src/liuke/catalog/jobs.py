"""The room's timers."""

from __future__ import annotations

from procrastinate.contrib.django import app

from liuke.catalog.actions.stock import EXPIRE_AT_ONCE, expire_holds
from liuke.catalog.actions.watch import watch_stock


@app.periodic(cron="* * * * *")
@app.task(name="catalog.tick", lock="catalog.tick")
def tick(timestamp: int) -> None:
    """Each minute: what was set aside for too long goes back, and what runs out is noticed."""
    while expire_holds() == EXPIRE_AT_ONCE:
        pass
    watch_stock()
