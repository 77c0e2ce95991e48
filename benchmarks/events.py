"""How fast, and how surely, does what happened set things in motion?

`run` wants a configured Django on a throwaway database; `python -m benchmarks.events [--full]` makes one. The storm is
also the crash test of `tests/races/test_events_dispatch.py`, smaller.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg

from benchmarks.database import throwaway
from benchmarks.nursery import Nursery, child_url, raise_children
from liuke.base import chance
from liuke.events import facts
from liuke.events.facts import Recorded

MEMBERS = 5_000
TABLES = """
DROP TABLE IF EXISTS bench_tally, bench_effect, bench_queue, bench_done;
CREATE TABLE bench_tally (member bigint PRIMARY KEY, purchases bigint, fen bigint);
CREATE TABLE bench_effect (event_id bigint NOT NULL);
CREATE TABLE bench_queue (id bigint PRIMARY KEY, member bigint NOT NULL, fen bigint NOT NULL);
CREATE TABLE bench_done (id bigint PRIMARY KEY);
"""
TALLY = """
INSERT INTO bench_tally AS old (member, purchases, fen)
SELECT member, count(*), sum(fen) FROM unnest(%s::bigint[], %s::bigint[]) AS batch(member, fen)
GROUP BY member ORDER BY member
ON CONFLICT (member) DO UPDATE SET purchases = old.purchases + EXCLUDED.purchases,
                                   fen = old.fen + EXCLUDED.fen
"""


@facts.fact(name="bench.OrderTold", version=1)
@dataclass(frozen=True)
class OrderTold:
    """Something the size of an ordinary fact."""

    order: int
    product: str
    total_fen: int


def tally(batch: Sequence[Recorded[OrderTold]]) -> None:
    """A real effect, set-based: how often and how much each member bought."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(TALLY, [[r.member for r in batch], [r.fact.total_fen for r in batch]])


def note(batch: Sequence[Recorded[OrderTold]]) -> None:
    """An effect without any constraint: done twice, it shows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_effect SELECT unnest(%s::bigint[])", [[r.id for r in batch]]
        )


@contextlib.contextmanager
def switchboard(*reactions: str) -> Iterator[None]:
    """Only the reactions of this bench."""
    from liuke.events import registry

    with registry.isolated():
        for name in reactions:
            registry.connect(OrderTold, globals()[name], name=f"bench.{name}", replayable=True)
        yield


def make_tables() -> None:
    """Empty tables for the effects."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(TABLES)


def tell(count: int) -> None:
    """Publish `count` events in one transaction."""
    from django.db import transaction

    from liuke.events.actions import publish_many

    with transaction.atomic():
        publish_many(
            facts.Happened(OrderTold(n, f"会员月卡 {n % 40}", 100 + n % 900), member=n % MEMBERS)
            for n in range(count)
        )


def dispatch_rate(count: int) -> dict[str, float]:
    """Events a second, published and then dispatched by one process."""
    from liuke.events.dispatcher import dispatch_pending

    with switchboard("tally"):
        start = time.perf_counter()
        tell(count)
        published = time.perf_counter()
        done = dispatch_pending()
        end = time.perf_counter()
    assert done == count, (done, count)
    return {
        "published_per_second": round(count / (published - start)),
        "dispatched_per_second": round(count / (end - published)),
    }


def yardstick_rate(count: int) -> float:
    """The least a queue of rows can cost: claim, mark done, effect, delete, in the same batches."""
    from liuke.events.dispatcher import BATCH

    with psycopg.connect(child_url(), cursor_factory=psycopg.ClientCursor) as raw:
        raw.execute(
            "INSERT INTO bench_queue SELECT n, n %% %s, 100 + n %% 900"
            " FROM generate_series(0, %s - 1) n",
            [MEMBERS, count],
        )
        raw.commit()
        start = time.perf_counter()
        while rows := raw.execute(
            "SELECT id, member, fen FROM bench_queue ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
            [BATCH],
        ).fetchall():
            ids, members, fen = (list(column) for column in zip(*rows, strict=True))
            raw.execute("INSERT INTO bench_done SELECT unnest(%s::bigint[])", [ids])
            raw.execute(TALLY, [members, fen])
            raw.execute("DELETE FROM bench_queue WHERE id = ANY(%s)", [ids])
            raw.commit()
        return count / (time.perf_counter() - start)


