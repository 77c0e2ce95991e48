"""What browsers tell of their visitors, under `/behaviour/`: taken in asyncio, kept in memory, written each second.

An answer costs no query: whose session a body came with is asked for all bodies of a second together, by the thread
that writes them. What is in memory is lost when the process is killed, at most the last second; a process that is
stopped writes it first. A failed write is tried again: told twice, a body is kept once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import CookieError, SimpleCookie

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.conf import settings
from django.db import DataError, IntegrityError, connections

from liuke.analytics.actions.behaviour import Did, note_behaviours
from liuke.base import clock
from liuke.interfaces.storefront import beacon
from liuke.interfaces.storefront.sessions import COOKIE, persons_of
from liuke.people.rules import network_of

WRITE_SECONDS, WRITE_ROWS = 1.0, 5_000
MOST_ROWS = 50_000  # then the browser is told to come back
EACH_A_MINUTE, NETWORK_A_MINUTE = 240, 3_000  # things done, by one visitor and from one address
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)
_Waiting = list[tuple[str, list[Did]]]  # session key, or "", with what came with it


class Beacons:
    """All bodies of this process. `dropped` counts what was not taken, by reason."""

    def __init__(self) -> None:
        self.dropped: Counter[str] = Counter()
        self._waiting: _Waiting = []
        self._rows = 0
        self._counted: Counter[str] = Counter()
        self._minute = 0
        self._full = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="beacons")

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request: 204 also where nothing is kept, so that nobody learns what is noted."""
        if scope["method"] != "POST":
            return await _answer(send, 405)
        headers = {
            name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]
        }
        if not beacon.is_from_here(headers):
            return await _answer(send, 403)
        body = await _body(receive)
        if body is None:
            return await _answer(send, 413)
        if beacon.wants_no_notes(headers) or beacon.is_bot(headers.get("user-agent", "")):
            return await self._drop(send, 204, "unwanted")
        rows = beacon.read_beacon(body, clock.now())
        if rows is None:
            return await self._drop(send, 400, "unreadable")
        if rows and self._is_too_much(rows, _network(scope, headers)):
            return await self._drop(send, 204, "too much")
        if self._rows + len(rows) > MOST_ROWS:
            return await self._drop(send, 503, "full")
        self._take(_session_key(headers), rows)
        return await _answer(send, 204)

    async def _drop(self, send: ASGISendCallable, status: int, why: str) -> None:
        self.dropped[why] += 1
        await _answer(send, status)

    def _is_too_much(self, rows: list[Did], network: str) -> bool:
        minute = int(asyncio.get_running_loop().time() // 60)
        if minute != self._minute or len(self._counted) > MOST_ROWS:
            self._minute, self._counted = minute, Counter()
        for who, most in ((rows[0].visitor, EACH_A_MINUTE), (network, NETWORK_A_MINUTE)):
            self._counted[who] += len(rows)
            if self._counted[who] > most:
                return True
        return False

    def _take(self, key: str, rows: list[Did]) -> None:
        self._waiting.append((key, rows))
        self._rows += len(rows)
        if self._rows >= WRITE_ROWS:
            self._full.set()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_on())

    async def _write_on(self) -> None:
        """Write each second, or as soon as there is much, while something waits."""
        while self._waiting:
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._full.wait()
            except TimeoutError:
                pass
            self._full.clear()
            waiting, self._waiting = self._waiting, []
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, _write, waiting)
            except (DataError, IntegrityError) as refused:
                log.error("The database refused what browsers told: %s", refused)
                self._rows -= _count(waiting)
            except Exception as trouble:
                log.warning("What browsers told waits: %s", type(trouble).__name__)
                self._waiting = waiting + self._waiting
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._rows -= _count(waiting)

    async def close(self) -> None:
        """The process ends: write what waits, after what is being written."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            await asyncio.get_running_loop().run_in_executor(self._thread, _write, waiting)


def _write(waiting: _Waiting) -> None:
    try:
        note_behaviours(list(_with_persons(waiting)))
    finally:
        connections.close_all()  # back into the pool


def _with_persons(waiting: _Waiting) -> Iterator[Did]:
    persons = persons_of({key for key, _ in waiting if key})
    for key, rows in waiting:
        person = persons.get(key)
        for row in rows:
            yield row if person is None else row._replace(person_id=person, visitor="")


def _count(waiting: _Waiting) -> int:
    return sum(len(rows) for _, rows in waiting)


async def _body(receive: ASGIReceiveCallable) -> bytes | None:
    """All of it; None when it is longer than allowed or breaks off."""
    body, has_more = b"", True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
        if len(body) > beacon.BODY_BYTES:
            return None
    return body


async def _answer(send: ASGISendCallable, status: int) -> None:
    headers = [(b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send(
        {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
    )
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _session_key(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None and found.value.isalnum() else ""


def _network(scope: HTTPScope, headers: dict[str, str]) -> str:
    """Who shares a limit, as for codes: the connection's address, or the one the proxies saw."""
    forwarded, count = headers.get("x-forwarded-for", ""), settings.LIUKE_PROXIES
    if count and forwarded:
        return network_of(forwarded.split(",")[-count:][0])
    return network_of((scope["client"] or ("", 0))[0])


beacons = Beacons()
