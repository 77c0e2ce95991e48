"""The room's timers and later work."""

from __future__ import annotations

from procrastinate.contrib.django import app

from liuke.analytics.actions.behaviour_months import keep_months as see_to_months
from liuke.analytics.actions.evaluate_apart import evaluate_apart, evaluate_what_is_stale
from liuke.analytics.actions.grow_lake_apart import grow_lakes_apart
from liuke.analytics.actions.import_upload_apart import import_upload_apart
from liuke.analytics.actions.import_upload_apart import sweep_uploads as sweep
from liuke.analytics.actions.segment_members import refresh_changed


@app.task(name="analytics.evaluate")
def evaluate(source_id: int) -> None:
    """After an import: say again where everyone stands, unless someone already did."""
    evaluate_apart(source_id=source_id)


@app.periodic(cron="7 * * * *")
@app.task(name="analytics.evaluate_stale")
def evaluate_stale(timestamp: int) -> None:
    """Every hour: a new day, new thresholds or a lost job leave a source stale; see to it."""
    evaluate_what_is_stale()


@app.task(name="analytics.refresh_segments")
def refresh_segments() -> None:
    """After orders or logins: who of those members is in which segment now."""
    refresh_changed()


@app.periodic(cron="* * * * *")
@app.task(name="analytics.refresh_due_segments")
def refresh_due_segments(timestamp: int) -> None:
    """Every minute: whom time alone may have moved, and news whose job was lost."""
    refresh_changed()


@app.task(name="analytics.import_upload")
def import_upload(reference: str) -> None:
    """After somebody said what is in a dropped file: take it in."""
    import_upload_apart(reference=reference)


@app.periodic(cron="41 4 * * *")
@app.task(name="analytics.keep_months")
def keep_months(timestamp: int) -> None:
    """Every night: the coming months of behaviour have their tables, and the old ones are dropped."""
    see_to_months()


@app.periodic(cron="* * * * *")
@app.task(name="analytics.sweep_uploads")
def sweep_uploads(timestamp: int) -> None:
    """Every minute: an upload whose process was killed is not left standing."""
    sweep()


@app.periodic(cron="23 3 * * *")
@app.task(name="analytics.grow_lakes")
def grow_lakes(timestamp: int) -> None:
    """Every night: new purchases into the lake, everybody's figures counted from it and compared."""
    grow_lakes_apart()
