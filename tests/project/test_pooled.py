"""What does a restart of the server cost the requests after it?"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from django.db import connection
from procrastinate.contrib.django.utils import connector_params
from psycopg_pool import ConnectionPool

IDLE = 8


def _meet(barrier: Barrier) -> int:
    """Hold a connection until everybody has one; its server process."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
            barrier.wait(timeout=20)
            return int(pid)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_when_every_idle_connection_was_cut_the_next_request_waits_for_nothing() -> None:
    connection.close()
    barrier = Barrier(IDLE)
    with ThreadPoolExecutor(IDLE) as threads:
        pids = list(threads.map(_meet, [barrier] * IDLE))
    assert len(set(pids)) == IDLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
        for pid in set(pids) - {own}:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            assert cursor.fetchone() == (True,)
    connection.close()
    asked = time.monotonic()
    first = _meet(Barrier(1))
    assert time.monotonic() - asked < 1.0
    barrier = Barrier(IDLE)
    with ThreadPoolExecutor(IDLE) as threads:
        after = set(threads.map(_meet, [barrier] * IDLE))
    assert time.monotonic() - asked < 3.0
    assert {first, *after} & set(pids) <= {own}
    assert len(after) == IDLE


@pytest.mark.django_db(transaction=True)
def test_only_a_connection_on_which_something_arrived_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    check = ConnectionPool.check_connection

    def ask(pooled: psycopg.Connection) -> None:
        asked.append(pooled)
        check(pooled)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(ask))
    connection.close()
    for _ in range(3):
        _meet(Barrier(1))
    assert asked == []
    with connection.cursor() as cursor:
        cursor.execute("LISTEN something")
        cursor.execute("NOTIFY something")
        pooled = connection.connection
    with psycopg.connect(**connector_params(), autocommit=True) as other:
        connection.close()
        other.execute("NOTIFY something")
    for _ in range(IDLE):
        _meet(Barrier(1))
    assert asked == [pooled]
