"""How fast are weeks claimed, and is anybody's taken twice?

Four workers claim the weeks of 200,000 persons, every week wanted by two of them at the same moment, through the
product's own `claim_weeks` and as many transactions. Then an independent self-join over the rows looks for two contacts
of a person within 168 hours. The yardstick is the same number of rows inserted by the same workers into a table without
any index; the negative control is the same storm as check-then-insert without the guard.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.database import throwaway

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 4
BATCH = 1_000
CAP_HOURS = 168
TABLES = """
DROP TABLE IF EXISTS bench_plain, bench_unguarded;
CREATE TABLE bench_plain (
    id bigint GENERATED ALWAYS AS IDENTITY, person_id bigint NOT NULL, decision_id bigint NOT NULL,
    claimed_at timestamptz NOT NULL, during tstzrange NOT NULL);
CREATE TABLE bench_unguarded (LIKE bench_plain INCLUDING IDENTITY);
CREATE INDEX ON bench_unguarded (person_id);
"""
PLAIN = """
INSERT INTO bench_plain (person_id, decision_id, claimed_at, during)
SELECT person_id, decision_id, %(at)s, tstzrange(%(at)s, %(until)s)
FROM unnest(%(persons)s::bigint[], %(decisions)s::bigint[]) AS wanted (person_id, decision_id)
"""
LOOK = """
SELECT person_id FROM bench_unguarded WHERE person_id = ANY(%(persons)s) AND claimed_at > %(since)s
"""
UNGUARDED = PLAIN.replace("bench_plain", "bench_unguarded")
TWO_WITHIN_A_WEEK = """
SELECT count(*) FROM {table} a JOIN {table} b ON b.person_id = a.person_id AND b.id > a.id
WHERE abs(extract(epoch FROM b.claimed_at - a.claimed_at)) < 168 * 3600
"""
BY_HAND = """
INSERT INTO engagement_contact (person_id, decision_id, is_ghost, claimed_at, during)
SELECT person_id, -1, false, upper(during) - interval '1 second',
       tstzrange(upper(during) - interval '1 second', upper(during) + interval '168 hours')
FROM engagement_contact LIMIT 1
"""


def claim(persons: list[int], decisions: list[int], at: dt.datetime) -> int:
    """The product's own way."""
    from django.db import transaction

    from liuke.engagement.actions.claim import Claim, claim_weeks

    claims = [Claim(*pair) for pair in zip(persons, decisions, strict=True)]
    with transaction.atomic():
        won, _ = claim_weeks(claims=claims, at=at, cap_hours=CAP_HOURS)
    return len(won)


def insert_plainly(persons: list[int], decisions: list[int], at: dt.datetime) -> int:
    """The yardstick: what it costs to write the rows at all."""
    return _execute(PLAIN, persons, decisions, at)


def check_then_insert(persons: list[int], decisions: list[int], at: dt.datetime) -> int:
    """The negative control: who has no contact yet, as far as this transaction can see, gets one."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOOK, {"persons": persons, "since": at - dt.timedelta(hours=CAP_HOURS)})
        seen = {person for (person,) in cursor.fetchall()}
        pairs = zip(persons, decisions, strict=True)
        free = [(person, decision) for person, decision in pairs if person not in seen]
        if not free:
            return 0
        return _execute(UNGUARDED, *map(list, zip(*free, strict=True)), at)


def _execute(sql: str, persons: list[int], decisions: list[int], at: dt.datetime) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        until = at + dt.timedelta(hours=CAP_HOURS)
        told = {"persons": persons, "decisions": decisions, "at": at, "until": until}
        cursor.execute(sql, told)
        return int(cursor.rowcount)


WAYS = {"claim": claim, "plain": insert_plainly, "unguarded": check_then_insert}


def work(way: str, number: int, first: int, after: int) -> None:
    """A worker: say ready, wait for the start, take persons [first, after) in batches, say how many were won."""
    from django.db import connection

    from liuke.base import clock

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    won = 0
    for start in range(first, after, BATCH):
        persons = list(range(start, min(start + BATCH, after)))
        decisions = [person * WORKERS + number for person in persons]
        won += WAYS[way](persons, decisions, clock.now())
    print(won, flush=True)


def storm(url: str, way: str, persons: int, *, shared: bool) -> tuple[int, float]:
    """Let the workers loose; (how many were won, seconds). `shared`: two workers want each person at one moment."""
    parts = WORKERS // 2 if shared else WORKERS
    size = persons // parts
    spans = [(n % parts * size + 1, n % parts * size + size + 1) for n in range(WORKERS)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cap", "--worker", way, *map(str, (n, *span))],
            cwd=ROOT,
            env={**os.environ, "LIUKE_DATABASE_URL": url, "LIUKE_POOL": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n, span in enumerate(spans)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [worker.communicate()[0] for worker in workers]
    return sum(int(text) for text in told), time.perf_counter() - began


def count(url: str, sql: str) -> int:
    """One number."""
    with psycopg.connect(url) as connection:
        row = connection.execute(sql).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


def is_hand_insert_refused(url: str) -> bool:
    """Whether the database itself refuses a second contact that begins a second before the week is over."""
    with psycopg.connect(url) as connection:
        try:
            connection.execute(BY_HAND)
        except psycopg.errors.ExclusionViolation:
            return True
    return False


def run(url: str, *, persons: int) -> dict[str, Any]:
    """The storm, its checks, the yardstick and the negative control, on an empty and migrated database."""
    with psycopg.connect(url) as connection:
        connection.execute(TABLES)
    plain, plain_seconds = storm(url, "plain", persons, shared=False)
    won, seconds = storm(url, "claim", persons, shared=True)
    rows = count(url, "SELECT count(*) FROM engagement_contact")
    reached = count(url, "SELECT count(DISTINCT person_id) FROM engagement_contact")
    unguarded, _ = storm(url, "unguarded", persons, shared=True)
    rate, yardstick = won / seconds, plain / plain_seconds
    return {
        "claims": rows,
        "over_cap": count(url, TWO_WITHIN_A_WEEK.format(table="engagement_contact")),
        "seconds": round(seconds, 2),
        "claims_per_second": round(rate),
        "attempts": 2 * persons,
        "lost": abs(rows - won) + persons - reached,
        "workers": WORKERS,
        "yardstick_per_second": round(yardstick),
        "ratio_to_yardstick": round(rate / yardstick, 2),
        "hand_insert_refused": is_hand_insert_refused(url),
        "without_guard_claims": unguarded,
        "without_guard_over_cap": count(url, TWO_WITHIN_A_WEEK.format(table="bench_unguarded")),
    }


@contextlib.contextmanager
def throwaway_site() -> Iterator[str]:
    """A migrated database on a server of its own."""
    with throwaway() as url:
        os.environ["LIUKE_DATABASE_URL"] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = "liuke.project.settings"
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        connection.close()
        connection.close_pool()
        yield url


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = "liuke.project.settings"
        import django

        django.setup()
        work(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        with throwaway_site() as site:
            is_full = "--full" in sys.argv
            print(json.dumps(run(site, persons=200_000 if is_full else 20_000), indent=2))
