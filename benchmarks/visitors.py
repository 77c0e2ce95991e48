"""Browsers, as far as a server can tell: a connection that is kept, cookies, gzip and forms. They cost little."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

_INPUT = re.compile(r"<input ([^>]+)>")
_WORD = re.compile(r'([a-z-]+)="([^"]*)"')
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What came back; `body` as it was sent."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Visitor:
    """One browser. A connection that breaks is made anew with the next request."""

    def __init__(self, port: int, *, gzip: bool = False, **cookies: str) -> None:
        self.port, self.cookies = port, {"lang": "en", **cookies}
        self._accept = "Accept-Encoding: gzip\r\n" if gzip else ""
        self._line: socket.socket | None = None

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, b"")

    def post(self, path: str, form: dict[str, str]) -> Answer:
        return self._ask("POST", path, urlencode(form).encode())

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(self, method: str, path: str, body: bytes) -> Answer:
        """Raises OSError: nobody answered, or not to the end."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{self._accept}"
            f"Cookie: {cookies}\r\n"
        )
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        try:
            answer = self._talk(head.encode("latin1") + b"\r\n" + body)
        except (OSError, ValueError) as broken:
            self.close()
            raise ConnectionError(str(broken)) from broken
        for name, value in answer.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";", 1)[0]
        return answer

    def _talk(self, request: bytes) -> Answer:
        if self._line is None:
            self._line = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS)
            self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = self._line
        line.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += _more(line)
        head, _, body = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin1").split("\r\n")
        pairs = [each.partition(": ") for each in lines]
        headers = [(name.lower(), value) for name, _, value in pairs]
        length = next((int(value) for name, value in headers if name == "content-length"), None)
        if length is None:
            body = _chunks(line, body)
        else:
            while len(body) < length:
                body += _more(line)
        return Answer(int(first.split()[1]), headers, body)


def _more(line: socket.socket) -> bytes:
    got = line.recv(65536)
    if not got:
        raise ConnectionError("the server hung up")
    return got


def _chunks(line: socket.socket, got: bytes) -> bytes:
    while not got.endswith(b"0\r\n\r\n"):
        got += _more(line)
    body = b""
    while True:
        size, _, rest = got.partition(b"\r\n")
        if not int(size, 16):
            return body
        body, got = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


def fields(page: bytes) -> dict[str, str]:
    """The form of a page as a browser would send it: hidden and typed fields, and what is chosen."""
    form: dict[str, str] = {}
    for tag in _INPUT.findall(page.decode()):
        word = dict(_WORD.findall(tag))
        is_on = " checked" in tag or word.get("type") not in ("radio", "checkbox")
        if "name" in word and is_on and word.get("type") != "search":
            form[word["name"]] = unescape(word.get("value", ""))
    return form


@dataclass(frozen=True)
class Pace:
    """How it went: requests a second, and milliseconds of the middle one and of the slowest hundredth."""

    per_second: float
    p50_ms: float
    p99_ms: float

    def told(self) -> dict[str, float]:
        return {
            "per_second": round(self.per_second),
            "p50_ms": round(self.p50_ms, 1),
            "p99_ms": round(self.p99_ms, 1),
        }


def pace(act: Callable[[int], None], *, clients: int, seconds: float) -> Pace:
    """Let clients act for some seconds, each again as soon as it is done."""
    took: list[float] = []
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        while (began := time.perf_counter()) < until:
            act(number)
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Pace(len(took) / (time.perf_counter() - began), part(took, 0.5), part(took, 0.99))


def part(took: list[float], share: float) -> float:
    """The value below which that share lies, in milliseconds of seconds."""
    return sorted(took)[min(len(took) - 1, int(len(took) * share))] * 1000 if took else 0.0
