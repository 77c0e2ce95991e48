"""Tell the site what was paid, until it says that it knows: with the faults that were asked for."""

from __future__ import annotations

import heapq
import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa

from liuke.base import clock
from liuke.interfaces.sandbox.signing import Keys
from liuke.interfaces.sandbox.trades import Trade, Trades

AGAIN_SECONDS = (1, 2, 5, 15, 30, 60, 180, 600)
TIMEOUT_SECONDS = 5
STALE_SECONDS = 36_000
REORDER_SECONDS = 10  # nobody else's came: it goes anyway
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Send = Callable[[str, dict[str, str], bytes], int]


def is_loopback(url: str) -> bool:
    """Whether a notice may go there: this machine only."""
    try:
        where = urlsplit(url)
        return where.scheme == "http" and where.hostname in LOOPBACK and (where.port or 80) > 0
    except ValueError:
        return False


def send(url: str, headers: dict[str, str], body: bytes) -> int:
    """Post to this machine; the status, 0 when nobody answers."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(
        where.hostname or "", where.port or 80, timeout=TIMEOUT_SECONDS
    )
    try:
        connection.request("POST", where.path, body, headers)
        answer = connection.getresponse()
        answer.read(4096)
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


@dataclass(order=True)
class _Due:
    at: float
    number: int
    trade: Trade = field(compare=False)
    notice_id: str = field(compare=False)
    tries: int = field(compare=False, default=0)


class Notifier:
    """Sends notices when they are due, in a thread of its own; `send_due` does it by hand."""

    def __init__(self, trades: Trades, keys: Keys, post: Send = send) -> None:
        self.trades, self.keys, self.post = trades, keys, post
        self.sent: list[tuple[str, int]] = []  # (notice, what the site answered), the latest last
        self._due: list[_Due] = []
        self._numbers = count()
        self._bell = threading.Condition()
        self._stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        for trade in trades.not_notified():
            self.tell(trade)

    def tell(self, trade: Trade) -> None:
        """A trade was paid: have the site told as its faults say."""
        faults = trade.faults
        if faults.drop:
            return
        wait = float(faults.delay) + (REORDER_SECONDS if faults.reorder else 0)
        for number in range(faults.duplicate + 1):
            again = f"{trade.notice_id}-{number}" if faults.fresh_ids and number else ""
            self._put(time.monotonic() + wait, trade, again or trade.notice_id)

    def _put(self, at: float, trade: Trade, notice_id: str, tries: int = 0) -> None:
        with self._bell:
            heapq.heappush(self._due, _Due(at, next(self._numbers), trade, notice_id, tries))
            self._bell.notify()

    def send_due(self, now: float | None = None) -> int:
        """Send all that is due; how many."""
        done = 0
        while (due := self._next(time.monotonic() if now is None else now)) is not None:
            self._send(due)
            done += 1
        return done

    def run_forever(self) -> None:
        """Until the process ends."""
        while True:
            self.send_due()
            with self._bell:
                wait = self._due[0].at - time.monotonic() if self._due else None
                if wait is None or wait > 0:
                    self._bell.wait(wait)

    def _next(self, now: float) -> _Due | None:
        with self._bell:
            return heapq.heappop(self._due) if self._due and self._due[0].at <= now else None

    def _send(self, due: _Due) -> None:
        trade = due.trade
        if trade.faults.forged and due.tries == 0:
            self._post(trade, due.notice_id, self._stranger)
        status = self._post(trade, due.notice_id, self.keys.own)
        if status == 200:
            with self.trades.changing(trade):
                trade.is_notified = True
            self._let_the_others_go()
        elif due.tries < len(AGAIN_SECONDS):
            at = time.monotonic() + AGAIN_SECONDS[due.tries]
            self._put(at, trade, due.notice_id, due.tries + 1)

    def _let_the_others_go(self) -> None:
        """Notices that waited for another one to go first."""
        with self._bell:
            for due in self._due:
                if due.trade.faults.reorder and not due.trade.is_notified:
                    due.at = time.monotonic()
            heapq.heapify(self._due)
            self._bell.notify()

    def _post(self, trade: Trade, notice_id: str, key: rsa.RSAPrivateKey) -> int:
        body = json.dumps(self._notice(trade, notice_id), separators=(",", ":")).encode()
        moment = int(clock.now().timestamp()) - (STALE_SECONDS if trade.faults.stale else 0)
        nonce = secrets.token_hex(16)
        signer = Keys(key, self.keys.site)
        headers = {
            "Content-Type": "application/json",
            "X-Sandbox-Serial": self.keys.serial,
            "X-Sandbox-Timestamp": str(moment),
            "X-Sandbox-Nonce": nonce,
            "X-Sandbox-Signature": signer.sign(f"{moment}\n{nonce}\n".encode() + body + b"\n"),
        }
        status = self.post(trade.notify_url, headers, body)
        self.sent = [*self.sent[-999:], (notice_id, status)]
        return status

    def _notice(self, trade: Trade, notice_id: str) -> dict[str, Any]:
        told, faults = trade.told(), trade.faults
        told["amount"] += faults.wrong_amount
        if faults.wrong_seller:
            told["seller"] = "someone-else"
        if faults.wrong_app:
            told["app_id"] = "another-app"
        if faults.wrong_currency:
            told["currency"] = "XTS"
        return {"id": notice_id, "event": "trade.paid", "trade": told}
