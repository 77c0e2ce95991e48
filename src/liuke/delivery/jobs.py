"""The room's timers."""

from __future__ import annotations

from procrastinate.contrib.django import app

from liuke.delivery.actions import accept_overdue


@app.periodic(cron="*/5 * * * *")
@app.task(name="delivery.accept_overdue")
def accept(timestamp: int) -> None:
    """Every five minutes: what nobody complained about in time is accepted, and the merchants get their money."""
    while accept_overdue():
        pass
