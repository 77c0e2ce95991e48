"""The sandbox gateway as seen from the site: JSON over HTTP, both directions signed with RSA.

A request is signed over method, path, moment, nonce and body; an answer and a notice over moment, nonce and body. The
keys lie in `$LIUKE_HOME/sandbox`, where `liuke sandbox` makes them.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from liuke.base import clock
from liuke.base.outside import Accepted, Outcome, Rejected, Unknown
from liuke.ledger import accounts
from liuke.ledger.accounts import AccountName
from liuke.payments.errors import BadNotice, GatewayAway
from liuke.payments.gateways import outbound, signatures
from liuke.payments.gateways.protocol import Notice, Reply, Started, Trade, TradeState
from liuke.payments.models import Payment, Refund

NAME = "sandbox"
APP_ID, SELLER = "liuke-demo", "liuke"
FRESH_SECONDS = 300
_STATES = ("waiting", "paid", "closed")
_PREFIX = "x-sandbox-"


@dataclass(frozen=True)
class Keys:
    """Ours to sign with, theirs to believe."""

    site: rsa.RSAPrivateKey
    gateway: rsa.RSAPublicKey

    @property
    def site_serial(self) -> str:
        return signatures.serial_of(self.site.public_key())

    @property
    def gateway_serial(self) -> str:
        return signatures.serial_of(self.gateway)


class Sandbox:
    """The gateway of the demo, a process of its own."""

    name = NAME
    is_immediate = False
    seller, app_id = SELLER, APP_ID

    def __init__(self, base: str, folder: Path) -> None:
        self.base, self.folder = base, folder

    def account(self, payment: Payment) -> AccountName:
        return accounts.gateway_clearing(NAME)

    def create(self, payment: Payment) -> Started:
        site = settings.LIUKE_SITE_URL
        told = self._ask(
            "POST",
            "/v1/trades",
            {
                "app_id": APP_ID,
                "seller": SELLER,
                "reference": payment.reference,
                "amount": payment.amount_fen,
                "currency": payment.currency,
                "subject": payment.order.reference,
                "expires_at": payment.expires_at.isoformat(),
                "notify_url": f"{site}/pay/notify/{NAME}/",
                "return_url": f"{site}/pay/back/{payment.reference}/",
            },
        )
        pay_url = told.get("pay_url")
        if not isinstance(pay_url, str) or not pay_url.startswith(f"{self.base}/"):
            raise GatewayAway
        return Started(pay_url)

    def query(self, payment: Payment) -> Trade:
        told = self._ask("GET", f"/v1/trades/{payment.reference}", is_missing_fine=True)
        return _trade(told) if told else Trade("unknown", payment.reference)

    def close(self, payment: Payment) -> bool:
        told = self._ask("POST", f"/v1/trades/{payment.reference}/close", {}, is_missing_fine=True)
        return not told or _trade(told).state == "closed"

    def refund(self, refund: Refund) -> Outcome:
        asked = {
            "reference": refund.reference,
            "trade_no": refund.trade_no,
            "amount": refund.amount_fen,
        }
        try:
            told = self._ask("POST", "/v1/refunds", asked)
        except GatewayAway:
            return Unknown("no answer")
        if told.get("state") == "done":
            return Accepted(str(told.get("refund_no", "")))
        if told.get("state") == "failed":
            return Rejected(str(told.get("why", ""))[:120])
        return Unknown("still at work")

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        try:
            self._check(headers, body)
            told = _read(body)
            notice_id, trade = told["id"], told["trade"]
            if not isinstance(notice_id, str) or not 0 < len(notice_id) <= 64:
                raise BadNotice
            return Notice(notice_id, _trade(trade))
        except (GatewayAway, KeyError, TypeError) as unreadable:
            raise BadNotice from unreadable

    def reply(self, *, is_taken: bool) -> Reply:
        return Reply(200, '{"code":"SUCCESS"}') if is_taken else Reply(409, '{"code":"FAIL"}')

    def _keys(self) -> Keys:
        try:
            files = [self.folder / "site.key", self.folder / "gateway.pub"]
            return _load(*((path, path.stat().st_mtime_ns) for path in files))
        except (OSError, ValueError) as missing:
            raise GatewayAway from missing

    def _ask(
        self,
        method: str,
        path: str,
        told: Mapping[str, Any] | None = None,
        *,
        is_missing_fine: bool = False,
    ) -> dict[str, Any]:
        keys = self._keys()
        body = b"" if told is None else json.dumps(told).encode()
        moment, nonce = str(int(clock.now().timestamp())), secrets.token_hex(16)
        signed = f"{method}\n{path}\n{moment}\n{nonce}\n".encode() + body + b"\n"
        headers = {
            "Content-Type": "application/json",
            "X-Sandbox-App": APP_ID,
            "X-Sandbox-Serial": keys.site_serial,
            "X-Sandbox-Timestamp": moment,
            "X-Sandbox-Nonce": nonce,
            "X-Sandbox-Signature": signatures.sign(keys.site, signed),
        }
        answer = outbound.call(method=method, base=self.base, path=path, headers=headers, body=body)
        try:
            self._check(answer.headers, answer.body)
        except BadNotice as forged:  # an answer without a good signature is nobody's
            raise GatewayAway from forged
        if answer.status == 404 and is_missing_fine:
            return {}
        if answer.status != 200:
            raise GatewayAway
        return _read(answer.body)

    def _check(self, headers: Mapping[str, str], body: bytes) -> None:
        keys = self._keys()
        moment = headers.get(f"{_PREFIX}timestamp", "")
        nonce = headers.get(f"{_PREFIX}nonce", "")
        if headers.get(f"{_PREFIX}serial") != keys.gateway_serial:
            raise BadNotice
        if not (moment.isascii() and moment.isdecimal() and len(moment) <= 12):
            raise BadNotice
        if abs(clock.now().timestamp() - int(moment)) >= FRESH_SECONDS:
            raise BadNotice
        signed = f"{moment}\n{nonce}\n".encode() + body + b"\n"
        if not signatures.is_signed(keys.gateway, signed, headers.get(f"{_PREFIX}signature", "")):
            raise BadNotice


def sandbox() -> Sandbox:
    """The sandbox of this installation."""
    return Sandbox(settings.LIUKE_SANDBOX_URL, Path(settings.LIUKE_HOME) / "sandbox")


@lru_cache(maxsize=4)
def _load(site: tuple[Path, int], gateway: tuple[Path, int]) -> Keys:
    return Keys(
        signatures.read_private(site[0].read_bytes()),
        signatures.read_public(gateway[0].read_bytes()),
    )


def _read(body: bytes) -> dict[str, Any]:
    """JSON of one object that names nothing twice."""
    try:
        told = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as unreadable:
        raise GatewayAway from unreadable
    if not isinstance(told, dict):
        raise GatewayAway
    return told


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise ValueError("named twice")
    return told


def _trade(told: object) -> Trade:
    if not isinstance(told, dict) or told.get("state") not in _STATES:
        raise GatewayAway
    texts = [told.get(name) for name in ("reference", "trade_no", "currency", "seller", "app_id")]
    amount = told.get("amount")
    if type(amount) is not int or not 0 < amount < 2**53:
        raise GatewayAway
    if not all(isinstance(text, str) and len(text) <= 64 and text.isprintable() for text in texts):
        raise GatewayAway
    reference, trade_no, currency, seller, app_id = cast(list[str], texts)
    return Trade(
        state=cast(TradeState, told["state"]),
        reference=reference,
        trade_no=trade_no,
        amount_fen=amount,
        currency=currency,
        seller=seller,
        app_id=app_id,
        paid_at=_moment(told.get("paid_at")),
    )


def _moment(text: object) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError as unreadable:
        raise GatewayAway from unreadable
    return at if at is None or at.tzinfo else None
