"""Does anybody who paid go without, or get a key twice, when the database is killed in the middle of buying?

A real `liuke serve` with its own PostgreSQL, fsync on. Members buy from their wallets through HTTP while the server of
the database is killed with SIGKILL; the supervisor brings it back by itself. Whoever gets no answer, or an error, sends
the same form again, as people do. Then it is quiet, and nothing that was paid may be undelivered, no key be in two
hands, and the audit has to be clean. Seconds out of order are counted from the kill to the next order that is answered.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

from benchmarks.shoppers import (
    Shopper,
    backlog,
    broken_promises,
    keys_twice,
    seconds_until_done,
    shoppers,
    stock,
)
from benchmarks.site import Site, serving
from benchmarks.storm import CLIENTS, QUIET_SECONDS, counted, shop_on
from liuke.project.cluster import Cluster

SHORT_KILLS, FULL_KILLS = 2, 10
BUYING_SECONDS = 2.0  # before each kill
BACK_SECONDS = 60.0


def buy_until(people: list[Shopper], until: threading.Event, done: list[float]) -> None:
    """A client: order after order until told to stop; when each was answered."""
    while not until.is_set():
        for shopper in people:
            if until.is_set():
                return
            if shop_on(shopper, "wallet", time.monotonic() + BACK_SECONDS):
                done.append(time.monotonic())


def kill(site: Site, done: list[float]) -> float:
    """Kill the database; how many seconds until the next order was answered.

    Raises:
        TimeoutError: nothing came back by itself.
    """
    head = Cluster(site.home).postmaster()
    assert head is not None
    os.kill(head, signal.SIGKILL)
    began = time.monotonic()
    while time.monotonic() - began < BACK_SECONDS:
        time.sleep(0.02)
        if Cluster(site.home).postmaster() not in (None, head) and done and done[-1] > began + 0.5:
            return done[-1] - began
    raise TimeoutError("no order was answered any more")


def run(site: Site, kills: int) -> dict[str, Any]:
    """All of it, on a site that is empty."""
    from django.db import connection

    people = shoppers(stock(400 * kills), site.port, count=CLIENTS * 4, coupons=0)
    for shopper in people:
        shopper.open()
    connection.close()
    connection.close_pool()
    done: list[float] = []
    over = threading.Event()
    clients = [
        threading.Thread(target=buy_until, args=(people[n::CLIENTS], over, done), daemon=True)
        for n in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    out: list[float] = []
    for _ in range(kills):
        time.sleep(BUYING_SECONDS)
        out.append(kill(site, done))
    over.set()
    for client in clients:
        client.join(BACK_SECONDS)
    quiet = seconds_until_done(QUIET_SECONDS)
    return {
        "kills": kills,
        "orders_answered": len(done),
        **counted(),
        "seconds_out_of_order": [round(each, 1) for each in out],
        "quiet_after_seconds": quiet,
        **backlog(),
        "keys_twice": keys_twice(),
        "broken_promises": broken_promises(),
    }


if __name__ == "__main__":
    with serving() as one:
        print(json.dumps(run(one, FULL_KILLS if "--full" in sys.argv else SHORT_KILLS), indent=2))
