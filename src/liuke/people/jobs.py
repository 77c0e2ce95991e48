"""The room's timers."""

from __future__ import annotations

from procrastinate.contrib.django import app

from liuke.people.actions.codes import prune_codes as prune


@app.periodic(cron="23 4 * * *")
@app.task(name="people.prune_codes")
def prune_codes(timestamp: int) -> None:
    """Every night: codes older than a month are forgotten."""
    prune()
