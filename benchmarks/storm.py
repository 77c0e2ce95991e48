"""Does anybody who paid go without, or get a key twice, while the site is killed again and again?

Members buy through HTTP, from their wallets and at the gateway, while every 250 ms one of the site's two kinds of
processes, the web server or the worker, is killed with SIGKILL in the middle of whatever it does. New ones are forked
from a process that has loaded everything, because nothing can be killed often that takes seconds to come back. Whoever
gets no answer sends the same form again, as people do. Then it is quiet: the gateway tells again what it was not heard
with, and after 30 s nothing that was paid may be undelivered, no key be in two hands, and the audit has to be clean.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.database import throwaway
from benchmarks.nursery import Nursery, raise_children
from benchmarks.shoppers import (
    Shopper,
    backlog,
    broken_promises,
    keys_twice,
    seconds_until_done,
    shoppers,
    stock,
)
from benchmarks.site import django, free_port, load
from liuke.base import chance

KILL_EVERY_SECONDS = 0.25
CLIENTS = 6
QUIET_SECONDS = 30.0
SHORT_SECONDS, FULL_SECONDS = 8.0, 60.0


def warm_pages() -> None:
    """Load what the first visitor would wait for."""
    from django.template.loader import get_template
    from django.urls import get_resolver
    from granian.server.embed import Server  # noqa: F401

    from liuke.project import asgi  # noqa: F401

    assert get_resolver().url_patterns
    for name in ("sheet", "order", "to_gateway", "pay"):
        get_template(f"store/{name}.html")


def serve_pages(port: int, stop: threading.Event) -> None:
    """The web server in this process: the application that `liuke serve` runs, on the same server."""
    from granian.constants import Interfaces
    from granian.server.embed import Server

    from liuke.project.asgi import application

    threading.Thread(target=lambda: (stop.wait(), os._exit(0)), daemon=True).start()
    server = Server(
        application, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
    )
    asyncio.run(server.serve())


def run_worker(stop: threading.Event) -> None:
    """The worker as `liuke worker` runs it: jobs and the dispatcher."""
    from liuke.project import processes

    ours = processes.Stop()
    threading.Thread(target=lambda: (stop.wait(), ours.ask()), daemon=True).start()
    processes.worker(ours)


def shop_on(shopper: Shopper, way: str, until: float) -> str | None:
    """One order, its form sent again until somebody answers; None when the time was over before."""
    form = shopper.form(way)
    while time.monotonic() < until:
        with contextlib.suppress(OSError, AssertionError):
            number = shopper.send(form)
            if way == "sandbox":
                shopper.pay(number)
            return number
        time.sleep(0.05)
    return None


def buy_until(people: list[Shopper], until: float, done: list[str]) -> None:
    """A client: order after order, from the wallet and at the gateway in turn."""
    ways = itertools.cycle(("wallet", "sandbox"))
    for shopper in itertools.cycle(people):
        if time.monotonic() >= until:
            break
        number = shop_on(shopper, next(ways), until)
        if number:
            done.append(number)


def fight(nurseries: list[Nursery], until: float) -> int:
    """Kill one or the other, start it again at once; how often."""
    lot, kills = chance.source(), 0
    while time.monotonic() < until:
        time.sleep(KILL_EVERY_SECONDS)
        nursery = lot.choice(nurseries)
        nursery.kill(0)
        nursery.start()
        kills += 1
    return kills


@contextlib.contextmanager
def gateway() -> Iterator[None]:
    """The sandbox in a thread of this process: it is not ours to kill."""
    from django.conf import settings

    from liuke.interfaces.sandbox.server import serve

    folder = Path(settings.LIUKE_HOME) / "sandbox"
    run = partial(serve, folder, settings.LIUKE_SANDBOX_URL, lambda _line: None)
    threading.Thread(target=run, daemon=True).start()
    yield


def storm(port: int, *, seconds: float, keys: int) -> dict[str, Any]:
    """The whole of it, on an empty and migrated database."""
    goods = stock(keys)
    people = shoppers(goods, port, count=CLIENTS * 4, coupons=10)
    with (
        gateway(),
        Nursery("benchmarks.storm", "--web", str(port)) as web,
        Nursery("benchmarks.storm", "--worker") as worker,
    ):
        web.start()
        worker.start()
        open_sheets(people)
        done: list[str] = []
        until = time.monotonic() + seconds
        clients = [
            threading.Thread(target=buy_until, args=(people[n::CLIENTS], until, done), daemon=True)
            for n in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        kills = fight([web, worker], until)
        for client in clients:
            client.join(60)
        quiet = seconds_until_done(QUIET_SECONDS, left)
        still = left()
    return {
        "seconds": seconds,
        "kills": kills,
        "load": load(),
        "orders_answered": len(done),
        **counted(),
        "quiet_after_seconds": quiet,
        **still,
        "keys_twice": keys_twice(),
        "broken_promises": broken_promises(),
    }


def left() -> dict[str, int]:
    """What is not done yet, with the payments that the gateway has and the site has not heard of."""
    from django.conf import settings

    from liuke.interfaces.sandbox.trades import Trades
    from liuke.payments.models import Payment

    told = Trades(Path(settings.LIUKE_HOME) / "sandbox" / "trades.jsonl").not_notified()
    unheard = Payment.objects.filter(state="open", reference__in=[each.reference for each in told])
    return {**backlog(), "paid_unheard": unheard.count()}


def open_sheets(people: list[Shopper]) -> None:
    """Everybody opens the sheet once, as soon as the server is there."""
    for shopper in people:
        for _ in range(200):
            with contextlib.suppress(OSError):
                shopper.open()
                break
            time.sleep(0.1)


def counted() -> dict[str, int]:
    """Orders by state."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT state, count(*) FROM orders_order GROUP BY state ORDER BY state")
        return {f"orders_{state}": count for state, count in cursor.fetchall()}


@contextlib.contextmanager
def throwaway_site(port: int) -> Iterator[None]:
    """Django on a database of its own, with wallet and gateway offered."""
    os.environ |= {
        "LIUKE_LOG": "CRITICAL",
        "LIUKE_GATEWAYS": "wallet,sandbox",
        "LIUKE_SITE_URL": f"http://127.0.0.1:{port}",
        "LIUKE_SANDBOX_URL": f"http://127.0.0.1:{free_port()}",
        "DJANGO_SETTINGS_MODULE": "liuke.project.settings",
    }
    with throwaway() as url:
        os.environ["LIUKE_DATABASE_URL"] = url
        with django():
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            yield


def main(words: list[str]) -> dict[str, Any]:
    """`--full`, or so many `--seconds`."""
    seconds = FULL_SECONDS if "--full" in words else SHORT_SECONDS
    if "--seconds" in words:
        seconds = float(words[words.index("--seconds") + 1])
    port = free_port()
    with throwaway_site(port):
        return storm(port, seconds=seconds, keys=max(300, round(40 * seconds)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--web"]:
        raise_children(partial(serve_pages, int(sys.argv[2])), warm_pages)
    elif sys.argv[1:2] == ["--worker"]:
        raise_children(run_worker)
    else:
        print(json.dumps(main(sys.argv[1:]), indent=2))
