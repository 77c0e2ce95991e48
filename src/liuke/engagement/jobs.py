"""The room's timers and later work."""

from __future__ import annotations

import time

from procrastinate.contrib.django import app

from liuke.base.jobs import enqueue
from liuke.engagement import queries
from liuke.engagement.actions.calls import tidy_calls
from liuke.engagement.actions.decide import decide_due
from liuke.engagement.actions.recover import recover_unfinished
from liuke.engagement.actions.renew_lists_apart import renew_lists_apart
from liuke.engagement.actions.runs import finish_runs, run_due_plans
from liuke.engagement.actions.send import send_due

CARRY_OUT_SECONDS = 50


@app.periodic(cron="* * * * *")
@app.task(name="engagement.tick")
def tick(timestamp: int) -> None:
    """Each minute: daily plans whose hour has come, messages a dead worker left, and whatever is due."""
    run_due_plans()
    recover_unfinished()
    finish_runs()
    if queries.has_work():
        enqueue("engagement.carry_out", once="engagement.carry_out")


@app.periodic(cron="41 * * * *")
@app.task(name="engagement.tidy_calls")
def tidy(timestamp: int) -> None:
    """Each hour: calls that were taken and forgotten, or that nobody may make any more."""
    tidy_calls()


@app.periodic(cron="23 * * * *")
@app.task(name="engagement.renew_lists", lock="engagement.renew_lists")
def renew_lists(timestamp: int) -> None:
    """Each hour: the first one after midnight makes the lists of the day; a lost one is made up for."""
    renew_lists_apart()


@app.task(name="engagement.carry_out", lock="engagement.carry_out")
def carry_out() -> None:
    """Decide and send until nothing is due; after a while let another job go on, so that none is held up for long."""
    began = time.monotonic()
    while decide_due() + send_due():
        if time.monotonic() - began > CARRY_OUT_SECONDS:
            enqueue("engagement.carry_out", once="engagement.carry_out")
            break
    finish_runs()
