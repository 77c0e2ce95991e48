"""The dispatcher of the worker wakes at once, idles for nothing, survives the database, and stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from liuke.events import dispatcher, queries
from liuke.events.registry import connect
from tests.events.make import Listener, OrderTold, heard, tell

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """A running dispatcher that is waiting for something to do."""
    stopping = threading.Event()
    thread = threading.Thread(target=dispatcher.run_forever, args=[stopping])
    thread.start()
    until(lambda: bool(listeners()))
    time.sleep(0.1)
    yield stopping
    asked = time.monotonic()
    stopping.set()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert time.monotonic() - asked < 1.0


def listeners() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state = 'idle' AND backend_type = 'client backend'"
            " AND query NOT LIKE '%%DISCARD%%' AND application_name = 'liuke'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def until(is_so: Callable[[], bool], seconds: float = 5.0) -> float:
    start = time.monotonic()
    while not is_so():
        assert time.monotonic() - start < seconds, "waited in vain"
        time.sleep(0.005)
    return time.monotonic() - start


def test_a_commit_wakes_the_dispatcher_within_200_ms(stop: threading.Event) -> None:
    connect(OrderTold, Listener("a"), name="test.a")
    waits = []
    for n in range(5):
        ids = tell(1, first=n)
        waits.append(until(lambda ids=ids: heard("a")[-1:] == ids))  # type: ignore[misc]
        time.sleep(0.05)
    assert sorted(waits)[2] < 0.2, waits


def test_a_retry_runs_when_it_is_due_without_a_notification(stop: threading.Event) -> None:
    bad = Listener("bad", poison={0})
    connect(OrderTold, bad, name="test.bad")
    ids = tell(1)
    until(lambda: queries.Pending.objects.filter(attempts=1).exists())
    bad.poison.clear()
    waited = until(lambda: heard("bad") == ids)
    assert 0.5 < waited < 2.5


def test_an_idle_dispatcher_asks_the_database_nothing(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = dispatcher.dispatch_batch
    monkeypatch.setattr(dispatcher, "dispatch_batch", lambda: asked.append(1) or real())
    time.sleep(1.5)
    assert len(asked) <= 1


def test_a_dispatcher_whose_connection_is_cut_comes_back(stop: threading.Event) -> None:
    connect(OrderTold, Listener("a"), name="test.a")
    with connection.cursor() as cursor:
        for pid in listeners():
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    ids = tell(3)
    until(lambda: heard("a") == ids)


@pytest.mark.django_db(transaction=True)
def test_after_a_batch_that_was_not_full_the_next_events_are_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a full one, a short one and none, only the short one is followed by a pause."""
    claimed = iter([dispatcher.BATCH, 1, 0])
    pauses: list[float] = []
    stop = threading.Event()
    monkeypatch.setattr(dispatcher, "dispatch_batch", lambda: next(claimed))
    monkeypatch.setattr(dispatcher, "_wait", lambda ending, _seconds: ending.set())
    monkeypatch.setattr(stop, "wait", pauses.append)
    dispatcher._listen(stop)
    assert list(claimed) == []
    assert len(pauses) == 1
    assert 0 < pauses[0] <= dispatcher._GATHER_SECONDS
