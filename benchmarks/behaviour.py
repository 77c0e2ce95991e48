"""How many things that visitors did are taken in a second, and written, beside a bare COPY of the same rows?

A real `liuke serve`, told by browsers that keep their connections: bodies of twenty, half of them of members who are
signed in. `python -m benchmarks.behaviour [--full]`.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from typing import Any

import psycopg

from benchmarks.site import Site, load, serving, sign_in
from benchmarks.visitors import TIMEOUT_SECONDS

AGENT = "Mozilla/5.0 (Linux; Android 11; V2066A) AppleWebKit/537.36 Chrome/92.0.4515.131 Mobile Safari/537.36"
DONE, MEMBERS, BROWSERS = 20, 100, 4
TABLE = """
CREATE TABLE bench_behaviour (batch varchar(40), position smallint, at timestamptz, kind varchar(8), person_id bigint,
    visitor varchar(24), product varchar(16), variant varchar(16), text varchar(60), came_from varchar(60))
"""


ROW = (
    "visitor0000001-batch000000001\t1\t2026-03-15 04:00:00+00\tview\t\\N\tvisitor0000001"
    "\tABCDEFGHJKLM\t\t\tdirect\n"
)


class Browser:
    """One connection by which many visitors tell, each from an address of their own."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.line = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def tell(self, number: int, key: str) -> int:
        """Post one body; the status. Answers have no body."""
        now = int(time.time() * 1000)
        done = [["view", now - n, "ABCDEFGHJKLM", "", ""] for n in range(DONE)]
        told = {"v": f"visitor{number:07d}", "b": f"batch{number:09d}", "s": "direct", "e": done}
        body = json.dumps(told).encode()
        head = (
            f"POST /behaviour/ HTTP/1.1\r\nHost: {self.host}\r\nOrigin: http://{self.host}\r\n"
            f"User-Agent: {AGENT}\r\nX-Forwarded-For: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}\r\n"
            f"Cookie: member={key}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.line.sendall(head.encode("latin1") + body)
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            got += self.line.recv(4096) or b"HTTP/1.1 000 gone\r\n\r\n"
        return int(got.split(b" ", 2)[1])


def run(*, full: bool) -> dict[str, Any]:
    """Tell for some seconds, wait until all is written, and copy as many rows by hand."""
    with serving(LIUKE_PROXIES="1") as site:
        keys = _members()
        began, computed = time.perf_counter(), _computed(site)
        statuses = _tell(site, keys, seconds=30.0 if full else 10.0)
        told = time.perf_counter() - began
        accepted = statuses.count(204) * DONE
        written = _await_written(site, accepted)
        whole = time.perf_counter() - began
        computed = _computed(site) - computed
        memory = site.memory_mb()
        copied = _copy(site, accepted)
    return {
        "accepted_per_second": round(accepted / told),
        "written_per_second": round(written / whole),
        "cpu_ms_per_1000": round(computed / max(1, written) * 1e6, 1),
        "refused_bodies": len(statuses) - statuses.count(204),
        "lost": accepted - written,
        "yardstick_copy_per_second": round(copied),
        "ratio_to_yardstick": round(written / whole / copied, 2),
        "web_mb": memory.get("web", 0),
        "load": load(),
    }


def _members() -> list[str]:
    """Session keys of members, and "" for as many strangers."""
    from django.db import transaction

    from liuke.people.actions import enrol
    from liuke.people.models import Member

    with transaction.atomic():
        enrol(source="site", names=[f"1990000{n:04}" for n in range(MEMBERS)])
    keys = [sign_in(member) for member in Member.objects.filter(source="site")]
    return keys + [""] * len(keys)


def _tell(site: Site, keys: list[str], seconds: float) -> list[int]:
    statuses: list[int] = []
    until = time.perf_counter() + seconds

    def work(first: int) -> None:
        browser, number = Browser(site.port), first
        while time.perf_counter() < until:
            statuses.append(browser.tell(number, keys[number % len(keys)]))
            number += BROWSERS
        browser.line.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(BROWSERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def _computed(site: Site) -> float:
    """Seconds that the site has computed: what it could do alone, on a machine that is shared."""
    return site.cpu_seconds("web") + site.cpu_seconds("postgres")


def _await_written(site: Site, wanted: int) -> int:
    until, written = time.perf_counter() + TIMEOUT_SECONDS, 0
    while written < wanted and time.perf_counter() < until:
        time.sleep(0.2)
        with psycopg.connect(site.database) as raw:
            written = raw.execute("SELECT count(*) FROM analytics_behaviour").fetchone()[0]  # type: ignore[index]
    return int(written)


def _copy(site: Site, rows: int) -> float:
    """Rows a second of one COPY into a table without keys or checks."""
    with psycopg.connect(site.database) as raw:
        raw.execute(TABLE)
        block, began = ROW * 1000, time.perf_counter()
        with raw.cursor().copy("COPY bench_behaviour FROM STDIN") as copy:
            for _ in range(max(1, rows // 1000)):
                copy.write(block)
        raw.commit()
        return max(1, rows // 1000) * 1000 / (time.perf_counter() - began)


if __name__ == "__main__":
    print(json.dumps(run(full="--full" in sys.argv), indent=2))
