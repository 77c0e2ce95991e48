"""How many entries a second does the book take, and is it straight afterwards?

Eight processes post for some seconds through the product's own `post`, each entry its own transaction: transfers
between two of 10,000 wallets, then payments that all move one platform account. The yardstick is pgbench's TPC-B with
eight clients on the same server (written out in psycopg where there is no pgbench); as pgbench is written in C, it also
calls the same SQL function, which tells what PostgreSQL does without our Python. Afterwards the audit reads it all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.database import throwaway

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = 8
WALLETS = 10_000
SCALE = 10
FILL = """
WITH opened AS (
    INSERT INTO ledger_account (kind, owner, asset, balance_fen)
    SELECT 'wallet', n::text, 'CNY', 0 FROM generate_series(1, %(wallets)s) n RETURNING id, owner
), bank AS (
    INSERT INTO ledger_account (kind, owner, asset) VALUES ('bank', '', 'CNY') RETURNING id
), entry AS (
    INSERT INTO ledger_entry (key, kind, about, at)
    SELECT 'fill:' || owner, 'fill', '', '2026-03-15Z' FROM opened RETURNING id, key
)
INSERT INTO ledger_leg (entry_id, account_id, amount_fen)
SELECT entry.id, opened.id, -1000000 FROM entry JOIN opened ON entry.key = 'fill:' || owner
UNION ALL SELECT entry.id, bank.id, 1000000 FROM entry, bank
"""
TPC_B = (
    "UPDATE pgbench_accounts SET abalance = abalance + %(delta)s WHERE aid = %(aid)s",
    "SELECT abalance FROM pgbench_accounts WHERE aid = %(aid)s",
    "UPDATE pgbench_tellers SET tbalance = tbalance + %(delta)s WHERE tid = %(tid)s",
    "UPDATE pgbench_branches SET bbalance = bbalance + %(delta)s WHERE bid = %(bid)s",
    "INSERT INTO pgbench_history (tid, bid, aid, delta) VALUES (%(tid)s, %(bid)s, %(aid)s, %(delta)s)",
)
TPC_B_TABLES = f"""
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
INSERT INTO pgbench_branches SELECT n, 0, '' FROM generate_series(1, {SCALE}) n;
INSERT INTO pgbench_tellers SELECT n, (n - 1) / 10 + 1, 0, '' FROM generate_series(1, {SCALE * 10}) n;
INSERT INTO pgbench_accounts SELECT n, (n - 1) / 100000 + 1, 0, '' FROM generate_series(1, {SCALE * 100000}) n;
"""
BY_PGBENCH = """
\\set giver random(1, 10000)
\\set key random(1, 9000000000000000000)
SELECT ledger_post('pgbench:' || :key, 'transfer', '', NULL, '2026-03-15Z', ARRAY['wallet', 'wallet'],
    ARRAY[:giver::text, (:giver % 10000 + 1)::text], ARRAY['CNY', 'CNY'], ARRAY[true, true], ARRAY[7, -7]::bigint[]);
"""


def transfer(number: int, turn: int) -> None:
    """From one wallet to another."""
    from liuke.base import chance
    from liuke.ledger import accounts
    from liuke.ledger.actions import Move, post

    giver, taker = chance.source().sample(range(1, WALLETS + 1), 2)
    move = Move(accounts.wallet(giver), accounts.wallet(taker), 7)
    post(key=f"transfer:{number}:{turn}", kind="transfer", moves=[move])


def payment(number: int, turn: int) -> None:
    """A gateway paid for a new order: every one of them moves the gateway's account."""
    from liuke.ledger import accounts
    from liuke.ledger.actions import Move, post

    order = f"LK{number}-{turn}"
    move = Move(accounts.gateway_clearing("sandbox"), accounts.escrow(order), 990)
    post(key=f"pay:{order}", kind="payment", moves=[move], about=order)


