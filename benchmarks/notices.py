"""Does anybody get credited by a notice that the gateway did not send, or twice by one that it did?

A thousand times the same notice, from eight threads at once, has to be one entry in the book. Then ten thousand notices
altered in one of many ways (a bit, a field, a header, another key, an old signature on a new body) have to be refused,
each of them, without a row. The yardstick is the rate at which the same address refuses a request that it need not
verify at all: what remains is what the signature costs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liuke.base import chance

if TYPE_CHECKING:
    from random import Random  # noqa: TID251 - the name of a type

Headers = dict[str, str]
Altered = tuple[str, Headers, bytes]
THREADS = 8
NAMES = ("X-Sandbox-Serial", "X-Sandbox-Timestamp", "X-Sandbox-Nonce", "X-Sandbox-Signature")
FIELDS = ("reference", "trade_no", "state", "amount", "currency", "seller", "app_id", "paid_at")


def mutations(headers: Headers, body: bytes, seed: int, count: int) -> list[Altered]:
    """(what was done, headers, body), `count` of them, none of which the gateway has sent."""
    ways = (
        _bit, _field, _dropped_field, _header, _dropped_header, _cut, _padded, _respelled, _swapped, _nonsense,
    )  # fmt: skip
    made: list[Altered] = []
    with chance.seeded(seed) as lot:
        while len(made) < count:
            way = lot.choice(ways)
            altered, content = way(lot, dict(headers), body)
            if content != body or altered != headers:
                made.append((way.__name__, altered, content))
    return made


def _bit(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    at, raw = lot.randrange(len(body)), bytearray(body)
    raw[at] ^= 1 << lot.randrange(8)
    return headers, bytes(raw)


def _field(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    told = json.loads(body)
    values = (
        0,
        -1,
        1,
        10**12,
        "",
        "0",
        None,
        True,
        [],
        {},
        "SB-other",
        "9" * 40,
        1e300,
        told["id"],
    )
    told["trade"][lot.choice(FIELDS)] = lot.choice(values)
    return headers, json.dumps(told).encode()


def _dropped_field(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    told = json.loads(body)
    told["trade"].pop(lot.choice(FIELDS))
    return headers, json.dumps(told).encode()


def _header(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    name = lot.choice(NAMES)
    text = list(headers[name])
    text[lot.randrange(len(text))] = lot.choice("0123456789abcdefABCDEF+/= -é")
    headers[name] = lot.choice(("".join(text), headers[name] + "0", "", headers[name][:-1], "null"))
    return headers, body


def _dropped_header(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    headers.pop(lot.choice(NAMES))
    return headers, body


def _cut(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    return headers, body[: lot.randrange(len(body))]


def _padded(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    more = lot.choice((b" ", b"\n", b"\x00", b"}", b'{"a":1}', b"\xef\xbb\xbf", b" " * 70_000))
    return headers, lot.choice((body + more, more + body))


def _respelled(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """The same meaning in other bytes, or one name twice."""
    told = json.loads(body)
    twice = body.replace(b'"trade":{', b'"trade":{"amount":1,')
    return headers, lot.choice((json.dumps(told, indent=1).encode(), twice))


def _swapped(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """A good signature that is older than the body, a stranger's, or nobody's."""
    told = json.loads(body)
    told["id"] = f"N{lot.getrandbits(64):x}"
    if lot.random() < 0.5:
        headers["X-Sandbox-Signature"] = base64.b64encode(lot.randbytes(256)).decode()
    return headers, json.dumps(told).encode()


def _nonsense(lot: Random, headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    things = (b"[]", b"null", b'"x"', b"1", b"{" * 2_000, b"a=1&b=2", lot.randbytes(200), b"")
    return headers, lot.choice(things)


def at_once(act: Callable[[int], None], count: int) -> None:
    """`act(n)` for each number below `count`, from several threads."""
    numbers = iter(range(count))
    turn = threading.Lock()

    def work() -> None:
        from django.db import connection

        while True:
            with turn:
                number = next(numbers, None)
            if number is None:
                break
            act(number)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def play_at(folder: Path) -> Any:
    """A gateway inside this process, and a site that offers it."""
    from django.conf import settings

    from liuke.payments import gateways
    from liuke.payments.gateways import outbound
    from tests.payments import make

    settings.LIUKE_GATEWAYS = ("wallet", "sandbox")
    settings.ALLOWED_HOSTS = ["testserver"]
    play = make.play(folder / "gateway", make.make_keys(folder / "keys"))
    gateways._KNOWN["sandbox"] = lambda: play.adapter
    outbound.call = play.call
    return play


def storm(notices: list[tuple[Headers, bytes]]) -> tuple[list[int], float]:
    """Send them all; (what each was answered, notices a second)."""
    from tests.payments import make

    statuses: list[int] = []
    began = time.perf_counter()
    at_once(lambda n: statuses.append(make.post_notice("", *notices[n])), len(notices))
    return statuses, len(notices) / (time.perf_counter() - began)


def run(*, duplicates: int, mutated: int, folder: Path) -> dict[str, Any]:
    """Both storms, each against an order of its own, on a migrated database."""
    from tests.orders import make as orders
    from tests.payments import make

    play, shop = play_at(folder), orders.shop(stock=2)
    first, second = (make.started(orders.order(shop.coins)) for _ in range(2))
    for payment in (first, second):
        play.trade(payment).state = "paid"  # and nobody has told the site yet
    told, told_rate = storm([play.signed(play.notice(first))] * duplicates)
    credits = make.clearing() // first.amount_fen

    before = make.rows()
    headers, body = play.signed(play.notice(second))
    altered = [each[1:] for each in mutations(headers, body, seed=1, count=mutated)]
    refused, refused_rate = storm(altered)
    is_unchanged = make.rows() == before
    _, bare_rate = storm([({}, b"")] * max(200, mutated // 10))
    true_one = make.post_notice("", headers, body)
    second.refresh_from_db()
    return {
        "duplicates": duplicates,
        "answered_taken": told.count(200),
        "credits": credits,
        "duplicates_per_second": round(told_rate),
        "mutated": mutated,
        "mutated_accepted": sum(status < 400 for status in refused),
        "mutated_left_rows": not is_unchanged,
        "mutated_answers": {str(s): refused.count(s) for s in sorted(set(refused))},
        "mutated_per_second": round(refused_rate),
        "yardstick_unsigned_per_second": round(bare_rate),
        "ratio_to_yardstick": round(refused_rate / bare_rate, 2),
        "the_true_one_still_counts": (true_one, second.state) == (200, "paid"),
        "broken_promises": make.broken(),
    }


@contextlib.contextmanager
def throwaway_site() -> Iterator[None]:
    """A migrated database on a server of its own."""
    from benchmarks.database import throwaway

    with throwaway() as url:
        os.environ["LIUKE_DATABASE_URL"] = url
        os.environ["LIUKE_LOG"] = "ERROR"
        os.environ["DJANGO_SETTINGS_MODULE"] = "liuke.project.settings"
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        logging.getLogger("django.request").setLevel(logging.ERROR)  # refusals are what is wanted
        call_command("migrate", verbosity=0)
        yield
        connection.close()
        connection.close_pool()


if __name__ == "__main__":
    is_full = "--full" in sys.argv
    with throwaway_site(), tempfile.TemporaryDirectory() as place:
        told = run(
            duplicates=1_000 if is_full else 100,
            mutated=10_000 if is_full else 500,
            folder=Path(place),
        )
        print(json.dumps(told, indent=2))
