"""How fast is contested stock set aside, and is any card key sold twice?

Eight workers fight over the keys of one variant: together they try 100,000 times to hold one of 20,000 keys through the
product's own `hold_stock`, and take what they got with `take_stock`, in one transaction. Then the rows are counted: no
key in two holds, none gone without one, as many handed out as were won. The yardstick is the least that an order could
write: the same workers insert a row and add one to a row of their own, a commit each. The negative control is
look-then-mark without the guard.
"""

from __future__ import annotations

import contextlib
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
WORKERS = 8
TABLES = """
DROP TABLE IF EXISTS bench_plain, bench_counter, bench_key, bench_sale;
CREATE TABLE bench_plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, token text NOT NULL);
CREATE TABLE bench_counter (worker int PRIMARY KEY, n bigint NOT NULL);
CREATE TABLE bench_key (id int PRIMARY KEY, is_sold boolean NOT NULL DEFAULT false);
CREATE TABLE bench_sale (key_id int NOT NULL);
INSERT INTO bench_counter SELECT n, 0 FROM generate_series(0, 63) n;
"""
# What must be nothing, over the product's tables.
OVERSOLD = """
SELECT (SELECT count(*) FROM (SELECT line_id, seq FROM catalog_card_key WHERE line_id IS NOT NULL
                              GROUP BY line_id, seq HAVING count(*) > 1) twice)
     + (SELECT abs((SELECT count(*) FROM catalog_card_key WHERE state = 'delivered')
                   - (SELECT coalesce(sum(quantity), 0) FROM catalog_hold_line)))
     + (SELECT count(*) FROM catalog_card_key k LEFT JOIN catalog_hold_line l ON l.id = k.line_id
        WHERE k.state <> 'free' AND l.id IS NULL)
"""


def hold(token: str, _worker: int) -> bool:
    """The product's own way: set one aside, and hand it out."""
    from django.db import transaction

    from liuke.catalog.actions import hold_stock, take_stock
    from liuke.catalog.errors import OutOfStock
    from liuke.catalog.models import Variant

    global _variant
    _variant = _variant or Variant.objects.get().pk
    try:
        with transaction.atomic():
            hold_stock(token=token, wants=[(_variant, 1)], until=_far())
            take_stock(token=token)
    except OutOfStock:
        return False
    return True


def plain(token: str, worker: int) -> bool:
    """The yardstick."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_plain (token) VALUES (%s)", [token])
        cursor.execute("UPDATE bench_counter SET n = n + 1 WHERE worker = %s", [worker])
    return True


def look_then_mark(_token: str, _worker: int) -> bool:
    """The negative control: take the first key that looks free."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM bench_key WHERE NOT is_sold ORDER BY id LIMIT 1")
        found = cursor.fetchone()
        if found is None:
            return False
        cursor.execute("UPDATE bench_key SET is_sold = true WHERE id = %s", found)
        cursor.execute("INSERT INTO bench_sale VALUES (%s)", found)
    return True


_variant = 0
WAYS = {"hold": hold, "plain": plain, "unguarded": look_then_mark}


def _far() -> Any:
    import datetime as dt

    from liuke.base import clock

    return clock.now() + dt.timedelta(hours=1)


def work(way: str, worker: int, attempts: int) -> None:
    """A worker: say ready, wait for the start, try so often; say how often it won and after how long the last time."""
    from django.db import connection

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    began, last, won = time.perf_counter(), 0.0, 0
    for n in range(attempts):
        if WAYS[way](f"{worker}-{n}", worker):
            won, last = won + 1, time.perf_counter() - began
    print(won, last, flush=True)


def storm(url: str, way: str, attempts: int) -> tuple[int, float, float]:
    """Let the workers loose; how often they won together, seconds until the last time, seconds in all."""
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.stock",
                "--worker",
                way,
                str(n),
                str(attempts // WORKERS),
            ],
            cwd=ROOT,
            env={**os.environ, "LIUKE_DATABASE_URL": url, "LIUKE_POOL": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [worker.communicate()[0].split() for worker in workers]
    seconds = time.perf_counter() - began
    return sum(int(won) for won, _ in told), max(float(last) for _, last in told), seconds


def number(url: str, sql: str) -> int:
    """One number."""
    with psycopg.connect(url) as connection:
        row = connection.execute(sql).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


def run(url: str, *, attempts: int, keys: int) -> dict[str, Any]:
    """The storm, its checks, the yardstick and the negative control, on an empty and migrated database."""
    importing = _stock(keys)
    with psycopg.connect(url) as connection:
        connection.execute(TABLES)
        connection.execute(
            "INSERT INTO bench_key SELECT n FROM generate_series(1, %s) n", [keys // 10]
        )
    plain_done, plain_seconds, _ = storm(url, "plain", keys)
    won, selling, seconds = storm(url, "hold", attempts)
    unguarded, _, _ = storm(url, "unguarded", keys // 5)
    delivered = number(url, "SELECT count(*) FROM catalog_card_key WHERE state = 'delivered'")
    return {
        "attempts": attempts,
        "oversold": number(url, OVERSOLD) + abs(won - delivered) + max(won - keys, 0),
        "seconds": round(seconds, 2),
        "keys": keys,
        "sold": won,
        "allocations_per_second": round(won / selling),
        "refusals_per_second": round((attempts - won) / max(seconds - selling, 0.001)),
        "workers": WORKERS,
        "yardstick_per_second": round(plain_done / plain_seconds),
        "ratio_to_yardstick": round((won / selling) / (plain_done / plain_seconds), 2),
        "import_keys_per_second": round(keys / importing),
        "without_guard_sold": unguarded,
        "without_guard_sold_twice": number(
            url, "SELECT count(*) - count(DISTINCT key_id) FROM bench_sale"
        ),
    }


def _stock(keys: int) -> float:
    """A product with so many keys; the seconds it took to import them."""
    from liuke.catalog import actions, queries
    from liuke.merchants.actions import open_merchant

    merchant = open_merchant(name="bench", fee_permyriad=300, by=None)
    about = actions.About(scene=queries.scene_named("games"), title="原神 648")
    product = actions.make_product(merchant=merchant, kind="card_key", about=about, by=None)
    variant = actions.make_variant(
        product=product, name="标准版", price_fen=64_800, stock_kind="keys", by=None
    )
    content = "\n".join(f"KEY-{n:08}-{n * 7919 % 10**8:08}" for n in range(keys))
    began = time.perf_counter()
    actions.import_keys(variant=variant, content=content, by=None)
    return time.perf_counter() - began


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
        call_command("migrate", "catalog", verbosity=0)
        call_command("migrate", "events", verbosity=0)
        yield url
        connection.close()
        connection.close_pool()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = "liuke.project.settings"
        import django

        django.setup()
        work(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        with throwaway_site() as site:
            is_full = "--full" in sys.argv
            attempts = 100_000 if is_full else 2_000
            print(json.dumps(run(site, attempts=attempts, keys=attempts // 5), indent=2))
