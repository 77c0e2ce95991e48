"""The room's timers: what procrastinate leaves undone about its own jobs."""

from __future__ import annotations

from typing import Any

from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

STALLED_SECONDS = 60
KEEP_HOURS = 7 * 24


@app.periodic(cron="* * * * *")
@app.task(name="events.sweep", pass_context=True)
async def sweep(context: Any, timestamp: int) -> None:
    """Put the jobs of killed workers back in the queue, and forget what was finished a week ago.

    A job whose worker was killed stays "doing" for ever otherwise. When another of its once-only
    name waits already, that one does the work and the stalled one is closed (procrastinate #1543).
    """
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            await manager.finish_job_by_id_async(job.id, status=Status.ABORTED, delete_job=False)
    await manager.delete_old_jobs(
        nb_hours=KEEP_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
