"""Jobs of killed workers run again, and finished jobs are forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app

from liuke.events import jobs


@pytest.fixture(autouse=True)
def no_jobs(committed: None) -> Iterator[None]:
    """Django does not empty the tables of procrastinate, and others leave jobs there."""
    _forget_jobs()
    yield
    _forget_jobs()


def _forget_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


STALLED = """
WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)
              VALUES (now() - interval '5 minutes') RETURNING id)
INSERT INTO procrastinate_jobs (queue_name, task_name, status, queueing_lock, worker_id, args)
SELECT 'default', 'test.job', 'doing', %s, dead.id, '{}' FROM dead RETURNING id
"""


def insert(sql: str, *given: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return int(cursor.fetchone()[0])


def statuses() -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, status FROM procrastinate_jobs")
        return dict(cursor.fetchall())


def run_sweep() -> None:
    async def in_a_worker() -> None:
        connector = app.connector.get_worker_connector()
        with app.replace_connector(connector) as replaced:
            async with replaced.open_async():
                context = type("Context", (), {"app": replaced})()
                await jobs.sweep.func(context, timestamp=0)

    # In a thread of its own: a browser test of the same run may keep a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(in_a_worker())).result()


def test_a_job_of_a_dead_worker_is_queued_again() -> None:
    job = insert(STALLED, None)
    run_sweep()
    assert statuses() == {job: "todo"}


def test_a_stalled_job_whose_name_waits_already_is_closed() -> None:
    stalled = insert(STALLED, "once")
    waiting = insert(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)"
        " VALUES ('default', 'test.job', 'once', '{}') RETURNING id"
    )
    run_sweep()
    assert statuses() == {stalled: "aborted", waiting: "todo"}


def test_a_finished_job_is_kept_for_a_week() -> None:
    job = insert(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args)"
        " VALUES ('default', 'test.job', 'succeeded', '{}') RETURNING id"
    )
    run_sweep()
    assert statuses() == {job: "succeeded"}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '8 days'")
        cursor.execute(
            "INSERT INTO procrastinate_events (job_id, type, at)"
            " SELECT %s, 'succeeded', now() - interval '8 days'",
            [job],
        )
    run_sweep()
    assert statuses() == {}
