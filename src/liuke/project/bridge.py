"""Django's pages behind an asyncio server: each request runs in a thread, its answer leaves through the loop.

A form of less than GATHERED bytes is whole before a thread begins with it, and an answer of less crosses to the loop
once, when it is whole, so that neither a slow writer nor a slow reader keeps a thread; longer ones go piece by piece. A
body that breaks off is an error, never a short body, in either direction: where an answer has begun, the server breaks
the connection.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

GATHERED = 64 * 1024
_PLAIN = ("CONTENT_TYPE", "CONTENT_LENGTH")

log = logging.getLogger(__name__)


class Application(Protocol):
    """A WSGI application."""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any], /
    ) -> Iterable[bytes]: ...


class Pages:
    """An ASGI application over a WSGI one, with so many threads."""

    def __init__(self, application: Application, threads: int) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="page")

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        loop = asyncio.get_running_loop()
        environ, answer = environ_of(scope), _Answer(loop, send)
        body = _Body(loop, receive)
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
            await body.gather()
        environ["wsgi.input"] = io.BufferedReader(body, GATHERED)
        try:
            await loop.run_in_executor(self._threads, self._run, environ, answer)
        except Exception:
            log.exception("A page could not be answered")
            if answer.is_begun:
                raise
            answer.fail()
        await answer.send_on(is_last=True)

    def _run(self, environ: dict[str, Any], answer: _Answer) -> None:
        parts = self._application(environ, answer.start)
        try:
            for part in parts:
                answer.add(part)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()


class _Body(io.RawIOBase):
    """What the visitor sends: its beginning gathered in the loop, the rest fetched by the thread that reads it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: ASGIReceiveCallable) -> None:
        super().__init__()
        self._loop, self._receive = loop, receive
        self._piece = b""
        self._has_more = False
        self._is_cut = False

    def readable(self) -> bool:
        return True

    async def gather(self) -> None:
        """All of it, or as much as is gathered at most."""
        self._has_more = True
        pieces, gathered = [], 0
        while self._has_more and gathered < GATHERED:
            pieces.append(await self._next())
            gathered += len(pieces[-1])
        self._piece = b"".join(pieces)

    def readinto(self, into: Any) -> int:
        while not self._piece and self._has_more:
            self._piece = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
        if self._is_cut:
            raise ConnectionResetError("the visitor went away in the middle of a request")
        count = min(len(into), len(self._piece))
        into[:count], self._piece = self._piece[:count], self._piece[count:]
        return count

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            self._is_cut, self._has_more = True, False
            return b""
        self._has_more = message.get("more_body", False)
        return message.get("body", b"")


class _Answer:
    """What the application answers, gathered until it is whole or long."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: ASGISendCallable) -> None:
        self._loop, self._send = loop, send
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._gathered = 0
        self.is_begun = False

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """WSGI's start_response."""
        self._status = int(status.split(" ", 1)[0])
        self._headers = [
            (name.lower().encode("latin1"), value.encode("latin1")) for name, value in headers
        ]

    def add(self, part: bytes) -> None:
        """Take a piece, in the thread of the page; wait for the visitor when it has become long."""
        self._parts.append(part)
        self._gathered += len(part)
        if self._gathered >= GATHERED:
            asyncio.run_coroutine_threadsafe(self.send_on(is_last=False), self._loop).result()

    def fail(self) -> None:
        """Nothing sensible can be said any more."""
        self._status, self._headers, self._parts = 500, [], []

    async def send_on(self, *, is_last: bool) -> None:
        """Send what was gathered."""
        if not self.is_begun:
            self.is_begun = True
            await self._send(
                {
                    "type": "http.response.start",
                    "status": self._status or 500,
                    "headers": self._headers,
                    "trailers": False,
                }
            )
        body, self._parts, self._gathered = b"".join(self._parts), [], 0
        await self._send({"type": "http.response.body", "body": body, "more_body": not is_last})


def environ_of(scope: HTTPScope) -> dict[str, Any]:
    """The request as WSGI tells it.

    A header with an underscore in its name is dropped: it would be taken for the one with a dash that a proxy set.
    """
    server, client = scope["server"] or ("localhost", None), scope["client"] or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"].split(b"?", 1)[0]).decode("latin1"),
        "QUERY_STRING": scope["query_string"].decode("latin1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or ""),
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        if b"_" in raw:
            continue
        name = raw.decode("latin1").upper().replace("-", "_")
        name = name if name in _PLAIN else f"HTTP_{name}"
        told = value.decode("latin1")
        if name in environ:
            told = f"{environ[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{told}"
        environ[name] = told
    return environ
