"""Reading the log, and what is still to be done about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from liuke.base.audit import Invariant
from liuke.events.facts import Recorded, read_fact
from liuke.events.models import Event, Pending

COLUMNS = "id, name, version, member, payload::text, happened_at, happened_on"
_SHIFT = "coalesce((SELECT transactions FROM events_shift), 0)"


class Cursor(NamedTuple):
    """How far a consumer has read: every event up to this one, in commit-safe order."""

    transaction_id: int = 0
    id: int = 0


@dataclass(frozen=True)
class Stuck:
    """An event whose reactions failed too often; it waits for `actions.retry_stuck`."""

    event: int
    name: str
    reactions: tuple[str, ...]
    attempts: int
    gave_up_at: dt.datetime
    last_error: str


def recorded(row: Iterable[Any]) -> Recorded[Any]:
    """An event from its columns, in the order of `COLUMNS`, the payload as text."""
    event, name, version, member, payload, happened_at, happened_on = row
    return Recorded(event, read_fact(name, version, payload), member, happened_at, happened_on)


def events_of(member: int, *, before: int | None = None, limit: int = 100) -> list[Recorded[Any]]:
    """What happened to a member, newest first; `before` is the last id of the page above."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM events_event"
            " WHERE member = %s AND (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s",
            [member, before, before, limit],
        )
        return [recorded(row) for row in cursor.fetchall()]


_READ_AFTER = f"""
SELECT transaction_id, {COLUMNS} FROM events_event
WHERE (transaction_id, id) > (%s, %s)
  AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + {_SHIFT}
ORDER BY transaction_id, id LIMIT %s
"""


def read_after(cursor: Cursor, limit: int) -> tuple[list[Recorded[Any]], Cursor]:
    """The next events for a consumer that keeps a cursor, and the cursor to keep with their effect.

    Only what lies below the oldest running transaction: nothing can still commit in between, so
    nothing is skipped; a transaction left open holds every consumer back.
    """
    with connection.cursor() as db:
        db.execute(_READ_AFTER, [cursor.transaction_id, cursor.id, limit])
        rows = db.fetchall()
    if not rows:
        return [], cursor
    return [recorded(row[1:]) for row in rows], Cursor(rows[-1][0], rows[-1][1])


def stuck(limit: int = 100) -> list[Stuck]:
    """Events that the dispatcher has given up, oldest first."""
    rows = list(Pending.objects.filter(gave_up_at__isnull=False).order_by("event_id")[:limit])
    names = dict(Event.objects.filter(pk__in=[row.pk for row in rows]).values_list("id", "name"))
    return [
        Stuck(
            event=row.pk,
            name=names.get(row.pk, ""),
            reactions=tuple(row.reactions),
            attempts=row.attempts,
            gave_up_at=row.gave_up_at,
            last_error=row.last_error,
        )
        for row in rows
        if row.gave_up_at is not None
    ]


def pending_count() -> int:
    """Events with reactions still to run (fresh, waiting for another try, or given up)."""
    return Pending.objects.count()


def invariants() -> list[Invariant]:
    """What the log promises about itself."""
    return [
        Invariant(
            "events.queued_events_exist",
            "Whatever waits for a reaction is in the log.",
            "SELECT p.event_id FROM events_pending p LEFT JOIN events_event e ON e.id = p.event_id"
            " WHERE e.id IS NULL",
        ),
        Invariant(
            "events.reactions_have_events",
            "Whatever was reacted to is in the log.",
            "SELECT r.event_id, r.reaction FROM events_reacted r"
            " LEFT JOIN events_event e ON e.id = r.event_id WHERE e.id IS NULL",
        ),
        Invariant(
            "events.waiting_is_not_done",
            "A reaction is either waiting or done, never both; nothing waits for no reaction.",
            "SELECT p.event_id FROM events_pending p WHERE p.reactions = '{}' OR EXISTS ("
            "SELECT FROM events_reacted r"
            " WHERE r.event_id = p.event_id AND r.reaction = ANY(p.reactions))",
        ),
        Invariant(
            "events.no_number_from_the_future",
            "Transaction numbers only grow (after a restore: actions.resume_after_restore).",
            "SELECT id, transaction_id FROM events_event WHERE transaction_id >="
            f" pg_snapshot_xmax(pg_current_snapshot())::text::bigint + {_SHIFT}"
            " AND transaction_id IS DISTINCT FROM"  # what the asking transaction itself published
            f" pg_current_xact_id_if_assigned()::text::bigint + {_SHIFT}",
        ),
        Invariant(
            "events.dates_fit_moments",
            "The site-local date of an event is within a day of its moment; ids are positive.",
            "SELECT id FROM events_event WHERE id < 1 OR version < 1"
            " OR abs(happened_on - (happened_at AT TIME ZONE 'UTC')::date) > 1",
        ),
    ]
