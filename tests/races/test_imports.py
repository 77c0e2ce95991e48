"""Two imports at once, a killed import, a lost database: all of a file or nothing, and never twice."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.databases import run_liuke, start_liuke

pytestmark = [pytest.mark.race, pytest.mark.django_db]
ROWS = 9_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    lines = (f"m{n % 3000},2026-01-{n % 28 + 1:02} 10:00:00,{n % 900}.50" for n in range(ROWS))
    path.write_text("member,at,amount\n" + "\n".join(lines) + "\n")
    return path


def counted(url: str) -> tuple[int, int, int]:
    """Purchases, members, imports."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM analytics_purchase), (SELECT count(*) FROM people_member),"
            " (SELECT count(*) FROM analytics_import)"
        ).fetchone()
    assert row is not None
    return row


def test_control_without_the_identity_two_writers_take_the_same_order_twice(spare: str) -> None:
    """Check-then-insert, as the peers do it: both look, neither sees, both write."""
    with psycopg.connect(spare) as setup:
        setup.execute("ALTER TABLE analytics_purchase DROP CONSTRAINT one_purchase_per_digest")
        member = setup.execute(
            "INSERT INTO people_member (id, person_id, reference, source, external_id, enrolled_at)"
            " VALUES (1, 1, '222222222222', 'main', 'm', '2026-01-01') RETURNING id"
        ).fetchone()
    assert member is not None
    both_have_looked = threading.Barrier(2)
    digest = 1

    def take() -> None:
        with psycopg.connect(spare) as own:
            known = own.execute(
                "SELECT 1 FROM analytics_purchase WHERE digest = %s", [digest]
            ).fetchone()
            both_have_looked.wait(timeout=10)
            if not known:
                own.execute(
                    'INSERT INTO analytics_purchase (member_id, digest, at, "on", amount_fen, quantity)'
                    " VALUES (%s, %s, '2026-01-01', '2026-01-01', 100, 1)",
                    [member[0], digest],
                )

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(spare)[0] == 2, "the race is real: this is what the guard prevents"


def test_the_same_file_imported_three_times_at_once_is_taken_once(spare: str, log: Path) -> None:
    running = [start_liuke(spare, "import", "orders", log, "--yes", "--json") for _ in range(3)]
    told = []
    for process in running:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        told.append(json.loads(out))
    assert counted(spare) == (ROWS, 3000, 3)
    assert sorted(each["orders_new"] for each in told) == [0, 0, ROWS]
    assert sorted(each["members_new"] for each in told) == [0, 0, 3000]
    code, out, _ = run_liuke(spare, "audit", "--json")
    assert (code, json.loads(out)["clean"]) == (0, True)


def caught(
    url: str, process: subprocess.Popen[str], statement: str, then: Callable[[int], object]
) -> None:
    """Wait until the process's server runs that statement, then act on the server process's id."""
    deadline = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as other:
        while time.monotonic() < deadline and process.poll() is None:
            row = other.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE %s",
                [f"%{statement}%"],
            ).fetchone()
            if row:
                then(row[0])
                return
    raise AssertionError(f"never caught at {statement}")


@pytest.mark.parametrize("table", ["people_member", "analytics_purchase", "analytics_member_facts"])
def test_an_import_killed_at_any_step_leaves_all_or_nothing_and_can_be_repeated(
    spare: str, log: Path, table: str
) -> None:
    with psycopg.connect(
        spare
    ) as holder:  # held at its first write to the table, then killed there
        holder.execute(f"LOCK TABLE {table} IN SHARE MODE")
        process = start_liuke(spare, "import", "orders", log, "--yes", "--json")
        wait_for(
            spare, "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
        )
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    wait_until_alone(spare)
    kept = (ROWS, 3000, 1) if table == "analytics_member_facts" else (0, 0, 0)
    assert counted(spare) == kept, "all or nothing; only counting comes after the commit"
    code, out, err = run_liuke(spare, "import", "orders", log, "--yes", "--json")
    assert code == 0, err
    assert json.loads(out)["orders_new"] + kept[0] == ROWS
    assert json.loads(run_liuke(spare, "audit", "--json")[1])["clean"] is True


def wait_for(url: str, question: str) -> None:
    """Until the database answers yes."""
    deadline = time.monotonic() + 60
    with psycopg.connect(url, autocommit=True) as other:
        while time.monotonic() < deadline:
            if other.execute(question).fetchone() == (True,):
                return
            time.sleep(0.02)
    raise AssertionError(question)


def wait_until_alone(url: str) -> None:
    """A killed client's server process may finish its statement before it notices."""
    wait_for(
        url,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )


def test_a_database_that_goes_away_mid_import_is_one_sentence_and_no_order(
    spare: str, log: Path
) -> None:
    def cut(pid: int) -> None:
        with psycopg.connect(spare, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    process = start_liuke(spare, "import", "orders", log, "--yes")
    caught(spare, process, "COPY staged_line", cut)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1].startswith("The database went away")
    assert counted(spare) == (0, 0, 0)
    assert run_liuke(spare, "import", "orders", log, "--yes")[0] == 0
    assert counted(spare) == (ROWS, 3000, 1)
