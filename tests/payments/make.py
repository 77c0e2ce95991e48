"""A sandbox gateway inside the test: the site asks it and it tells the site, without a socket between them."""

from __future__ import annotations

import base64
import io
import json
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.test import Client

from liuke.base import clock
from liuke.base.audit import check
from liuke.interfaces.sandbox.server import Sandbox as Server
from liuke.interfaces.sandbox.signing import open_keys
from liuke.interfaces.sandbox.trades import Faults, Trade
from liuke.ledger import accounts
from liuke.ledger.models import Entry
from liuke.ledger.queries import balance_fen
from liuke.ledger.queries import invariants as of_ledger
from liuke.orders.models import Order
from liuke.orders.queries import invariants as of_orders
from liuke.payments.actions import start_payment
from liuke.payments.errors import GatewayAway
from liuke.payments.gateways.outbound import Answer
from liuke.payments.gateways.sandbox import Sandbox as Adapter
from liuke.payments.models import Discrepancy, GatewayNotice, Payment, Refund
from liuke.payments.queries import invariants as of_payments

BASE = "http://127.0.0.1:8010"
NOTIFY = "/pay/notify/sandbox/"
LATER = 1e9


@dataclass
class Play:
    """Both ends: `server` is the gateway, `adapter` what the site uses. `is_away`: nobody answers the site."""

    server: Server
    adapter: Adapter
    is_away: bool = False

    def call(
        self, *, method: str, base: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """In the place of `outbound.call`."""
        if self.is_away:
            raise GatewayAway
        got: dict[str, Any] = {}

        def start(status: str, told: list[tuple[str, str]]) -> None:
            got["status"] = int(status.split()[0])
            got["headers"] = {name.lower(): value for name, value in told}

        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "HTTP_HOST": "127.0.0.1:8010",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **{f"HTTP_{n.upper().replace('-', '_')}": v for n, v in headers.items()},
        }
        answer = b"".join(self.server(environ, start))
        return Answer(got["status"], got["headers"], answer)

    def trade(self, payment: Payment) -> Trade:
        found = self.server.trades.find(payment.reference)
        assert found is not None
        return found

    def fault(self, payment: Payment, **faults: Any) -> None:
        self.trade(payment).faults = Faults(**faults)

    def click(self, payment: Payment) -> None:
        """The member presses the button; the notice is not sent yet."""
        assert self.server.api.pay(self.trade(payment))

    def pay_late(self, payment: Payment) -> None:
        """Money comes although the gateway had closed it."""
        assert self.server.api.pay(self.trade(payment), anyway=True)

    def tell(self) -> int:
        """Send every notice that waits, also what is delayed; how many."""
        return self.server.notifier.send_due(time.monotonic() + LATER)

    def pay(self, payment: Payment) -> Payment:
        """Press the button and have the site told."""
        self.click(payment)
        self.tell()
        payment.refresh_from_db()
        return payment

    def notice(self, payment: Payment, **changed: Any) -> dict[str, Any]:
        """What the gateway would say, changed as asked, before it is signed."""
        told = {**self.trade(payment).told(), "state": "paid", **changed}
        return {"id": f"N{secrets.token_hex(8)}", "event": "trade.paid", "trade": told}

    def signed(
        self,
        told: object,
        *,
        key: rsa.RSAPrivateKey | None = None,
        serial: str = "",
        age_seconds: int = 0,
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a notice, signed with `cryptography` alone: an oracle for both ends."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        moment, nonce = str(int(clock.now().timestamp()) - age_seconds), secrets.token_hex(16)
        text = b"%s\n%s\n%s\n" % (moment.encode(), nonce.encode(), body)
        signature = (key or self.server.keys.own).sign(text, padding.PKCS1v15(), hashes.SHA256())
        headers = {
            "X-Sandbox-Serial": serial or self.server.keys.serial,
            "X-Sandbox-Timestamp": moment,
            "X-Sandbox-Nonce": nonce,
            "X-Sandbox-Signature": base64.b64encode(signature).decode(),
        }
        return headers, body


def post_notice(_url: str, headers: dict[str, str], body: bytes) -> int:
    """What the gateway does with a notice: the site's own address, without a socket."""
    kind = headers.get("Content-Type", "application/json")
    rest = {name: value for name, value in headers.items() if name != "Content-Type"}
    return Client().post(NOTIFY, body, content_type=kind, headers=rest).status_code


def play(folder: Path, keys: Path) -> Play:
    """A gateway with nothing in its book and the keys of the session."""
    shutil.copytree(keys, folder, dirs_exist_ok=True)
    return Play(Server(folder, BASE, post=post_notice), Adapter(BASE, folder))


def restarted(play: Play) -> Play:
    """The gateway as it is after its process ended and began again."""
    return Play(Server(play.adapter.folder, BASE, post=post_notice), play.adapter)


def make_keys(folder: Path) -> Path:
    """Two pairs of keys; once a session, because they take long."""
    open_keys(folder)
    return folder


def started(order: Order, gateway: str = "sandbox") -> Payment:
    return start_payment(order=order, gateway=gateway)


def begun_without_answer(order: Order) -> Payment:
    """The gateway did not answer when the payment began."""
    with suppress(GatewayAway):
        start_payment(order=order, gateway="sandbox")
    return Payment.objects.get(order=order)


def escrow(order: Order) -> int:
    return balance_fen(accounts.escrow(order.reference))


def due(order: Order) -> int:
    return balance_fen(accounts.refund_due(order.reference))


def clearing() -> int:
    return balance_fen(accounts.gateway_clearing("sandbox"))


def suspense() -> int:
    return balance_fen(accounts.suspense("sandbox"))


def rows() -> dict[str, int]:
    """How much there is of everything that money could change."""
    kinds = (Entry, Payment, GatewayNotice, Refund, Discrepancy)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def broken() -> dict[str, int]:
    """Every promise about money that does not hold."""
    found = [check(promise) for room in (of_ledger, of_orders, of_payments) for promise in room()]
    return {each.invariant.name: each.violations for each in found if each.violations}
