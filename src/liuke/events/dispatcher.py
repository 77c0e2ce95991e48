"""Who tells the rooms above what happened? One loop that claims events in batches.

Promised: an event of a committed transaction reaches each reaction that followed it when it was
published, and the effect that the reaction writes to this database happens exactly once, whatever
is killed when: the effect and its `Reacted` row commit together. Within a batch events come in
ascending id. Not promised: any order between batches, between dispatchers, or after a failure; a
reaction that needs an order compares `happened_at` or ids itself.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db import Error as DatabaseTrouble
from django.db.models import Min

from liuke.base import clock
from liuke.events import registry
from liuke.events.actions import CHANNEL, DISPATCH_LOCK
from liuke.events.facts import Recorded
from liuke.events.models import Pending
from liuke.events.queries import COLUMNS, recorded
from liuke.events.registry import Reaction

BATCH = 500
ATTEMPTS_MAX = 12
BACK_OFF_SECONDS = (1, 5, 30, 120, 600, 3600)  # the last one repeats: about seven hours in all
ERROR_LETTERS = 300

_POLL_SECONDS = 5.0  # when a notification was lost
_SLICE_SECONDS = 0.5  # how often a waiting dispatcher looks whether to stop: no query
_GATHER_SECONDS = (
    0.1  # between two batches that are not full: together they cost hardly more than one event
)
_BUSY_SECONDS = 0.25  # what is due is in another dispatcher's hands
_RECONNECT_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_FIND_OUT_SOON = {"connect_timeout": 2, "keepalives_idle": 10, "tcp_user_timeout": 15_000}

_log = logging.getLogger(__name__)


class NotConnected(LookupError):
    """An event waits for a reaction that this release does not have."""


@dataclass
class _Claim:
    """One event in this dispatcher's hands."""

    event_id: int
    reactions: list[str]
    attempts: int
    recorded: Recorded[Any] | None = None
    failures: dict[str, Exception] = field(default_factory=dict)


# One opaque condition on purpose: guessing that few rows are due, PostgreSQL would read and sort the
# whole queue for every batch instead of walking its key.
_IS_DUE = (
    "coalesce(CASE WHEN gave_up_at IS NULL THEN coalesce(due_at, '-infinity') END <= %s, false)"
)
_CLAIM = f"""
WITH claimed AS (
    SELECT event_id, reactions, attempts FROM events_pending
    WHERE {_IS_DUE} ORDER BY event_id LIMIT %s FOR UPDATE SKIP LOCKED
)
SELECT c.event_id, c.reactions, c.attempts, e.*
FROM claimed c LEFT JOIN LATERAL (
    SELECT {COLUMNS} FROM events_event WHERE id = c.event_id OFFSET 0  -- one look-up each, never a scan
) e ON true ORDER BY c.event_id
"""
_MARK = """
INSERT INTO events_reacted (event_id, reaction) SELECT unnest(%s::bigint[]), %s
ON CONFLICT DO NOTHING RETURNING event_id
"""


def dispatch_batch(limit: int = BATCH) -> int:
    """Claim up to `limit` due events, run their reactions, and commit; how many were claimed."""
    with transaction.atomic():
        claims = _claim(limit)
        if claims:
            _run_reactions(claims)
            _settle(claims)
    return len(claims)


def dispatch_pending(limit: int = BATCH) -> int:
    """Dispatch until nothing is due, not even in another's hands; how many were claimed here."""
    total = 0
    while True:
        claimed = dispatch_batch(limit)
        total += claimed
        if not claimed:
            if not _is_anything_due():
                return total
            time.sleep(_SLICE_SECONDS / 25)


def _claim(limit: int) -> list[_Claim]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [DISPATCH_LOCK])
        cursor.execute(_CLAIM, [clock.now(), limit])
        rows = cursor.fetchall()
    return [_read_claim(row) for row in rows]


def _read_claim(row: tuple[Any, ...]) -> _Claim:
    claim = _Claim(*row[:3])
    try:
        claim.recorded = recorded(row[3:])
    except Exception as error:  # one failing event, not a failing dispatcher
        claim.failures = dict.fromkeys(claim.reactions, error)
    return claim


def _run_reactions(claims: Sequence[_Claim]) -> None:
    by_reaction: dict[str, dict[int, _Claim]] = {}
    for claim in claims:
        if claim.recorded is not None:
            for name in claim.reactions:
                by_reaction.setdefault(name, {})[claim.event_id] = claim
    in_order = [r.name for r in registry.reactions() if r.name in by_reaction]
    for name in in_order:
        group = by_reaction.pop(name)
        reaction = registry.find(name)
        assert reaction is not None
        batch = [claim.recorded for claim in group.values() if claim.recorded is not None]
        for event_id, error in _run_group(reaction, batch).items():
            group[event_id].failures[name] = error
    for name, group in by_reaction.items():
        for claim in group.values():
            claim.failures[name] = NotConnected(f"no reaction {name} in this release")


