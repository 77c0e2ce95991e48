"""What may be done to the log: add to it, and set reactions in motion again. Never change it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction

from liuke.base import clock
from liuke.base.prepared import rows
from liuke.events import registry
from liuke.events.errors import NotReplayable, UnknownReaction
from liuke.events.facts import BadFact, Happened, write_fact

CHANNEL = "liuke_events"
# Dispatchers hold this lock shared for a batch, a replay holds it alone: whoever empties a
# projection after `replay` in the same transaction knows that no reaction is half way through.
DISPATCH_LOCK = 0x11_0CE
_CHUNK = 5_000

_APPEND = """
WITH appended AS (
    INSERT INTO events_event
        (name, version, member, payload, happened_at, happened_on, transaction_id)
    SELECT f.name, f.version, f.member, f.payload, f.happened_at, f.happened_on,
           pg_current_xact_id()::text::bigint + coalesce((SELECT transactions FROM events_shift), 0)
    FROM json_to_recordset(%s::json) AS f(name text, version int, member bigint, payload jsonb,
                                          happened_at timestamptz, happened_on date)
    RETURNING id, name
), queued AS (
    INSERT INTO events_pending (event_id, reactions)
    SELECT appended.id, string_to_array(follows.reactions, ' ')
    FROM appended JOIN unnest(%s::text[], %s::text[]) AS follows(name, reactions) USING (name)
)
SELECT array_agg(id ORDER BY id), {notify} FROM appended
"""
_NOTIFY = f"(SELECT pg_notify('{CHANNEL}', ''))"  # sent once per transaction, when it commits


class OutsideTransaction(RuntimeError):
    """A fact must be published in the transaction that made it true."""


def publish(fact: object, *, member: int | None = None, at: dt.datetime | None = None) -> int:
    """Add one fact to the log, in the caller's transaction; its id."""
    return publish_many([Happened(fact, member, at)])[0]


def publish_many(facts: Iterable[object]) -> list[int]:
    """Add facts (bare, or `Happened` with member and moment) in the caller's transaction.

    Their ids, ascending in the order given. The dispatcher is told once, at commit.

    Raises:
        OutsideTransaction: not inside `transaction.atomic`.
        BadFact: something that is not a declared fact, or not filled with what it declares.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("publish inside the transaction that makes the fact true")
    now = clock.now()
    ids: list[int] = []
    remaining = iter(facts)
    while chunk := list(itertools.islice(remaining, _CHUNK)):
        ids += _append([_row(item, now) for item in chunk])
    return ids


def _row(item: object, now: dt.datetime) -> tuple[str, str]:
    """The name of a fact, and its row as JSON: one text for a chunk is what the driver does best."""
    happened: Happened[Any] = item if isinstance(item, Happened) else Happened(item)
    kind, payload = write_fact(happened.fact)
    at = happened.at or now
    if at.utcoffset() is None:
        raise BadFact(f"{kind.name}: the moment needs a time zone")
    member = "null" if happened.member is None else int(happened.member)
    return kind.name, (
        f'{{"name":"{kind.name}","version":{kind.version},"member":{member},"payload":{payload},'
        f'"happened_at":"{at.isoformat()}","happened_on":"{clock.local_date(at)}"}}'
    )


def _append(facts: Sequence[tuple[str, str]]) -> list[int]:
    names = [name for name in sorted({name for name, _ in facts}) if registry.names_for(name)]
    reactions = [" ".join(registry.names_for(name)) for name in names]
    statement = _APPEND.format(notify=_NOTIFY if names else "NULL")
    told = f"[{','.join(row for _, row in facts)}]"
    ((ids, _),) = rows(statement, [told, names, reactions])
    return list(ids)


_RANGE = """
e.name = ANY(%(facts)s)
AND (%(since)s::timestamptz IS NULL OR e.happened_at >= %(since)s)
AND (%(until)s::timestamptz IS NULL OR e.happened_at < %(until)s)
"""
_FORGET = f"""
DELETE FROM events_reacted r USING events_event e
WHERE r.reaction = %(reaction)s AND e.id = r.event_id AND {_RANGE}
"""
_QUEUE_AGAIN = f"""
INSERT INTO events_pending (event_id, reactions)
SELECT e.id, ARRAY[%(reaction)s::varchar] FROM events_event e WHERE {_RANGE}
ON CONFLICT (event_id) DO UPDATE SET
    reactions = array_remove(events_pending.reactions, %(reaction)s::varchar) || EXCLUDED.reactions,
    attempts = 0, due_at = NULL, gave_up_at = NULL
"""


@transaction.atomic
def replay(
    reaction: str, *, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> int:
    """Run a projection's reaction again for `since <= happened_at < until`; how many events.

    Call it first in a transaction, then empty the projection in that same transaction: dispatching
    stands still from here until the commit. Also how a projection connected later catches up with
    the log. No other reaction is run again.

    Raises:
        UnknownReaction: nothing of that name is connected.
        NotReplayable: it was not connected with `replayable=True`.
    """
    known = registry.find(reaction)
    if known is None:
        raise UnknownReaction(reaction=reaction)
    if not known.is_replayable:
        raise NotReplayable(reaction=reaction)
    given = {"reaction": reaction, "facts": list(known.facts), "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DISPATCH_LOCK])
        cursor.execute(_FORGET, given)
        cursor.execute(_QUEUE_AGAIN, given)
        queued = int(cursor.rowcount)
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return queued


@transaction.atomic
def retry_stuck() -> int:
    """Give every event that the dispatcher has given up a fresh set of attempts; how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_pending SET attempts = 0, due_at = NULL, gave_up_at = NULL"
            " WHERE gave_up_at IS NOT NULL"
        )
        revived = int(cursor.rowcount)
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return revived


_RESUME = """
INSERT INTO events_shift (id, transactions)
SELECT 1, newest.transaction_id - pg_snapshot_xmin(pg_current_snapshot())::text::bigint + 1
FROM (SELECT max(transaction_id) AS transaction_id FROM events_event) AS newest
WHERE newest.transaction_id >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
                               + coalesce((SELECT transactions FROM events_shift), 0)
ON CONFLICT (id) DO UPDATE SET transactions = EXCLUDED.transactions
"""


@transaction.atomic
def resume_after_restore() -> bool:
    """Number new events above the restored ones, before the site opens; True when needed.

    A dump keeps the transaction numbers of the server it came from; a younger server counts from a
    smaller number, and a consumer with a cursor would never see what is published next.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE events_event IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(_RESUME)
        return bool(cursor.rowcount)
