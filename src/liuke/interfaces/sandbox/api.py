"""What the site may ask, signed: begin a trade, look at it, close it, send money back."""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from liuke.base import clock
from liuke.interfaces.sandbox.notices import Notifier, is_loopback
from liuke.interfaces.sandbox.signing import Keys
from liuke.interfaces.sandbox.trades import Trade, Trades

FRESH_SECONDS = 300
NONCES_KEPT = 100_000
_TEXTS = ("app_id", "seller", "reference", "currency", "subject", "expires_at", "notify_url", "return_url")  # fmt: skip

Answer = tuple[int, dict[str, Any]]


class Api:
    """The signed side of the gateway."""

    def __init__(self, base: str, trades: Trades, keys: Keys, notifier: Notifier) -> None:
        self.base, self.trades, self.keys, self.notifier = base, trades, keys, notifier
        self._nonces: OrderedDict[str, None] = OrderedDict()

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body), signed, whatever was asked."""
        if not self._is_signed(method, path, headers, body):
            status, told = 401, {"why": "signature"}
        else:
            try:
                status, told = self._route(method, path, json.loads(body) if body else {})
            except (ValueError, TypeError, KeyError) as wrong:
                status, told = 400, {"why": str(wrong)[:100]}
        answer = json.dumps(told).encode()
        return status, self._signature(answer), answer

    def _is_signed(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        moment, nonce = headers.get("timestamp", ""), headers.get("nonce", "")
        if not moment.isdecimal() or not 8 <= len(nonce) <= 64 or nonce in self._nonces:
            return False
        if abs(clock.now().timestamp() - int(moment)) >= FRESH_SECONDS:
            return False
        text = f"{method}\n{path}\n{moment}\n{nonce}\n".encode() + body + b"\n"
        if not self.keys.is_from_site(
            text, headers.get("signature", ""), headers.get("serial", "")
        ):
            return False
        self._nonces[nonce] = None
        if len(self._nonces) > NONCES_KEPT:
            self._nonces.popitem(last=False)
        return True

    def _signature(self, body: bytes) -> dict[str, str]:
        moment, nonce = str(int(clock.now().timestamp())), secrets.token_hex(16)
        return {
            "Content-Type": "application/json",
            "X-Sandbox-Serial": self.keys.serial,
            "X-Sandbox-Timestamp": moment,
            "X-Sandbox-Nonce": nonce,
            "X-Sandbox-Signature": self.keys.sign(f"{moment}\n{nonce}\n".encode() + body + b"\n"),
        }

    def _route(self, method: str, path: str, told: dict[str, Any]) -> Answer:
        parts = path.strip("/").split("/")
        if method == "POST" and parts == ["v1", "trades"]:
            return self._begin(told)
        if method == "POST" and parts == ["v1", "refunds"]:
            return self._refund(told)
        trade = self.trades.find(parts[2]) if parts[:2] == ["v1", "trades"] else None
        if trade is None:
            return 404, {"why": "unknown"}
        if method == "GET" and len(parts) == 3:
            self.end_if_over(trade)
            return 200, trade.told()
        if method == "POST" and parts[3:] == ["close"]:
            return self._close(trade)
        return 404, {"why": "unknown"}

    def _begin(self, told: dict[str, Any]) -> Answer:
        amount = told["amount"]
        if type(amount) is not int or amount <= 0:
            raise ValueError("amount")
        texts = {name: str(told[name])[:500] for name in _TEXTS}
        datetime.fromisoformat(texts["expires_at"])
        if not is_loopback(texts["notify_url"]):
            raise ValueError("notices go to this machine only")
        trade = self.trades.begin(amount=amount, **texts)
        if (trade.amount, trade.currency) != (amount, texts["currency"]):
            return 409, {"why": "another amount was told before"}
        return 200, {**trade.told(), "pay_url": f"{self.base}/pay/{trade.token}/"}

    def _close(self, trade: Trade) -> Answer:
        with self.trades.changing(trade):
            if trade.state == "waiting":
                trade.state = "closed"
        return 200, trade.told()

    def end_if_over(self, trade: Trade) -> None:
        """A trade that nobody paid in time is closed."""
        if trade.state == "waiting" and trade.is_over:
            self._close(trade)

    def pay(self, trade: Trade, *, anyway: bool = False) -> bool:
        """Somebody pays: on the page, or `anyway`, after it was closed. False when it cannot be."""
        self.end_if_over(trade)
        with self.trades.changing(trade):
            if trade.state == "paid" or (trade.state == "closed" and not anyway):
                return False
            trade.state, trade.paid_at = "paid", clock.now().isoformat()
            trade.notice_id = f"N{secrets.token_hex(12)}"
        self.notifier.tell(trade)
        return True

    def _refund(self, told: dict[str, Any]) -> Answer:
        trade, amount = self.trades.find_by_number(str(told["trade_no"])), told["amount"]
        if trade is None or trade.state != "paid":
            return 404, {"why": "unknown"}
        if type(amount) is not int or amount <= 0:
            raise ValueError("amount")
        reference = str(told["reference"])[:64]
        with self.trades.changing(trade):
            known = trade.refunds.get(reference)
            if known is None:
                known = trade.refunds[reference] = self._new_refund(trade, amount)
            elif known["state"] == "slow":  # asked again, it is ready
                known["state"] = "done"
            if known["amount"] != amount:
                return 409, {"why": "another amount was told before"}
        if trade.faults.break_answer:
            trade.faults.break_answer = False
            return 500, {"why": "broken on purpose, after it was done"}
        return 200, known

    def _new_refund(self, trade: Trade, amount: int) -> dict[str, Any]:
        made: dict[str, Any] = {"amount": amount, "refund_no": f"SR{secrets.token_hex(10)}"}
        if trade.faults.refuse_refund:
            return {**made, "state": "failed", "why": "refused on purpose"}
        if trade.refunded() + amount > trade.amount:
            return {**made, "state": "failed", "why": "more than was paid"}
        return {**made, "state": "slow" if trade.faults.slow_refund else "done"}
