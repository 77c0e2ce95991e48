"""The sandbox as a server: on this machine only, one process, threads, nothing but the standard library's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from liuke.interfaces.sandbox import pages
from liuke.interfaces.sandbox.api import Api
from liuke.interfaces.sandbox.notices import LOOPBACK, Notifier, Send, send
from liuke.interfaces.sandbox.signing import open_keys
from liuke.interfaces.sandbox.trades import Faults, Trades

BODY_MAX = 64 * 1024
SHOWN = 30

Response = tuple[int, dict[str, str], bytes]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Sandbox:
    """The gateway as a WSGI application."""

    def __init__(self, folder: Path, base: str, post: Send = send) -> None:
        self.base = base
        self.keys = open_keys(folder)
        self.trades = Trades(folder / "trades.jsonl")
        self.notifier = Notifier(self.trades, self.keys, post)
        self.api = Api(base, self.trades, self.keys, self.notifier)

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        status, headers, body = self._answer(environ)
        told = {**headers, "Content-Length": str(len(body))}
        start(f"{status} {HTTPStatus(status).phrase}", list(told.items()))
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Response:
        host = str(environ.get("HTTP_HOST", "")).rsplit(":", 1)[0].strip("[]")
        if host not in LOOPBACK:  # a page elsewhere that had its name point here
            return 403, {}, b""
        length = str(environ.get("CONTENT_LENGTH") or "0")
        if not length.isdecimal() or int(length) > BODY_MAX:
            return 413, {}, b""
        body: bytes = environ["wsgi.input"].read(int(length)) if int(length) else b""
        method, path = str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "/"))
        if path.startswith("/v1/"):
            names = ("serial", "timestamp", "nonce", "signature")
            signed = {n: str(environ.get(f"HTTP_X_SANDBOX_{n.upper()}", "")) for n in names}
            return self.api.answer(method, path, signed, body)
        if path.startswith("/pay/"):
            return self._pay(method, path.split("/")[2])
        if path.startswith("/control/") and self._is_own(environ):
            return self._control(method, path, environ, body)
        return 404, dict(pages.HEADERS), pages.nothing_page().encode()

    def _is_own(self, environ: dict[str, Any]) -> bool:
        """A browser says where a form comes from; a program on this machine does not."""
        origin = environ.get("HTTP_ORIGIN")
        return origin is None or str(origin) == f"http://{environ.get('HTTP_HOST', '')}"

    def _pay(self, method: str, token: str) -> Response:
        trade = self.trades.find_by_token(token)
        if trade is None:
            return 404, dict(pages.HEADERS), pages.nothing_page().encode()
        if method == "POST" and self.api.pay(trade):
            return 303, {"Location": trade.return_url}, b""
        self.api.end_if_over(trade)
        return 200, dict(pages.HEADERS), pages.pay_page(trade).encode()

    def _control(self, method: str, path: str, environ: dict[str, Any], body: bytes) -> Response:
        asked = dict(parse_qsl(str(environ.get("QUERY_STRING", ""))))
        if method != "POST":
            page = pages.control_page(self.trades.latest(SHOWN), asked, self.trades.next_faults)
            return 200, dict(pages.HEADERS), page.encode()
        is_json = str(environ.get("CONTENT_TYPE", "")).startswith("application/json")
        try:
            told = json.loads(body) if is_json else dict(parse_qsl(body.decode()))
            done = self._pay_anyway(told) if path == "/control/pay/" else self._set(told)
        except (ValueError, TypeError, AttributeError) as wrong:
            return (
                400,
                {"Content-Type": "application/json"},
                json.dumps({"why": str(wrong)}).encode(),
            )
        if is_json:
            return 200, {"Content-Type": "application/json"}, json.dumps(done).encode()
        return 303, {"Location": "/control/"}, b""

    def _set(self, told: dict[str, Any]) -> dict[str, Any]:
        """Faults of one trade, or of the next one that is begun."""
        reference = str(told.pop("reference", "") or "")
        faults = Faults.read(told)
        trade = self.trades.find(reference)
        if trade is not None:
            with self.trades.changing(trade):
                trade.faults = faults
        elif reference:
            raise ValueError("unknown reference")
        else:
            self.trades.next_faults = faults
        return {"reference": reference}

    def _pay_anyway(self, told: dict[str, Any]) -> dict[str, Any]:
        """Pay without the page; with `anyway` also what was closed."""
        trade = self.trades.find(str(told.get("reference", "")))
        if trade is None:
            raise ValueError("unknown reference")
        return {"is_paid": self.api.pay(trade, anyway=bool(told.get("anyway")))}


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each who asks; none of them holds the process back when it ends."""

    daemon_threads = True
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    """Says nothing about every request."""

    def log_message(self, format: str, *args: Any) -> None:
        return

    def address_string(self) -> str:
        return str(self.client_address[0])


def serve(folder: Path, base: str, say: Callable[[str], None]) -> None:
    """Serve on this machine until the process ends."""
    sandbox = Sandbox(folder, base)
    threading.Thread(target=sandbox.notifier.run_forever, name="notices", daemon=True).start()
    port = urlsplit(base).port or 8010
    with make_server("127.0.0.1", port, sandbox, _Server, _Quiet) as server:
        say(f"The sandbox gateway is at {base}/control/ (no real money moves there).")
        server.serve_forever()
