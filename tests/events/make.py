"""Legal data for the tests of `events`: facts to tell, and reactions that keep what they heard."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from liuke.events.actions import publish_many
from liuke.events.facts import Happened, Recorded, fact

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


@fact(name="test.OrderTold", version=1)
@dataclass(frozen=True)
class OrderTold:
    order: int


@fact(name="test.OtherTold", version=1)
@dataclass(frozen=True)
class OtherTold:
    note: str


@dataclass
class Listener:
    """A reaction whose effect is rows of its own, so that a rollback takes them back."""

    name: str
    poison: set[int] = field(default_factory=set)
    batches: list[list[int]] = field(default_factory=list)

    def __call__(self, batch: Sequence[Recorded[Any]]) -> None:
        orders = [recorded.fact.order for recorded in batch]
        with connection.cursor() as cursor:
            for recorded in batch:
                cursor.execute("INSERT INTO test_heard VALUES (%s, %s)", [self.name, recorded.id])
        if self.poison & set(orders):
            raise ValueError("poison\nDETAIL: Key (phone)=(13800000000)")
        self.batches.append(orders)


def wait_for_elders(seconds: float = 120) -> None:
    """Wait until every transaction older than the newest event has ended, also those of the run's other worker.

    A consumer with a cursor waits for them too: the server numbers transactions across its databases.
    """
    end = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(
                "SELECT max(transaction_id) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
                " + coalesce((SELECT transactions FROM events_shift), 0) FROM events_event"
            )
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.05)
    raise AssertionError("an older transaction did not end")


def heard(name: str) -> list[int]:
    """The events whose effect by that listener is in the database, ascending."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_id FROM test_heard WHERE name = %s ORDER BY event_id", [name])
        return [event_id for (event_id,) in cursor.fetchall()]


def tell(count: int, *, first: int = 0, member: int | None = None) -> list[int]:
    """Publish `count` orders in one transaction; their event ids."""
    with transaction.atomic():
        return publish_many(
            Happened(OrderTold(n), member=member) for n in range(first, first + count)
        )


def allow_emptying() -> None:
    """Let Django empty the tables of a test database between tests; UPDATE and DELETE stay refused."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER event_log_is_never_emptied")