def tpc_b(number: int, turn: int) -> None:
    """The yardstick where there is no pgbench."""
    from django.db import connection, transaction

    from liuke.base import chance

    lot = chance.source()
    told = {
        "aid": lot.randint(1, SCALE * 100_000),
        "tid": lot.randint(1, SCALE * 10),
        "bid": lot.randint(1, SCALE),
        "delta": lot.randint(-5000, 5000),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in TPC_B:
            cursor.execute(statement, told)


WAYS: dict[str, Callable[[int, int], None]] = {
    "transfer": transfer,
    "payment": payment,
    "tpc_b": tpc_b,
}


def work(way: str, number: int, seconds: float) -> None:
    """A client: say ready, wait for the start, act until the time is over, say how often."""
    from django.db import connection

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    turns, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        WAYS[way](number, turns)
        turns += 1
    print(turns, flush=True)


def rate(url: str, way: str, seconds: float) -> float:
    """What all clients together do a second."""
    clients = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.ledger", "--work", way, str(n), str(seconds)],
            cwd=ROOT,
            env={**os.environ, "LIUKE_DATABASE_URL": url, "LIUKE_POOL": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(CLIENTS)
    ]
    for client in clients:
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    turns = sum(int(client.communicate()[0]) for client in clients)
    return turns / (time.perf_counter() - began)


def pgbench(url: str, *words: object) -> float:
    """Transactions a second of eight clients."""
    told = subprocess.run(
        ["pgbench", "-n", "-c", str(CLIENTS), "-j", "2", *map(str, words), url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    line = next(line for line in told.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def tpc_b_rate(url: str, seconds: float) -> float:
    """TPC-B on this server: by pgbench, or written out where there is none."""
    if not shutil.which("pgbench"):
        with psycopg.connect(url) as server:
            server.execute(TPC_B_TABLES)
        return rate(url, "tpc_b", seconds)
    subprocess.run(["pgbench", "-i", "-q", "-s", str(SCALE), url], check=True, capture_output=True)
    return pgbench(url, "-T", round(seconds))


def yardstick(url: str, seconds: float) -> dict[str, float]:
    """TPC-B, and what PostgreSQL alone makes of our function."""
    told = {"yardstick_tpc_b_per_second": round(tpc_b_rate(url, seconds))}
    if not shutil.which("pgbench"):
        return told
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(BY_PGBENCH)
        script.flush()
        by_pgbench = pgbench(url, "-T", round(seconds), "-f", script.name)
        return {**told, "posted_by_pgbench_per_second": round(by_pgbench)}


def audit() -> dict[str, Any]:
    """Whether every promise of the book holds, and how long reading it all takes."""
    from django.db import connection

    from liuke.base.audit import check
    from liuke.ledger import queries
    from liuke.ledger.models import Entry, Leg

    began = time.perf_counter()
    broken = [one.name for one in queries.invariants() if check(one).violations]
    seconds = time.perf_counter() - began
    connection.close()
    return {
        "entries": Entry.objects.count(),
        "legs": Leg.objects.count(),
        "broken_promises": broken,
        "audit_seconds": round(seconds, 2),
    }


def run(url: str, *, seconds: float) -> dict[str, Any]:
    """All of it, on an empty and migrated database."""
    with psycopg.connect(url) as server:
        server.execute(FILL, {"wallets": WALLETS})
    measured = yardstick(url, seconds)
    transfers = rate(url, "transfer", seconds)
    payments = rate(url, "payment", seconds)
    tpc = measured["yardstick_tpc_b_per_second"]
    return {
        "clients": CLIENTS,
        "transfers_per_second": round(transfers),
        "payments_on_one_account_per_second": round(payments),
        **measured,
        "ratio_to_yardstick": round(transfers / tpc, 2),
        **audit(),
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
        call_command("migrate", "ledger", verbosity=0)
        connection.close()
        connection.close_pool()
        yield url
        connection.close()
        connection.close_pool()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = "liuke.project.settings"
        import django

        django.setup()
        work(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        with throwaway_site() as site:
            told = run(site, seconds=6 if "--full" in sys.argv else 1)
            print(json.dumps(told, indent=2))
