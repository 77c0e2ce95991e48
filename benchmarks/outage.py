"""Does anybody who paid go without, or get a key twice, when the database or the whole site is killed while they buy?

A real `liuke serve` with its own PostgreSQL, fsync on. Members buy from their wallets through HTTP while, in turns, the
server of the database is killed with SIGKILL, which the supervisor brings back by itself, and the supervisor, with
which everything goes and which is started again, as systemd does. Whoever gets no answer, or an error, sends the same
form again, as people do. Then it is quiet, and nothing that was paid may be undelivered, no key be in two hands, and
the audit has to be clean. Seconds out of order are counted from the kill to the next order that is answered.
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


def kill_database(site: Site) -> None:
    """Its supervisor will see."""
    head = Cluster(site.home).postmaster()
    assert head is not None
    os.kill(head, signal.SIGKILL)


def kill_supervisor(site: Site) -> None:
    """And start it again."""
    site.process.kill()
    site.start_again()


def seconds_out(done: list[float], began: float) -> float:
    """How many seconds after a kill an order was answered that cannot have been under way.

    Raises:
        TimeoutError: nothing came back.
    """
    while time.monotonic() - began < BACK_SECONDS:
        time.sleep(0.02)
        if done and done[-1] > began + 0.5:
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
    out: dict[str, list[float]] = {"database": [], "supervisor": []}
    for number in range(kills):
        time.sleep(BUYING_SECONDS)
        began = time.monotonic()
        (kill_supervisor if number % 2 else kill_database)(site)
        out["supervisor" if number % 2 else "database"].append(round(seconds_out(done, began), 1))
    over.set()
    for client in clients:
        client.join(BACK_SECONDS)
    quiet = seconds_until_done(QUIET_SECONDS)
    return {
        "kills": kills,
        "orders_answered": len(done),
        **counted(),
        "seconds_out_of_order": out,
        "quiet_after_seconds": quiet,
        **backlog(),
        "keys_twice": keys_twice(),
        "broken_promises": broken_promises(),
    }


if __name__ == "__main__":
    with serving() as one:
        print(json.dumps(run(one, FULL_KILLS if "--full" in sys.argv else SHORT_KILLS), indent=2))