# The storm: dispatchers in processes of their own, killed without warning.


def storm(*, events: int, kills: int, guarded: bool = True, seed: int = 7) -> dict[str, int]:
    """Publish while two dispatchers work and are killed at random; what was lost and doubled."""
    from liuke.events import queries

    make_tables()
    mid_work = 0
    mode = "--dispatcher" if guarded else "--unguarded"
    with (
        Nursery("benchmarks.events", mode) as nursery,
        switchboard("tally", "note"),
        chance.seeded(seed) as random,
    ):
        nursery.start()
        nursery.start()
        for _ in range(kills):
            tell(events // kills)
            time.sleep(random.uniform(0.0, 0.06))
            mid_work += queries.pending_count() > 0
            nursery.kill(random.randrange(2))
            nursery.start()
        tell(events - events // kills * kills)
        await_quiet()
    return {"events": events, "kills": kills, "kills_mid_work": mid_work, **count_damage(events)}


def await_quiet(seconds: float = 120) -> None:
    """Wait until nothing is pending."""
    from liuke.events import queries

    deadline = time.monotonic() + seconds
    while queries.pending_count():
        assert time.monotonic() < deadline, queries.stuck() or "still pending"
        time.sleep(0.05)


def count_damage(events: int) -> dict[str, int]:
    """Effects that are missing or too many, by both effects."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT event_id), count(*) FROM bench_effect")
        distinct, total = cursor.fetchone()
        cursor.execute("SELECT coalesce(sum(purchases), 0)::bigint FROM bench_tally")
        (tallied,) = cursor.fetchone()
    return {
        "lost": max(events - distinct, events - tallied, 0),
        "doubled": max(total - distinct, tallied - events, 0),
    }


def unguarded_batch(limit: int) -> int:
    """The negative control: the effect commits apart from the claim and from what is done."""
    from django.db import transaction

    from liuke.events import dispatcher, registry

    with transaction.atomic():
        claims = dispatcher._claim(limit)
    batch = [claim.recorded for claim in claims if claim.recorded is not None]
    time.sleep(0.02)  # the gap between looking and doing that every check-then-act has
    with transaction.atomic():
        for reaction in registry.reactions() if batch else ():
            reaction.run(batch)
    with transaction.atomic():
        dispatcher._settle(claims)
    return len(claims)


def dispatch_until_told(mode: str, stop: threading.Event) -> None:
    """A dispatcher process, until SIGTERM."""
    from liuke.events import dispatcher

    with switchboard("tally", "note"):
        if mode == "--dispatcher":
            dispatcher.run_forever(stop)
        while not stop.is_set():
            if not unguarded_batch(dispatcher.BATCH):
                stop.wait(0.01)


def run(*, full: bool) -> dict[str, Any]:
    """Publish, dispatch and storm; the rates beside a yardstick run on the same machine."""
    count = 100_000 if full else 20_000
    make_tables()
    rates = dispatch_rate(count)
    yardstick = yardstick_rate(count)
    return {
        "events": count,
        **rates,
        "yardstick_per_second": round(yardstick),
        "ratio_to_yardstick": round(rates["dispatched_per_second"] / yardstick, 2),
        "storm": storm(events=count, kills=20 if full else 6),
    }


@contextlib.contextmanager
def throwaway_site() -> Iterator[None]:
    """Django on a server of its own."""
    with throwaway():
        os.environ["DJANGO_SETTINGS_MODULE"] = "liuke.project.settings"
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", "events", verbosity=0)
        yield
        connection.close()
        connection.close_pool()


if __name__ == "__main__":
    if sys.argv[1:2] in (["--dispatcher"], ["--unguarded"]):
        sys.modules["benchmarks.events"] = sys.modules["__main__"]
        raise_children(partial(dispatch_until_told, sys.argv[1]))
    else:
        with throwaway_site():
            print(json.dumps(run(full="--full" in sys.argv), indent=2))
