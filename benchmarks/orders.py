"""How many orders a second go from placed to delivered, through HTTP, and how soon does who paid have the key?

A real `liuke serve` with its own PostgreSQL. Members who signed in send the form of the sheet, with its token and a
coupon, and pay from the wallet: the answer comes when the key is theirs. Then twenty orders a second come, at their own
pace, by way of the gateway, whose signed notice hands over: measured from the moment it is sent to the news that the
goods are there, heard from the database. The same order by the actions alone tells what HTTP adds. The yardstick is
pgbench's TPC-B on the same server in the same run.
"""

from __future__ import annotations

import itertools
import json
import secrets
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks.ledger import tpc_b_rate
from benchmarks.shoppers import (
    Goods,
    Shopper,
    backlog,
    broken_promises,
    keys_twice,
    seconds_until_done,
    shoppers,
    stock,
)
from benchmarks.site import Site, free_port, load, serving
from benchmarks.visitors import pace, part
from liuke.interfaces.sandbox.notices import send

CLIENTS, COUPONS_EACH = 6, 10
PACE_PER_SECOND = 20
CATCH_UP_SECONDS = 5.0


@dataclass
class Ear:
    """Hears from the database which orders moved, and looks when one has its goods."""

    url: str
    came: dict[str, float] = field(default_factory=dict)  # number → when its goods were there
    ready: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        with (
            psycopg.connect(self.url, autocommit=True) as line,
            psycopg.connect(self.url, autocommit=True) as other,
        ):
            line.execute("LISTEN liuke_live")
            self.ready.set()
            while not self.stop.is_set():
                for told in line.notifies(timeout=0.2):
                    self._look(other, told.payload)

    def _look(self, line: psycopg.Connection, topic: str) -> None:
        heard = time.perf_counter()
        kind, _, row = topic.partition(":")
        found = line.execute(
            "SELECT reference FROM orders_order WHERE id = %s AND state = 'delivered'", [int(row)]
        ).fetchone()
        if kind == "order" and found:
            self.came.setdefault(found[0], heard)


