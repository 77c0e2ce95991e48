"""Streams of an order's page: one's own only, news soon, a beat, an end, and one database connection for them all."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, connections
from procrastinate.contrib.django.utils import connector_params

from liuke.base import clock
from liuke.base.live import CHANNEL, tell
from liuke.interfaces.storefront.shop.live import Watch
from liuke.orders.actions import cancel_order
from liuke.orders.models import Order
from liuke.people.models import Member
from liuke.project import streams as module
from liuke.project.streams import Streams
from tests.orders import make

SOON = 10.0


@dataclass
class Line:
    """A browser at the other end of a stream."""

    target: str
    cookies: str = ""
    method: str = "GET"
    seen: str = ""
    heard: list[str] = field(default_factory=list)
    status: int = 0
    is_over: bool = False
    left: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def scope(self) -> dict[str, Any]:
        headers = [(b"host", b"127.0.0.1"), (b"cookie", self.cookies.encode())]
        if self.seen:
            headers.append((b"last-event-id", self.seen.encode()))
        return {
            "type": "http",
            "method": self.method,
            "path": self.target,
            "raw_path": self.target.encode(),
            "query_string": b"",
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
            "headers": headers,
        }

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        async with self.news:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            else:
                self.is_over = not message["more_body"]
                self.heard.append(message["body"].decode())
            self.news.notify_all()

    @property
    def marks(self) -> list[str]:
        """What was told, beats and greetings apart."""
        return [text.split("\n")[0].removeprefix("id: ") for text in self.heard if "data:" in text]

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON), self.news:
            await self.news.wait_for(lambda: bool(true()))


@asynccontextmanager
async def open_line(streams: Streams, line: Line) -> AsyncIterator[Line]:
    """Inside: the stream runs; then the browser goes away, and it has to end."""
    given: Any = streams
    task = asyncio.create_task(given(line.scope, line.receive, line.send))
    try:
        await line.until(lambda: line.status)
        yield line
    finally:
        line.left.set()
        await asyncio.wait_for(task, SOON)


def run(story: Callable[[Streams], Awaitable[None]]) -> None:
    """A story on streams of its own, whose listener and threads end with it."""

    async def whole() -> None:
        streams = Streams()
        try:
            await story(streams)
            assert not streams._by_topic
            assert not streams._by_visitor
        finally:
            if streams._listener is not None:
                streams._listener.cancel()
                await asyncio.wait([streams._listener])
            streams._threads.shutdown()
            await aside(connections.close_all)

    asyncio.run(whole())


async def aside(act: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What asks the database, in a thread."""
    return await sync_to_async(act)(*given, **named)


def cookie_of(member: Member) -> str:
    session = SessionStore()
    session["member"], session["since"] = member.person_id, clock.now().isoformat()
    session.create()
    return f"member={session.session_key}"


def address(order: Order) -> str:
    return f"/live/orders/{order.reference}/"


@pytest.fixture
def order(transactional_db: None, noon: dt.datetime) -> Order:
    return make.order(make.shop().coins)


@pytest.fixture
def mine(order: Order) -> str:
    """The session of who ordered."""
    return cookie_of(order.member)


# Who hears what -----------------------------------------------------------------------------------


def test_the_owner_hears_at_once_how_it_stands_and_then_when_it_moves(
    order: Order, mine: str
) -> None:
    async def story(streams: Streams) -> None:
        async with open_line(streams, Line(address(order), mine)) as line:
            await line.until(lambda: len(line.marks) == 1)
            assert line.status == 200
            await aside(cancel_order, order_id=order.pk)
            await line.until(lambda: len(line.marks) == 2)
            assert line.marks[0] != line.marks[1]
            assert all(order.reference not in text for text in line.heard)

    run(story)


def test_what_belongs_to_somebody_else_and_what_does_not_exist_are_told_alike(
    order: Order, mine: str
) -> None:
    other = cookie_of(make.member())
    nowhere = "/live/orders/LK20260315ABCDEFGHJ/"
    asked = [
        (address(order), other), (address(order), ""), (address(order), "member=abc"),
        (nowhere, mine), ("/live/orders/", mine), ("/live/wallet/", mine), (f"{address(order)}x", mine),
    ]  # fmt: skip

    async def story(streams: Streams) -> None:
        for target, cookies in asked:
            line = Line(target, cookies)
            given: Any = streams
            await given(line.scope, line.receive, line.send)
            assert (line.status, line.heard, line.is_over) == (404, [""], True), target
        post: Any = Line(address(order), mine, method="POST")
        await streams(post.scope, post.receive, post.send)
        assert (post.status, post.heard) == (405, [""])

    run(story)


