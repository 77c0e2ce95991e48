"""What is a gateway? The shape that the wallet, the sandbox, and later Alipay and WeChat Pay have in common.

An adapter knows one gateway's way of speaking and nothing of our tables beyond the row it is handed. It raises
`GatewayAway` when nobody answers as they should, and never decides what an answer means for an order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from liuke.base.outside import Outcome
from liuke.ledger.accounts import AccountName
from liuke.payments.models import Payment, Refund

TradeState = Literal["unknown", "waiting", "paid", "closed"]


@dataclass(frozen=True)
class Started:
    """The gateway expects the money: where the member pays, or that it is there already."""

    pay_url: str = ""
    is_paid: bool = False


@dataclass(frozen=True)
class Trade:
    """What a gateway says about a payment: all that has to be compared before anything is believed.

    `reference` is what we called it, `trade_no` what the gateway does.
    """

    state: TradeState
    reference: str
    trade_no: str = ""
    amount_fen: int = 0
    currency: str = ""
    seller: str = ""
    app_id: str = ""
    paid_at: dt.datetime | None = None


@dataclass(frozen=True)
class Notice:
    """A notice whose signature is good; `notice_id` stays the same when it is sent again."""

    notice_id: str
    trade: Trade


@dataclass(frozen=True)
class Reply:
    """What the gateway wants to hear."""

    status: int
    body: str
    content_type: str = "application/json"


class Gateway(Protocol):
    """One way to pay. `is_immediate`: the money is here or not at the moment of asking, nothing is outside."""

    name: str
    is_immediate: bool
    seller: str
    app_id: str

    def account(self, payment: Payment) -> AccountName:
        """Where the money of a payment comes from, and goes back to."""
        ...

    def create(self, payment: Payment) -> Started:
        """Tell the gateway what we expect. Told again, it is the same trade."""
        ...

    def query(self, payment: Payment) -> Trade:
        """What became of it."""
        ...

    def close(self, payment: Payment) -> bool:
        """Take no more money for it; False when it was paid meanwhile."""
        ...

    def refund(self, refund: Refund) -> Outcome:
        """Send money back. Told again with the same reference, it is the same refund: `Unknown` may be tried again."""
        ...

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify and read what was sent to our address. Header names are lower case.

        Raises:
            BadNotice: not theirs, not now, or not readable.
        """
        ...

    def reply(self, *, is_taken: bool) -> Reply:
        """Taken, or please tell again."""
        ...