class Teller:
    """Says what a gateway would: its own notifier sends one after the other."""

    def __init__(self, site: Site) -> None:
        from liuke.interfaces.sandbox.signing import open_keys

        self.address = f"{site.url}/pay/notify/sandbox/"
        self.keys = open_keys(site.home.path / "sandbox")

    def notice(self, number: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of the notice that an order was paid."""
        from django.db import connection

        from liuke.base import clock
        from liuke.payments.gateways.sandbox import APP_ID, SELLER
        from liuke.payments.models import Payment

        payment = Payment.objects.get(order__reference=number)
        connection.close()  # more threads than the pool has
        trade = {
            "reference": payment.reference,
            "trade_no": f"SB{payment.reference}",
            "state": "paid",
            "amount": payment.amount_fen,
            "currency": payment.currency,
            "seller": SELLER,
            "app_id": APP_ID,
            "paid_at": clock.now().isoformat(),
        }
        told = {"id": f"N{payment.reference}", "event": "trade.paid", "trade": trade}
        body = json.dumps(told).encode()
        moment, nonce = str(int(clock.now().timestamp())), secrets.token_hex(16)
        headers = {
            "Content-Type": "application/json",
            "X-Sandbox-Serial": self.keys.serial,
            "X-Sandbox-Timestamp": moment,
            "X-Sandbox-Nonce": nonce,
            "X-Sandbox-Signature": self.keys.sign(f"{moment}\n{nonce}\n".encode() + body + b"\n"),
        }
        return headers, body


def at_full_speed(site: Site, people: list[Shopper], seconds: float) -> dict[str, Any]:
    """Orders paid from the wallet, each client with its next one as soon as the last is delivered."""
    mine = [itertools.cycle(people[n::CLIENTS]) for n in range(CLIENTS)]

    def buy(number: int) -> None:
        next(mine[number]).buy("wallet")

    pace(buy, clients=CLIENTS, seconds=0.5)
    before = site.cpu_seconds("web")
    seen = pace(buy, clients=CLIENTS, seconds=seconds)
    cpu_ms = (site.cpu_seconds("web") - before) / (seen.per_second * seconds) * 1000
    return {
        "orders_per_second": round(seen.per_second, 1),
        "order_p50_ms": round(seen.p50_ms, 1),
        "order_p99_ms": round(seen.p99_ms, 1),
        "web_cpu_ms_an_order": round(cpu_ms, 1),
        "backlog_at_the_end": backlog(),
        "backlog_gone_after_seconds": seconds_until_done(CATCH_UP_SECONDS * 6),
        "load": load(),
    }


def at_a_pace(site: Site, people: list[Shopper], seconds: float) -> dict[str, Any]:
    """Orders paid at the gateway, PACE_PER_SECOND of them whatever becomes of those before."""
    ear, tell = Ear(site.database), Teller(site)
    listener = threading.Thread(target=ear.listen, daemon=True)
    listener.start()
    ear.ready.wait(10)
    paid: dict[str, float] = {}
    late = 0.0

    def one(shopper: Shopper) -> str:
        number = shopper.buy("sandbox")
        headers, body = tell.notice(number)
        paid[number] = time.perf_counter()
        status = send(tell.address, headers, body)
        assert status == 200, status
        return number

    count, began = round(PACE_PER_SECOND * seconds), time.perf_counter()
    with ThreadPoolExecutor(24) as pool:
        given = []
        for n in range(count):
            wait = began + n / PACE_PER_SECOND - time.perf_counter()
            late = max(late, -wait)
            time.sleep(max(0.0, wait))
            given.append(pool.submit(one, people[n % len(people)]))
        numbers = [each.result() for each in given]
    took = time.perf_counter() - began
    seconds_until_done(CATCH_UP_SECONDS * 6)
    time.sleep(0.5)
    ear.stop.set()
    listener.join()
    waits = [ear.came[number] - paid[number] for number in numbers if number in ear.came]
    return {
        "paced_orders": count,
        "paced_per_second": round(count / took, 1),
        "paid_to_readable_p50_ms": round(part(waits, 0.5)),
        "paid_to_readable_p99_ms": round(part(waits, 0.99)),
        "paced_without_goods": count - len(waits),
        "paced_load": load(),
        **readable(people, numbers),
    }


def readable(people: list[Shopper], numbers: list[str]) -> dict[str, Any]:
    """Whether those who paid last really are shown a key of ours."""
    shown = 0
    known = set(people[0].goods.keys)
    for n in range(max(0, len(numbers) - 5), len(numbers)):
        page = people[n % len(people)].show_key(numbers[n])
        shown += any(key in page for key in known)
    return {"keys_shown_of_5": shown}


def by_actions(people: list[Shopper], seconds: float) -> float:
    """Orders a second through the actions, by one thread of this process, without a coupon less."""
    from liuke.delivery.actions import deliver_order
    from liuke.orders.actions import place_order
    from liuke.payments.actions import pay_from_wallet

    done, began = 0, time.perf_counter()
    for shopper in itertools.cycle(people):
        if time.perf_counter() - began > seconds:
            break
        form = shopper.form("wallet")
        order = place_order(
            member=shopper.member,
            wants=[(form["v"], 1)],
            form={},
            key=form["key"],
            expected_fen=int(form["expected"]),
            coupon_ref=form["coupon"] or None,
        )
        pay_from_wallet(order=order)
        deliver_order(order_id=order.pk)
        done += 1
    return done / (time.perf_counter() - began)


def run(site: Site, *, seconds: float, keys: int) -> dict[str, Any]:
    """All of it, on a site that is empty."""
    goods: Goods = stock(keys)
    people = shoppers(goods, site.port, count=keys // 12, coupons=COUPONS_EACH)
    for shopper in people:
        shopper.open()
    tpc_b = tpc_b_rate(site.database, seconds)
    told = at_full_speed(site, people, seconds)
    told |= at_a_pace(site, people, seconds)
    told["actions_per_second"] = round(by_actions(people, seconds / 2), 1)
    told["yardstick_tpc_b_per_second"] = round(tpc_b)
    told["orders_for_one_tpc_b"] = f"1/{round(tpc_b / told['orders_per_second'])}"
    seconds_until_done(CATCH_UP_SECONDS)
    return {
        **told,
        "delivered": _delivered(),
        "keys_twice": keys_twice(),
        "broken_promises": broken_promises(),
        "memory_mb": site.memory_mb(),
    }


def _delivered() -> int:
    from liuke.orders.models import Order

    return Order.objects.filter(state="delivered").count()


if __name__ == "__main__":
    is_full = "--full" in sys.argv
    with serving("wallet,sandbox", LIUKE_SANDBOX_URL=f"http://127.0.0.1:{free_port()}") as one:
        told = run(one, seconds=12 if is_full else 3, keys=2_400 if is_full else 600)
        print(json.dumps(told, indent=2))
