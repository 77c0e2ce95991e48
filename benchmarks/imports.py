"""How fast does a million orders come in, and how much memory does it take?

The yardstick is PostgreSQL's own COPY of the same file into an unindexed table of text, run beside it: what the
product adds is reading, checking, enrolling members, refusing doubles, indexes and running figures.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.database import throwaway

MEMBERS_SHARE = 5


def write_log(path: Path, rows: int) -> None:
    """A plain log with a skewed number of orders a member, two decimals, over three years."""
    import numpy as np

    chance = np.random.default_rng(1)
    members = (chance.pareto(1.2, rows) * rows / 50).astype(int) % (rows // MEMBERS_SHARE)
    days = chance.integers(0, 1095, rows)
    seconds = chance.integers(0, 86_400, rows)
    amounts = chance.gamma(2.0, 2500.0, rows).astype(int)
    start = np.datetime64("2023-01-01")
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["member", "at", "amount", "order", "item", "quantity"])
        for n in range(rows):
            clock = f"{seconds[n] // 3600:02}:{seconds[n] // 60 % 60:02}:{seconds[n] % 60:02}"
            writer.writerow(
                [
                    f"u{members[n]}",
                    f"{start + days[n]} {clock}",
                    f"{amounts[n] / 100:.2f}",
                    f"LK{n:09}",
                    f"card {n % 97}",
                    1,
                ]
            )


def yardstick(url: str, path: Path) -> float:
    """Seconds PostgreSQL takes to COPY the file into a table of text."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bare (m text, a text, f text, o text, i text, q text)")
        began = time.perf_counter()
        with (
            path.open("rb") as stream,
            cursor.copy("COPY bare FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            while block := stream.read(1 << 16):
                copy.write(block)
        return time.perf_counter() - began


def run_liuke(url: str, *words: object) -> tuple[dict[str, Any], float, int]:
    """A command in a process of its own: its JSON, wall seconds and peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "liuke", *map(str, words)],
        env={**os.environ, "LIUKE_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return json.loads(done.stdout), seconds, max(peak, before.ru_maxrss) // 1024


def run(*, full: bool) -> dict[str, Any]:
    """Import a million orders (a hundredth when short), import them again, and draw the report."""
    rows = 1_000_000 if full else 10_000
    with tempfile.TemporaryDirectory() as folder, throwaway() as url:
        path = Path(folder) / "orders.csv"
        write_log(path, rows)
        run_liuke(url, "audit", "--json")  # the tables of a new database are not part of the figure
        told, seconds, peak = run_liuke(url, "import", "orders", path, "--yes", "--json")
        again, again_seconds, _ = run_liuke(url, "import", "orders", path, "--yes", "--json")
        retained, retain_seconds, retain_peak = run_liuke(url, "retain", "--json")
        bare = yardstick(url, path)
    return {
        "orders": told["orders_new"],
        "members": told["members"],
        "import_seconds": round(seconds, 2),
        "rows_per_second": round(rows / seconds),
        "import_peak_mb": peak,
        "again_new_orders": again["orders_new"],
        "again_seconds": round(again_seconds, 2),
        "retain_seconds": round(retain_seconds, 2),
        "retain_peak_mb": retain_peak,
        "retained_orders": retained["orders"],
        "yardstick_copy_seconds": round(bare, 2),
        "times_the_yardstick": round(seconds / bare, 1),
    }


if __name__ == "__main__":
    print(json.dumps(run(full="--full" in sys.argv), indent=2))
