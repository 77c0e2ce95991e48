"""A consumer with a cursor sees every event once, in an order that no late commit can break."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from liuke.base import audit
from liuke.events import queries
from liuke.events.actions import publish, resume_after_restore
from liuke.events.models import Event, Shift
from liuke.events.queries import Cursor, read_after
from tests.events.make import OrderTold, tell, wait_for_elders

pytestmark = pytest.mark.usefixtures("committed")

LATE = """
INSERT INTO events_event (name, version, payload, happened_at, happened_on, transaction_id)
VALUES ('test.OrderTold', 1, '{"order": 100}', '2026-03-01 12:00Z', '2026-03-01',
        pg_current_xact_id()::text::bigint) RETURNING id
"""


@pytest.fixture
def late() -> Iterator[psycopg.Connection[tuple[int]]]:
    """Another session, with a transaction of its own."""
    params = connection.get_connection_params()
    params.pop("cursor_factory")
    params.pop("context")
    with psycopg.connect(**params) as other:
        yield other


def orders(events: list[queries.Recorded[OrderTold]]) -> list[int]:
    return [event.fact.order for event in events]


def test_a_late_committer_is_never_skipped(late: psycopg.Connection[tuple[int]]) -> None:
    row = late.execute(LATE).fetchone()
    tell(2)  # commits first, with larger ids
    assert row is not None
    assert row[0] < Event.objects.latest("id").id
    events, cursor = read_after(Cursor(), 10)
    assert (orders(events), cursor) == ([], Cursor())  # held back, not skipped
    late.commit()
    wait_for_elders()
    events, cursor = read_after(cursor, 10)
    assert sorted(orders(events)) == [0, 1, 100]
    assert read_after(cursor, 10) == ([], cursor)


def test_a_larger_id_of_an_older_transaction_is_not_skipped(
    late: psycopg.Connection[tuple[int]],
) -> None:
    late.execute("SELECT pg_current_xact_id()")
    tell(1)
    late.execute(LATE)
    assert read_after(Cursor(), 10)[0] == []
    late.commit()
    wait_for_elders()
    events, cursor = read_after(Cursor(), 1)
    assert orders(events) == [100]
    assert orders(read_after(cursor, 10)[0]) == [0]


def test_pages_add_up_to_the_log() -> None:
    tell(5)
    tell(4, first=5)
    wait_for_elders()
    seen: list[int] = []
    cursor = Cursor()
    while True:
        events, cursor = read_after(cursor, 2)
        if not events:
            break
        seen += orders(events)
    assert seen == list(range(9))


def test_what_this_transaction_published_is_read_after_it_commits() -> None:
    with transaction.atomic():
        publish(OrderTold(1))
        assert read_after(Cursor(), 10)[0] == []
    wait_for_elders()
    assert orders(read_after(Cursor(), 10)[0]) == [1]


def test_after_a_restore_into_a_younger_server_new_events_still_come_last() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(  # what a dump of an older server brings along
            LATE.replace("pg_current_xact_id()::text::bigint", "9000000000 + 0")
        )
    broken = [f.invariant.name for f in map(audit.check, queries.invariants()) if f.violations]
    assert broken == ["events.no_number_from_the_future"]
    assert resume_after_restore()
    _, position = read_after(Cursor(), 10)
    tell(1)
    wait_for_elders()
    assert orders(read_after(position, 10)[0]) == [0]
    assert not resume_after_restore()
    assert Shift.objects.get().transactions > 0
    assert not any(audit.check(promise).violations for promise in queries.invariants())
