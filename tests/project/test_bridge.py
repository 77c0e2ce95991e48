"""Pages behind asyncio: what goes in, what comes out, and who pays for it when somebody is slow or goes away."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from liuke.project.bridge import GATHERED, Application, Pages, environ_of

Environ = dict[str, Any]


@dataclass
class Talk:
    """One request with its pieces, and all that was sent back. `is_gone`: the visitor leaves instead of a piece."""

    method: str = "GET"
    target: bytes = b"/"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    is_gone: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scope(self) -> dict[str, Any]:
        path, _, query = self.target.partition(b"?")
        return {
            "type": "http",
            "method": self.method,
            "raw_path": self.target,
            "path": path.decode(),
            "query_string": query,
            "http_version": "1.1",
            "scheme": "http",
            "server": ("127.0.0.1", 8000),
            "client": ("10.0.0.7", 51000),
            "headers": self.headers,
        }

    async def receive(self) -> dict[str, Any]:
        if self.pieces:
            body = self.pieces.pop(0)
            more = bool(self.pieces) or self.is_gone
            return {"type": "http.request", "body": body, "more_body": more}
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def is_whole(self) -> bool:
        """One start, then bodies of which the last and no other says that it is."""
        kinds = [message["type"] for message in self.sent]
        more = [message["more_body"] for message in self.sent[1:]]
        bodies = ["http.response.body"] * len(more)
        return kinds == ["http.response.start", *bodies] and more == [True] * (len(more) - 1) + [
            False
        ]


def told(application: Application, **said: Any) -> Talk:
    """What is answered to a request."""
    talk = Talk(**said)
    pages: Any = Pages(application, 2)
    asyncio.run(pages(talk.scope, talk.receive, talk.send))
    return talk


def echo(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start("200 OK", [("Content-Type", "text/plain"), ("X-Length", str(len(body)))])
    return [body]


def answering(*parts: bytes, status: str = "200 OK") -> Application:
    def application(_environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        start(status, [])
        return parts

    return application


# What goes in -------------------------------------------------------------------------------------


def test_a_body_is_read_whole_in_however_many_pieces_it_comes() -> None:
    pieces = [b"a" * 70_000, b"", b"b", b"c" * 200_000]
    whole = b"".join(pieces)
    length = (b"content-length", str(len(whole)).encode())
    talk = told(echo, method="POST", headers=[length], pieces=list(pieces))
    assert (talk.status, talk.body == whole, talk.is_whole) == (200, True, True)
    chunked = (b"transfer-encoding", b"chunked")
    talk = told(echo, method="POST", headers=[chunked], pieces=list(pieces))
    assert (talk.status, talk.body == whole, talk.is_whole) == (200, True, True)


def test_a_request_without_a_body_waits_for_none() -> None:
    talk = told(echo)
    assert (talk.status, talk.body) == (200, b"")


def test_no_more_than_a_form_is_fetched_before_somebody_reads() -> None:
    def first_bytes(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        start("413 Too Large", [])
        return [environ["wsgi.input"].read(3)]

    pieces = [b"abcdef", *[b"x" * GATHERED] * 9]
    talk = told(first_bytes, method="POST", headers=[(b"content-length", b"600000")], pieces=pieces)
    assert (talk.status, talk.body) == (413, b"abc")
    assert len(pieces) >= 8


def test_who_writes_slowly_keeps_no_thread() -> None:
    async def run() -> None:
        pages: Any = Pages(echo, 1)
        rest, length = asyncio.Event(), [(b"content-length", b"6")]
        slow = Talk(method="POST", headers=length, pieces=[b"abc", b"def"])

        async def dawdle() -> dict[str, Any]:
            if len(slow.pieces) == 1:
                await rest.wait()
            return await slow.receive()

        waiting = asyncio.create_task(pages(slow.scope, dawdle, slow.send))
        quick = Talk(method="POST", headers=length, pieces=[b"ghijkl"])
        await asyncio.wait_for(pages(quick.scope, quick.receive, quick.send), 5)
        assert (quick.body, slow.sent) == (b"ghijkl", [])
        rest.set()
        await asyncio.wait_for(waiting, 5)
        assert slow.body == b"abcdef"

    asyncio.run(run())


def test_a_body_that_breaks_off_is_an_error_and_never_a_short_body() -> None:
    seen: list[bytes] = []

    def keeping(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ["wsgi.input"].read())
        return answering(b"taken")(environ, start)

    talk = told(
        keeping, method="POST", headers=[(b"content-length", b"9")], pieces=[b"abc"], is_gone=True
    )
    assert seen == []
    assert (talk.status, talk.body) == (500, b"")


def test_the_request_is_told_as_wsgi_tells_it() -> None:
    talk = Talk(
        method="PUT",
        target=b"/%E5%8E%9F/a%2Fb?q=%20x&y",
        headers=[
            (b"host", b"shop.example"),
            (b"content-type", b"text/plain"),
            (b"content-length", b"0"),
            (b"accept-language", b"zh"),
            (b"accept-language", b"en"),
            (b"cookie", b"a=1"),
            (b"cookie", b"b=2"),
        ],
    )
    environ = environ_of(talk.scope)  # type: ignore[arg-type]
    assert environ["PATH_INFO"].encode("latin1").decode() == "/原/a/b"
    assert environ["QUERY_STRING"] == "q=%20x&y"
    assert environ["REQUEST_METHOD"] == "PUT"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/plain", "0")
    assert environ["HTTP_HOST"] == "shop.example"
    assert environ["HTTP_ACCEPT_LANGUAGE"] == "zh,en"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert (environ["REMOTE_ADDR"], environ["SERVER_NAME"], environ["SERVER_PORT"]) == (
        "10.0.0.7", "127.0.0.1", "8000"
    )  # fmt: skip
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"


def test_a_header_with_an_underscore_cannot_pose_as_one_that_a_proxy_set() -> None:
    talk = Talk(headers=[(b"x_forwarded_for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2")])
    assert environ_of(talk.scope)["HTTP_X_FORWARDED_FOR"] == "2.2.2.2"  # type: ignore[arg-type]
    alone = Talk(headers=[(b"x_forwarded_for", b"1.1.1.1")])
    assert "HTTP_X_FORWARDED_FOR" not in environ_of(alone.scope)  # type: ignore[arg-type]


# What comes out -----------------------------------------------------------------------------------


def test_status_and_headers_come_as_they_were_said_also_twice_the_same() -> None:
    def two_cookies(_environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        start("404 Not Found", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Name", "é")])
        return [b"gone"]

    talk = told(two_cookies)
    assert (talk.status, talk.body) == (404, b"gone")
    cookies = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    assert talk.sent[0]["headers"] == [*cookies, (b"x-name", b"\xe9")]


def test_a_short_answer_leaves_in_one_message_after_it_is_whole() -> None:
    talk = told(answering(b"a", b"b", b"c"))
    assert [message["type"] for message in talk.sent] == [
        "http.response.start",
        "http.response.body",
    ]
    assert (talk.body, talk.is_whole) == (b"abc", True)


def test_a_head_request_has_headers_and_no_body() -> None:
    talk = told(answering(), method="HEAD")
    assert (talk.status, talk.body, talk.is_whole) == (200, b"", True)


def test_a_long_answer_goes_on_its_way_piece_by_piece() -> None:
    parts = [b"x" * 40_000] * 10
    talk = told(answering(*parts))
    assert (talk.body, talk.is_whole) == (b"".join(parts), True)
    assert len(talk.sent) > 4
    assert max(len(message["body"]) for message in talk.sent[1:]) < GATHERED + 40_000


def test_who_reads_slowly_makes_the_page_wait_and_not_the_memory_grow() -> None:
    made = 0
    may_read = asyncio.Event()

    def endless(_environ: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
        nonlocal made
        start("200 OK", [])
        for _ in range(50):
            made += 1
            yield b"x" * GATHERED

    async def run() -> int:
        talk = Talk()

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                await may_read.wait()
            await talk.send(message)

        pages: Any = Pages(endless, 1)
        answer = asyncio.create_task(pages(talk.scope, talk.receive, send))
        await asyncio.sleep(0.2)
        waiting = made
        may_read.set()
        await answer
        assert len(talk.body) == 50 * GATHERED
        return waiting

    assert asyncio.run(run()) <= 2
    assert made == 50


# What goes wrong ----------------------------------------------------------------------------------


def test_an_error_before_the_answer_is_a_500_and_is_written_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_environ: Environ, _start: Callable[..., Any]) -> Iterable[bytes]:
        raise LookupError("on purpose")

    talk = told(broken)
    assert (talk.status, talk.body, talk.is_whole) == (500, b"", True)
    assert "A page could not be answered" in caplog.text


def test_an_error_in_the_middle_of_a_short_answer_sends_nothing_of_it() -> None:
    def half(_environ: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [("X-Secret", "1")])
        yield b"half"
        raise LookupError("on purpose")

    talk = told(half)
    assert (talk.status, talk.sent[0]["headers"], talk.body) == (500, [], b"")


def test_an_error_in_the_middle_of_a_long_answer_breaks_the_connection_off() -> None:
    """The server does, when it is handed the error: the last piece is never said to be the last."""

    def half(_environ: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [])
        yield b"x" * GATHERED
        raise LookupError("on purpose")

    talk = Talk()
    pages: Any = Pages(half, 1)
    with pytest.raises(LookupError, match="on purpose"):
        asyncio.run(pages(talk.scope, talk.receive, talk.send))
    assert [message["more_body"] for message in talk.sent[1:]] == [True]


def test_what_the_application_opened_is_closed_whatever_happens() -> None:
    class Parts(io.BytesIO):
        """Closes like a file."""

    ended: list[Parts] = []

    def opened(_environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        ended.append(Parts(b"a\nb\n"))
        return ended[-1]

    class Broken(Parts):
        def __next__(self) -> bytes:
            raise LookupError("on purpose")

    def breaking(_environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        ended.append(Broken())
        return ended[-1]

    assert told(opened).body == b"a\nb\n"
    assert told(breaking).status == 500
    assert [each.closed for each in ended] == [True, True]


def test_a_visitor_who_goes_away_frees_the_thread() -> None:
    """The server says so when it is handed the next piece."""
    left = threading.Event()

    def endless(_environ: Environ, start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [])
        try:
            while True:
                yield b"x" * GATHERED
        finally:
            left.set()

    async def run() -> None:
        talk, count = Talk(), 0

        async def send(_message: dict[str, Any]) -> None:
            nonlocal count
            count += 1
            if count > 3:
                raise ConnectionResetError("gone")

        pages: Any = Pages(endless, 1)
        with pytest.raises(ConnectionResetError):
            await pages(talk.scope, talk.receive, send)
        again = Talk()
        free: Any = pages
        free._application = answering(b"next")
        await free(again.scope, again.receive, again.send)
        assert again.body == b"next"

    asyncio.run(run())
    assert left.wait(5)
