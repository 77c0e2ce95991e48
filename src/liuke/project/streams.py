"""Streams of server-sent events under `/live/`: a page that is open hears that it is out of date, and looks again.

One connection of this process listens to the database while somebody streams, and wakes the streams of a topic in
memory. A stream carries the mark of what the visitor may see, nothing of it; a mark is also the id of its event, so
that a browser that reconnects is told only what it has missed. Everything that asks the database runs in a thread.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import psycopg
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from procrastinate.contrib.django.utils import connector_params

from liuke.base.live import CHANNEL
from liuke.interfaces.storefront.shop.live import Watch, watch_of

BEAT_SECONDS = 15.0
LASTS_SECONDS = 900.0  # then the browser comes back, and is asked again who it is
MOST, MOST_EACH = 500, 8
LISTEN_SECONDS = 30.0  # how long the connection outlives the last stream
RECONNECT_SECONDS = 2.0
_FIND_OUT_SOON = {"connect_timeout": 5, "keepalives_idle": 10, "tcp_user_timeout": 15_000}
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(eq=False)
class _Stream:
    """One open page. `moved` holds at most one unread piece of news: that there is some."""

    watch: Watch
    moved: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """All streams of this process."""

    def __init__(self) -> None:
        self._by_topic: defaultdict[str, set[_Stream]] = defaultdict(set)
        self._by_visitor: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="live")
        self._listener: asyncio.Task[None] | None = None

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request: a stream, or nothing that tells more than that there is none."""
        if scope["method"] != "GET":
            return await _refuse(send, 405)
        watch = await self._in_thread(lambda: watch_of(ASGIRequest(scope, io.BytesIO())))
        if watch is None:
            return await _refuse(send, 404)
        if self._by_visitor.total() >= MOST or self._by_visitor[watch.visitor] >= MOST_EACH:
            return await _refuse(send, 503)
        stream = _Stream(watch)
        self._add(stream)
        try:
            await self._stream(stream, _last_seen(scope), receive, send)
        finally:
            self._remove(stream)
        return None

    async def _stream(
        self, stream: _Stream, seen: str, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": _HEADERS,
                "trailers": False,
            }
        )
        await _say(send, "retry: 3000\n\n")
        gone = asyncio.create_task(_gone(receive))
        try:
            async with asyncio.timeout(LASTS_SECONDS):
                while not gone.done():
                    mark = await self._in_thread(stream.watch.mark)
                    if mark != seen:
                        await _say(send, f"id: {mark}\ndata: {mark}\n\n")
                        seen = mark
                    await _wait(stream.moved, gone, send)
        except TimeoutError:
            pass
        except Exception as trouble:
            log.warning("A stream ended: %s", type(trouble).__name__)
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _add(self, stream: _Stream) -> None:
        self._by_topic[stream.watch.topic].add(stream)
        self._by_visitor[stream.watch.visitor] += 1
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())

    def _remove(self, stream: _Stream) -> None:
        topic, visitor = stream.watch.topic, stream.watch.visitor
        self._by_topic[topic].discard(stream)
        if not self._by_topic[topic]:
            del self._by_topic[topic]
        self._by_visitor[visitor] -= 1
        if not self._by_visitor[visitor]:
            del self._by_visitor[visitor]

    async def _listen(self) -> None:
        """Hear the database for as long as somebody streams; what was said while nobody heard is looked up."""
        given = {**connector_params(), **_FIND_OUT_SOON}
        while self._by_topic:
            try:
                async with await psycopg.AsyncConnection.connect(autocommit=True, **given) as line:
                    await line.execute(f"LISTEN {CHANNEL}")
                    self._wake(*self._by_topic)
                    while self._by_topic:
                        async for told in line.notifies(timeout=LISTEN_SECONDS):
                            self._wake(told.payload)
            except psycopg.Error as trouble:
                log.warning("Streams do not hear the database: %s", type(trouble).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    def _wake(self, *topics: str) -> None:
        for topic in topics:
            for stream in self._by_topic.get(topic, ()):
                stream.moved.set()

    async def _in_thread(self, ask: Callable[[], _T]) -> _T:
        def run() -> _T:
            try:
                return ask()
            finally:
                connections.close_all()  # back into the pool

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)


async def _wait(moved: asyncio.Event, gone: asyncio.Task[None], send: ASGISendCallable) -> None:
    """Until there is news or nobody is there, with a beat now and then so that nothing on the way hangs up."""
    news = asyncio.create_task(moved.wait())
    try:
        while True:
            done, _ = await asyncio.wait(
                (news, gone), timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                break
            await _say(send, ":\n\n")
    finally:
        news.cancel()
    moved.clear()


async def _gone(receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: ASGISendCallable, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: ASGISendCallable, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    await send(
        {"type": "http.response.start", "status": status, "headers": headers, "trailers": False}
    )
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _last_seen(scope: HTTPScope) -> str:
    """The id of the last event that the browser got before it lost the line."""
    told = dict(scope["headers"]).get(b"last-event-id", b"")
    return told.decode("ascii", "replace")[:64]


streams = Streams()