def _run_group(reaction: Reaction, batch: Sequence[Recorded[Any]]) -> dict[int, Exception]:
    """Run a batch together or, when that fails, one by one; the failures by event id."""
    try:
        _run_once(reaction, batch)
    except Exception as error:
        _raise_when_database_is_lost(error)
        if len(batch) == 1:
            return {batch[0].id: error}
        _log.info("%s: %d events fail together, now one by one", reaction.name, len(batch))
    else:
        return {}
    failures: dict[int, Exception] = {}
    for one in batch:
        failures |= _run_group(reaction, [one])
    return failures


def _run_once(reaction: Reaction, batch: Sequence[Recorded[Any]]) -> None:
    """The guard: mark events done and run the reaction for those not done before, together."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [_array(one.id for one in batch), reaction.name])
            fresh = {event_id for (event_id,) in cursor.fetchall()}
        todo = [one for one in batch if one.id in fresh]
        if todo:
            reaction.run(todo)
        if connection.needs_rollback:
            raise RuntimeError("the reaction hid a failure that broke its transaction")


def _raise_when_database_is_lost(error: Exception) -> None:
    """Raise again what was no failure of a reaction: nothing can be recorded about it now."""
    raw = connection.connection
    if connection.needs_rollback or raw is None or raw.closed:
        raise error


def _settle(claims: Sequence[_Claim]) -> None:
    done = [claim.event_id for claim in claims if not claim.failures]
    failed = [claim for claim in claims if claim.failures]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM events_pending WHERE event_id = ANY(%s::bigint[])", [_array(done)]
        )
    for claim in failed:
        _put_off(claim)


def _array(ids: Iterable[int]) -> str:
    """An array as PostgreSQL writes it: the driver takes a millisecond for 500 numbers."""
    return f"{{{','.join(map(str, ids))}}}"


def _put_off(claim: _Claim) -> None:
    attempts = claim.attempts + 1
    name, error = next(iter(claim.failures.items()))
    now = clock.now()
    is_over = attempts >= ATTEMPTS_MAX
    wait = dt.timedelta(seconds=BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS)) - 1])
    Pending.objects.filter(pk=claim.event_id).update(
        reactions=list(claim.failures),
        attempts=attempts,
        due_at=None if is_over else now + wait,
        gave_up_at=now if is_over else None,
        last_error=describe(name, error),
    )
    level = logging.ERROR if is_over else logging.WARNING
    _log.log(level, "event %d, attempt %d: %s", claim.event_id, attempts, describe(name, error))
    _log.debug("event %d", claim.event_id, exc_info=error)  # a traceback may tell values of rows


def describe(reaction: str, error: Exception) -> str:
    """Reaction, class and first line: PostgreSQL puts the values of rows on the lines below."""
    first_line = str(error).partition("\n")[0]
    return f"{reaction}: {type(error).__name__}: {first_line[:ERROR_LETTERS]}"


def _is_anything_due() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM events_pending WHERE {_IS_DUE})", [clock.now()])
        return bool(cursor.fetchone()[0])


def run_forever(stop: threading.Event) -> None:
    """Dispatch as events are published until `stop` is set; survives restarts of the database.

    Lives in a thread of its own with one connection of its own, outside the pool.
    """
    failures = 0
    with _own_connection():
        while not stop.is_set():
            try:
                _listen(stop)
            except Exception as error:
                expected = isinstance(error, DatabaseTrouble)
                _log.warning("dispatcher: %s", describe("events", error), exc_info=not expected)
                connection.close()
                stop.wait(_RECONNECT_SECONDS[min(failures, len(_RECONNECT_SECONDS) - 1)])
                failures += 1
            else:
                failures = 0


@contextmanager
def _own_connection() -> Iterator[None]:
    """Give this thread an unpooled connection: a pool waits half a minute for a lost database."""
    pooled = connections[DEFAULT_DB_ALIAS]
    own = pooled.copy()
    own.settings_dict["OPTIONS"].pop("pool", None)
    own.settings_dict["OPTIONS"] |= _FIND_OUT_SOON
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        own.close()
        connections[DEFAULT_DB_ALIAS] = pooled


def _listen(stop: threading.Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    while not stop.is_set():
        while not stop.is_set():
            began = time.monotonic()
            claimed = dispatch_batch()
            if not claimed:
                break
            if claimed < BATCH:
                stop.wait(max(0.0, began + _GATHER_SECONDS - time.monotonic()))
        _wait(stop, _seconds_to_wait())


def _seconds_to_wait() -> float:
    """Until the next retry is due, but no longer than a lost notification may hurt."""
    if _is_anything_due():
        return _BUSY_SECONDS
    retries = Pending.objects.filter(due_at__isnull=False)
    due_at: dt.datetime | None = retries.aggregate(at=Min("due_at"))["at"]
    if due_at is None:
        return _POLL_SECONDS
    return min(_POLL_SECONDS, max(0.0, (due_at - clock.now()).total_seconds()))


def _wait(stop: threading.Event, seconds: float) -> None:
    """Sleep on the connection until a notification, the time, or the stop."""
    deadline = time.monotonic() + seconds
    while not stop.is_set():
        left = deadline - time.monotonic()
        if left <= 0:
            return
        heard = connection.connection.notifies(timeout=min(left, _SLICE_SECONDS), stop_after=1)
        with closing(heard):
            if next(heard, None) is not None:
                return