def test_news_of_another_order_wakes_nobody(order: Order, mine: str) -> None:
    async def story(streams: Streams) -> None:
        async with open_line(streams, Line(address(order), mine)) as line:
            await line.until(lambda: line.marks)
            await aside(tell, "order", order.pk + 1)
            await aside(tell, "order", order.pk)  # and nothing has changed
            await asyncio.sleep(0.3)
            assert len(line.marks) == 1

    run(story)


def test_a_browser_that_comes_back_is_told_only_what_it_missed(order: Order, mine: str) -> None:
    async def story(streams: Streams) -> None:
        async with open_line(streams, Line(address(order), mine)) as line:
            await line.until(lambda: line.marks)
        again = Line(address(order), mine, seen=line.marks[0])
        async with open_line(streams, again):
            await asyncio.sleep(0.3)
            assert again.marks == []
        await aside(cancel_order, order_id=order.pk)
        late = Line(address(order), mine, seen=line.marks[0])
        async with open_line(streams, late):
            await late.until(lambda: late.marks)

    run(story)


# How long -----------------------------------------------------------------------------------------


def test_a_quiet_stream_beats_and_ends_after_its_time(
    order: Order, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(module, "LASTS_SECONDS", 1.0)

    async def story(streams: Streams) -> None:
        async with open_line(streams, Line(address(order), mine)) as line:
            await line.until(lambda: line.heard.count(":\n\n") >= 3)
            assert line.heard[0] == "retry: 3000\n\n"
            await line.until(lambda: line.is_over)

    run(story)


def test_one_visitor_has_so_many_streams_and_the_site_so_many(
    order: Order, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_EACH", 2)

    async def story(streams: Streams) -> None:
        async with (
            open_line(streams, Line(address(order), mine)) as first,
            open_line(streams, Line(address(order), mine)) as second,
        ):
            await first.until(lambda: first.marks)
            await second.until(lambda: second.marks)
            async with open_line(streams, Line(address(order), mine)) as third:
                assert (third.status, third.is_over) == (503, True)
            monkeypatch.setattr(module, "MOST_EACH", 9)
            monkeypatch.setattr(module, "MOST", 2)
            async with open_line(streams, Line(address(order), mine)) as fourth:
                assert fourth.status == 503
        async with open_line(streams, Line(address(order), mine)) as after:
            assert after.status == 200

    run(story)


# What it costs ------------------------------------------------------------------------------------


def test_many_streams_share_one_connection(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "watch_of", lambda request: watch(request.path))
    count = 60

    def watch(path: str) -> Watch:
        def mark() -> str:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return "m"

        return Watch("order:1", path, mark)

    async def story(streams: Streams) -> None:
        lines = [Line(f"/live/{n}/") for n in range(count)]
        given: Any = streams
        tasks = [asyncio.create_task(given(line.scope, line.receive, line.send)) for line in lines]
        for line in lines:
            await line.until(lambda line=line: line.marks)  # type: ignore[misc]
        listening = await aside(listeners)
        assert listening == 1
        assert await aside(in_use) <= 1 + 8, "beside the listener no more than the pool has"
        for line in lines:
            line.left.set()
        await asyncio.wait_for(asyncio.gather(*tasks), SOON)

    run(story)


def test_what_was_said_while_nobody_heard_is_found_when_the_line_is_back(
    order: Order, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.3)

    async def story(streams: Streams) -> None:
        async with open_line(streams, Line(address(order), mine)) as line:
            await line.until(lambda: line.marks)
            while not await aside(listeners):
                await asyncio.sleep(0.05)
            await aside(hang_up)
            await aside(cancel_order, order_id=order.pk)
            await line.until(lambda: len(line.marks) == 2)

    run(story)


_OURS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def ask(question: str) -> int:
    """A number, asked over a connection of its own."""
    with psycopg.connect(**connector_params()) as other:
        row = other.execute(question).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


def listeners() -> int:
    return ask(f"SELECT count(*) {_OURS} AND query = 'LISTEN {CHANNEL}'")


def in_use() -> int:
    return ask(f"SELECT count(*) {_OURS}")


def hang_up() -> int:
    """As when the database was restarted."""
    return ask(f"SELECT count(pg_terminate_backend(pid)) {_OURS} AND query = 'LISTEN {CHANNEL}'")
