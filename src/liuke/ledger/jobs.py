"""The room's timers."""

from __future__ import annotations

import datetime as dt

from procrastinate.contrib.django import app

from liuke.base import clock
from liuke.ledger import actions


@app.periodic(cron="* * * * *")
@app.task(name="ledger.expire_reservations")
def expire_reservations(timestamp: int) -> None:
    """Each minute: what was set aside for too long is free again."""
    actions.expire_reservations()


@app.periodic(cron="7 * * * *")
@app.task(name="ledger.close_day")
def close_day(timestamp: int) -> None:
    """Each hour: the site-local yesterday is closed, once."""
    actions.close_day(on=clock.today() - dt.timedelta(days=1))
