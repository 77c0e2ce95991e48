"""How many pages of the shop does one web process answer a second, to members and to strangers?

A list of 24 products out of 30, as `liuke serve` answers it over HTTP: to members who signed in and have bought before,
and to strangers, for whom it is made once. The yardstick is the same server's shortest answer (`/healthz`), which goes
through the same threads and the same middleware: what remains is the page. In the end, memory of the idle site.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.site import Site, load, serving, sign_in
from benchmarks.visitors import Visitor, pace

CLIENTS, PRODUCTS = 4, 30
LIST = "/shop/?scene=games"


def stock_shop() -> list[Any]:
    """A shop with enough in one scene, and members who bought in it."""
    from tests.delivery import make as delivery
    from tests.orders import make

    seller = make.merchant()
    variants = [
        make.product(
            seller, title=f"Coins {n}", subject=f"Game {n % 7}", subtitle="by key", stock=20
        )
        for n in range(PRODUCTS)
    ]
    members = [make.member() for _ in range(CLIENTS)]
    for member in members:
        delivery.paid(make.order(variants[0], of=member))
    return members


def measure(site: Site, members: list[Any], seconds: float) -> dict[str, Any]:
    """The rates, one after the other, each with what the web process computed for a page."""
    told: dict[str, Any] = {}
    signed_in = [Visitor(site.port, gzip=True, member=sign_in(member)) for member in members]
    strangers = [Visitor(site.port, gzip=True) for _ in range(CLIENTS)]
    for name, visitors, path in (
        ("yardstick", strangers, "/healthz"),
        ("anonymous", strangers, LIST),
        ("signed_in", signed_in, LIST),
        ("front_signed_in", signed_in, "/shop/?scene=all"),
    ):

        def look(number: int, visitors: list[Visitor] = visitors, path: str = path) -> None:
            answer = visitors[number].get(path)
            assert answer.status == 200, answer.status

        pace(look, clients=CLIENTS, seconds=0.5)
        before, began = site.cpu_seconds("web"), time.perf_counter()
        seen = pace(look, clients=CLIENTS, seconds=seconds)
        pages = seen.per_second * (time.perf_counter() - began)
        told |= {f"{name}_{key}": value for key, value in seen.told().items()}
        told[f"{name}_cpu_ms"] = round((site.cpu_seconds("web") - before) / pages * 1000, 2)
        told[f"{name}_load"] = load()
    for name in ("anonymous", "signed_in"):
        told[f"{name}_ratio_to_yardstick"] = round(
            told[f"{name}_per_second"] / told["yardstick_per_second"], 3
        )
    return told


def check(site: Site, member: Any) -> dict[str, int]:
    """That it is the list: so many products, and so many bytes as a browser gets them."""
    page = Visitor(site.port, member=sign_in(member)).get(LIST).body
    sent = Visitor(site.port, gzip=True, member=sign_in(member)).get(LIST).body
    return {"items": page.count(b'<li class="good">'), "bytes": len(page), "bytes_sent": len(sent)}


def run(*, seconds: float) -> dict[str, Any]:
    """A site of its own, measured."""
    with serving() as site:
        members = stock_shop()
        time.sleep(2)
        idle = site.memory_mb()
        return {
            "clients": CLIENTS,
            **check(site, members[0]),
            **measure(site, members, seconds),
            "idle_mb": sum(idle.values()),
            "idle_mb_by_process": idle,
            "busy_mb": sum(site.memory_mb().values()),
        }


if __name__ == "__main__":
    print(json.dumps(run(seconds=8 if "--full" in sys.argv else 1.5), indent=2))
