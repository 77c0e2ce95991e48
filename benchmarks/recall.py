"""How surely, and how fast, does a recall go out?

The storm: workers decide and send while they are killed at random, members opt out, and some live where it is night.
Every call to the provider is noted by the provider itself, so that what was sent twice, never, at night or against a
no is counted from the other side. `tests/races/test_recall_under_fire.py` runs a short one, and one whose workers are
careless: they send again what a dead worker left.

The rates: messages a second to a provider that answers at once and into the inbox, beside a bare queue in psycopg.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import mmap
import os
import struct
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.database import throwaway
from benchmarks.nursery import Nursery, child_url, raise_children
from liuke.base import chance, clock
from liuke.base.outside import Accepted, Outcome

WORKERS = 3
SHORT, FULL = 1_500, 20_000
OPT_OUT_SHARE = 0.02
ZONES = {1: "America/New_York", 2: "Europe/London", 3: "Pacific/Kiritimati"}  # a tenth each
NOON = dt.datetime(2026, 3, 15, 4, 0, tzinfo=dt.UTC)  # in Shanghai; midnight in New York
HOUR = dt.timedelta(hours=1)
TABLES = """
CREATE TABLE bench_call (reference text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE bench_queue (id bigint PRIMARY KEY, state text NOT NULL);
"""


class SharedClock:
    """A clock for several processes: it runs like the wall's, `ahead` of it by what a file says."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        self._file = path.open("r+b")
        self._memory = mmap.mmap(self._file.fileno(), 8)

    def __call__(self) -> dt.datetime:
        (ahead,) = struct.unpack("d", self._memory[:])
        return dt.datetime.fromtimestamp(time.time() + ahead, dt.UTC)

    def put_to(self, at: dt.datetime) -> None:
        self._memory[:] = struct.pack("d", at.timestamp() - time.time())


class Provider:
    """Notes every call in a table of its own, and takes everything."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection | None = None
        self._one_at_a_time = threading.Lock()

    def send(self, outgoing: Any) -> Outcome:
        with self._one_at_a_time:
            if self._connection is None:
                self._connection = psycopg.connect(child_url(), autocommit=True)
            self._connection.execute(
                "INSERT INTO bench_call VALUES (%s, %s)", [outgoing.reference, clock.now()]
            )
        return Accepted(outgoing.reference)


class Sink:
    """Takes everything at once and remembers nothing."""

    def send(self, outgoing: Any) -> Outcome:
        return Accepted(outgoing.reference)


def work(clock_file: str, is_careless: bool, stop: threading.Event) -> None:
    """A worker: decides and sends until SIGTERM, as the job `engagement.carry_out` does."""
    from liuke.engagement.actions.decide import decide_due
    from liuke.engagement.actions.send import send_due
    from liuke.engagement.channels import OUTSIDE

    OUTSIDE["sms"] = Provider()
    with clock.running(SharedClock(Path(clock_file))):
        while not stop.is_set():
            if is_careless:
                send_again()
            if not decide_due(limit=200) + send_due(limit=100):
                stop.wait(0.02)


def send_again() -> None:
    """The negative control: what was being sent a while ago and has no answer is put back into the queue."""
    sql(
        "UPDATE engagement_message SET state = 'queued' WHERE state = 'sending' AND began_at < %s",
        (clock.now() - dt.timedelta(seconds=1),),
    )


def members(count: int, key: str, channel: str) -> Any:
    """A source of that many silent members who agreed, each with a number; its key is in theirs."""
    from liuke.analytics.actions.evaluate import evaluate
    from liuke.analytics.actions.import_orders import import_orders
    from liuke.analytics.orderlog import Mapping, Options, look
    from liuke.people.actions import attest_consent

    on = clock.today() - 45 * 24 * HOUR
    start = 13_800_000_000 + abs(hash_of(key)) * 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        rows = "".join(f"{start + n},{on} 12:00:00,88.00\n" for n in range(count))
        path.write_text(f"member,at,amount\n{rows}fresh,{clock.today()} 00:30:00,1.00\n")
        done = import_orders(
            log=look(path, has_header=True),
            columns=Mapping(member=1, at=2, amount=3),
            options=Options(now=clock.now()),
            source_key=key,
        )
    evaluate(source=done.source)
    attest_consent(source=key, channels=[channel], statement="a benchmark", by=None)
    return done.source


def hash_of(key: str) -> int:
    """A different block of numbers for each source."""
    return sum(key.encode()) % 900


def start(source: Any, channel: str) -> Any:
    """A plan for all of them, a tenth held out as control, and its run."""
    from liuke.engagement import queries
    from liuke.engagement.actions.plans import make_plan
    from liuke.engagement.actions.runs import start_run

    plan = make_plan(
        source=source,
        name="Come back",
        audience={"stage": "silent"},
        channel=channel,
        body="Hello {member}, {days} days",
        control_permyriad=1_000,
        by=None,
    )
    foreseen = queries.preview(queries.version_in_force(plan), samples=0)
    return start_run(plan.reference, by=None, confirmed=foreseen.treated)


# The storm ----------------------------------------------------------------------------------------


def storm(count: int, *, kills: int, is_careless: bool = False, seed: int = 11) -> dict[str, Any]:
    """A recall of `count` members under fire; what the database and the provider say of it."""
    with psycopg.connect(child_url(), autocommit=True) as own:
        own.execute(TABLES)
    with tempfile.TemporaryDirectory() as folder:
        clock_file = Path(folder) / "clock"
        shared = SharedClock(clock_file)
        shared.put_to(NOON)
        with clock.running(shared), chance.seeded(seed):
            run = start(settle_in(members(count, "storm", "sms")), "sms")
            began = time.perf_counter()
            words = ["--worker", str(clock_file), *(["--careless"] if is_careless else [])]
            with Nursery("benchmarks.recall", *words) as nursery:
                done, said_no = fight(run, shared, nursery, kills)
            seconds = time.perf_counter() - began
            tidy_up(shared)
            return {
                "members": count,
                "seconds": round(seconds, 1),
                "kills": done,
                **damage(run, said_no),
            }


def settle_in(source: Any) -> Any:
    """Some live elsewhere, and some do not want to be disturbed at noon."""
    sql("UPDATE people_member SET time_zone = %s, time_zone_from = 'source' WHERE id %% 10 = %s",
        *((name, tenth) for tenth, name in ZONES.items()))  # fmt: skip
    sql(
        "UPDATE people_member SET quiet_from = '11:00', quiet_until = '14:00' WHERE id %% 10 = 4",
        (),
    )
    return source


def fight(
    run: Any, shared: SharedClock, nursery: Nursery, kills: int
) -> tuple[int, dict[int, dt.datetime]]:
    """Kill workers and withdraw consent until nobody is left to decide about; kills, and who said no when."""
    said_no: dict[int, dt.datetime] = {}
    done, random = 0, chance.source()
    for _ in range(WORKERS):
        nursery.start()
    while (state := what_is_left(run)) != "done":
        if state == "idle":
            shared.put_to(next_moment(run) + dt.timedelta(seconds=1))
        time.sleep(random.uniform(0.03, 0.15))
        if state == "busy" and done < kills:
            nursery.kill(random.randrange(WORKERS))
            nursery.start()
            done += 1
        if len(said_no) < run.candidates * OPT_OUT_SHARE:
            said_no |= some_say_no(run, 5)
    return done, said_no


def what_is_left(run: Any) -> str:
    """`busy`, `idle` when all that is left waits for a later moment, `done` when nothing is left but lost answers."""
    busy, waiting = ask(
        "SELECT count(*) FILTER (WHERE d.state = 0 OR d.state = 1 AND d.due_at <= %s"
        "   OR m.state = 'queued' AND m.due_at <= %s),"
        " count(*) FILTER (WHERE d.state = 1 OR m.state = 'queued')"
        " FROM engagement_decision d LEFT JOIN engagement_message m ON m.decision_id = d.id"
        " WHERE d.run_id = %s",
        [clock.now(), clock.now(), run.pk],
    )[0]
    return "busy" if busy else "idle" if waiting else "done"


def next_moment(run: Any) -> dt.datetime:
    """When the next of those who wait may be reached; a transaction under way may have just changed it."""
    (moment,) = ask(
        "SELECT min(CASE WHEN d.state = 1 THEN d.due_at ELSE m.due_at END)"
        " FROM engagement_decision d LEFT JOIN engagement_message m ON m.decision_id = d.id"
        " WHERE d.run_id = %s AND (d.state = 1 OR m.state = 'queued')",
        [run.pk],
    )[0]
    return max(moment or NOON, clock.now())


def some_say_no(run: Any, some: int) -> dict[int, dt.datetime]:
    """A few of those not yet reached withdraw their consent; the moment after it was committed."""
    from liuke.people.actions import change_consent

    left = ask(
        "SELECT DISTINCT person_id FROM engagement_decision WHERE run_id = %s AND state < 3",
        [run.pk],
    )
    said = {}
    for (person,) in chance.source().sample(left, min(some, len(left))):
        change_consent(
            person_id=person, channel="sms", purpose="marketing", is_given=False, basis="member"
        )
        said[person] = clock.now()
    return said


def tidy_up(shared: SharedClock) -> None:
    """What the tick does later: answers that nobody heard end as unknown."""
    from liuke.engagement.actions.recover import recover_unfinished
    from liuke.engagement.actions.runs import finish_runs

    shared.put_to(clock.now() + dt.timedelta(minutes=6))
    recover_unfinished()
    finish_runs()


def damage(run: Any, said_no: dict[int, dt.datetime]) -> dict[str, Any]:
    """What went wrong, counted from both sides; every figure but `unknown` and `reasons` should be 0."""
    from liuke.engagement.invariants import invariants

    reasons = Counter(
        dict(
            ask(
                "SELECT reason, count(*) FROM engagement_decision"
                " WHERE run_id = %s AND state = 3 GROUP BY reason",
                [run.pk],
            )
        )
    )
    run.refresh_from_db()
    return {
        "duplicates": one("SELECT coalesce(sum(n - 1), 0)::int FROM"
                          " (SELECT count(*) AS n FROM bench_call GROUP BY reference) calls"),
        "lost": run.candidates - reasons.total() + one(
            "SELECT count(*) FROM engagement_message m WHERE m.state = 'accepted'"
            " AND NOT EXISTS (SELECT 1 FROM bench_call c WHERE c.reference = m.reference)"),
        "sent_unrecorded": one(
            "SELECT count(*) FROM bench_call c JOIN engagement_message m USING (reference)"
            " WHERE m.state NOT IN ('accepted', 'unknown')"),
        "at_night": at_night(),
        "after_a_no": after_a_no(said_no),
        "weeks_overlapping": one(
            "SELECT count(*) FROM engagement_contact a JOIN engagement_contact b ON a.person_id = b.person_id"
            " AND a.id < b.id AND a.during && b.during WHERE a.given_back_at IS NULL AND b.given_back_at IS NULL"),
        "promises_broken": sum(one(f"SELECT count(*) FROM ({p.sql}) broken") for p in invariants()),
        "run": run.state,
        "said_no": len(said_no),
        "unknown": reasons["unknown"],
        "reasons": dict(sorted(reasons.items())),
    }  # fmt: skip


def at_night() -> int:
    """Calls at a moment at which the member may not be reached, by the clocks of their zone."""
    from liuke.engagement import queries
    from liuke.engagement.gate import hours_for

    calls = ask(
        "SELECT c.at, p.time_zone, p.quiet_from, p.quiet_until FROM bench_call c"
        " JOIN engagement_message m USING (reference) JOIN people_member p ON p.id = m.person_id"
    )
    policy = queries.policy()
    return sum(not hours_for(policy, *habit).allow(at) for at, *habit in calls)


def after_a_no(said_no: dict[int, dt.datetime]) -> int:
    """Messages marked for sending after their person's no was committed, and sent."""
    sent = ask(
        "SELECT m.person_id, m.began_at FROM bench_call JOIN engagement_message m USING (reference)"
    )
    return sum(person in said_no and began_at > said_no[person] for person, began_at in sent)


# The rates ----------------------------------------------------------------------------------------


def rates(count: int) -> dict[str, Any]:
    """Messages a second, by one process: to an outside sink, and into the inbox."""
    with clock.stopped_at(NOON):
        outside, inbox = (send_all(members(count, key, key), key) for key in ("sms", "inbox"))
    bare = bare_queue(count)
    return {
        "sends_per_second": round(outside),
        "inbox_per_second": round(inbox),
        "yardstick_per_second": round(bare),
        "ratio_to_yardstick": round(outside / bare, 2),
    }


def send_all(source: Any, channel: str) -> float:
    from liuke.engagement.actions.decide import decide_due
    from liuke.engagement.actions.send import send_due
    from liuke.engagement.channels import OUTSIDE

    OUTSIDE["sms"] = Sink()
    run = start(source, channel)
    while decide_due():
        pass
    began, sent = time.perf_counter(), 0
    while some := send_due():
        sent += some
    assert sent == one("SELECT count(*) FROM engagement_message m JOIN engagement_decision d"
                       f" ON d.id = m.decision_id WHERE d.run_id = {run.pk} AND m.state = 'accepted'")  # fmt: skip
    return sent / (time.perf_counter() - began)


def bare_queue(count: int) -> float:
    """The same three steps with nothing checked: as many rows are marked, called for, and marked again."""
    from liuke.engagement.actions.send import HANDS

    take = (
        "UPDATE bench_queue SET state = 'sending' WHERE id IN (SELECT id FROM bench_queue"
        f" WHERE state = 'queued' ORDER BY id LIMIT {HANDS} FOR UPDATE SKIP LOCKED) RETURNING id"
    )
    with psycopg.connect(child_url(), autocommit=True) as own:
        own.execute(
            "INSERT INTO bench_queue SELECT n, 'queued' FROM generate_series(1, %s) n", [count]
        )
        own.execute("CREATE INDEX ON bench_queue (id) WHERE state = 'queued'")
        began, sink = time.perf_counter(), Sink()
        while rows := own.execute(take).fetchall():
            for _ in rows:
                sink.send(Named)
            own.execute(
                "UPDATE bench_queue SET state = 'accepted' WHERE id = ANY(%s)",
                [[row_id for (row_id,) in rows]],
            )
        return count / (time.perf_counter() - began)


class Named:
    reference = "a message"


# ----------------------------------------------------------------------------------------------------


def sql(statement: str, *each: tuple[Any, ...]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.executemany(statement, each)


def ask(question: str, values: list[Any] | None = None) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return list(cursor.fetchall())


def one(question: str) -> int:
    return int(ask(question)[0][0])


def run(*, full: bool) -> dict[str, Any]:
    """The storm, then the rates."""
    count = FULL if full else SHORT
    return {**storm(count, kills=150 if full else 20), **rates(count)}


@contextlib.contextmanager
def throwaway_site() -> Iterator[None]:
    """Django on a database of its own."""
    with throwaway():
        os.environ["DJANGO_SETTINGS_MODULE"] = "liuke.project.settings"
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        yield
        connection.close()
        connection.close_pool()


def main(words: list[str]) -> dict[str, Any]:
    """`--full`, or a storm alone: `--storm MEMBERS KILLS [--careless]`."""
    with throwaway_site():
        if "--storm" in words:
            return storm(int(words[1]), kills=int(words[2]), is_careless="--careless" in words)
        return run(full="--full" in words)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        raise_children(partial(work, sys.argv[2], "--careless" in sys.argv))
    else:
        print(json.dumps(main(sys.argv[1:]), indent=2))
