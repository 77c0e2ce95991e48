"""The room's timers and later work."""

from __future__ import annotations

from procrastinate.contrib.django import app

from liuke.payments import actions


@app.periodic(cron="* * * * * */10")
@app.task(name="payments.poll", queueing_lock="payments.poll")
def poll(timestamp: int) -> None:
    """Every ten seconds: ask about payments that are due."""
    actions.poll_payments()


@app.task(name="payments.send_refunds", lock="payments.send_refunds")
def send_refunds() -> None:
    """Send what was promised back, until nothing is due."""
    while actions.send_refunds():
        pass


@app.periodic(cron="* * * * *")
@app.task(name="payments.tick")
def tick(timestamp: int) -> None:
    """Each minute: refunds whose job got lost, or whose gateway did not answer."""
    send_refunds()
