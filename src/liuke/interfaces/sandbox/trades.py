"""What the sandbox remembers: trades and their refunds, in memory and as lines of a file."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from liuke.base import clock


@dataclass
class Faults:
    """What goes wrong on purpose with one trade.

    `duplicate`: how often its notice is sent besides; `fresh_ids`: under another number each time. `delay` seconds
    before the first. `drop`: none is sent. `reorder`: not before another trade's has gone. `wrong_amount` is added to
    what is told. `forged`: one signed with a strange key goes ahead. `stale`: its moment is ten hours old.
    `break_answer`: paid or refunded, but the answer says 500. `refuse_refund`, `slow_refund`: no, or not at once.
    """

    duplicate: int = 0
    fresh_ids: bool = False
    delay: int = 0
    drop: bool = False
    reorder: bool = False
    wrong_amount: int = 0
    wrong_seller: bool = False
    wrong_app: bool = False
    wrong_currency: bool = False
    forged: bool = False
    stale: bool = False
    break_answer: bool = False
    refuse_refund: bool = False
    slow_refund: bool = False

    MOST: ClassVar[int] = 10_000

    @classmethod
    def read(cls, told: dict[str, Any]) -> Faults:
        """From a form or JSON; ValueError for a name that is none, or a number that cannot be."""
        faults = cls()
        for name, value in told.items():
            standard = getattr(faults, name, None)
            if name == "MOST" or standard is None:
                raise ValueError(f"no fault is called {name}")
            if isinstance(standard, bool):
                setattr(faults, name, str(value).lower() in ("1", "true", "on", "yes"))
            else:
                number = int(value or 0)
                if not -cls.MOST <= number <= cls.MOST:
                    raise ValueError(f"{name} is too much")
                setattr(faults, name, number)
        return faults


@dataclass
class Trade:
    """One payment as the gateway knows it."""

    reference: str
    trade_no: str
    token: str
    amount: int
    currency: str
    seller: str
    app_id: str
    subject: str
    expires_at: str
    notify_url: str
    return_url: str
    state: str = "waiting"
    paid_at: str | None = None
    notice_id: str = ""
    is_notified: bool = False
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    @property
    def is_over(self) -> bool:
        """Whether its time is up."""
        return clock.now() >= datetime.fromisoformat(self.expires_at)

    def told(self) -> dict[str, Any]:
        """What the site is told about it."""
        return {
            "reference": self.reference,
            "trade_no": self.trade_no,
            "state": self.state,
            "amount": self.amount,
            "currency": self.currency,
            "seller": self.seller,
            "app_id": self.app_id,
            "paid_at": self.paid_at,
        }

    def refunded(self) -> int:
        """What went back of it."""
        return sum(each["amount"] for each in self.refunds.values() if each["state"] != "failed")


class Trades:
    """All of them. Whoever changes one holds `changing`, which also writes it down."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._by_reference: dict[str, Trade] = {}
        self._by_token: dict[str, Trade] = {}
        self.next_faults = Faults()  # of the next trade that is begun
        if path.exists():
            written = path.read_text(encoding="utf-8")
            for line in written.splitlines():
                self._read(line)
            if written and not written.endswith("\n"):
                self._append("\n")  # the process was killed while it wrote

    def _read(self, line: str) -> None:
        try:
            told = json.loads(line)
            trade = Trade(**{**told, "faults": Faults(**told["faults"])})
        except (ValueError, TypeError, KeyError):
            return  # a line that was cut off
        self._keep(trade)

    def _keep(self, trade: Trade) -> None:
        self._by_reference[trade.reference] = trade
        self._by_token[trade.token] = trade

    def find(self, reference: str) -> Trade | None:
        return self._by_reference.get(reference)

    def find_by_number(self, trade_no: str) -> Trade | None:
        return next((t for t in self._by_reference.values() if t.trade_no == trade_no), None)

    def find_by_token(self, token: str) -> Trade | None:
        return self._by_token.get(token)

    def latest(self, count: int) -> list[Trade]:
        """The latest ones, newest first."""
        return list(self._by_reference.values())[: -count - 1 : -1]

    def not_notified(self) -> list[Trade]:
        """Paid, and the site has not said that it knows."""
        return [t for t in self._by_reference.values() if t.state == "paid" and not t.is_notified]

    def begin(self, **told: Any) -> Trade:
        """The trade of a reference: a new one, or the one that is there."""
        with self._lock:
            known = self._by_reference.get(told["reference"])
            if known is not None:
                return known
            trade = Trade(
                trade_no=f"SB{secrets.token_hex(10)}",
                token=secrets.token_urlsafe(16),
                faults=self.next_faults,
                **told,
            )
            self.next_faults = Faults()
            self._keep(trade)
            self._write(trade)
            return trade

    @contextmanager
    def changing(self, trade: Trade) -> Iterator[Trade]:
        with self._lock:
            yield trade
            self._write(trade)

    def _write(self, trade: Trade) -> None:
        self._append(json.dumps(asdict(trade), ensure_ascii=False) + "\n")

    def _append(self, text: str) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as stream:
            stream.write(text)
