"""Which accounts are there, on which side does each grow, and which may never run short?

Legs are + debit and − credit. An account that grows on the credit side is what we owe or earned, one that grows on the
debit side what we have or spent. A guarded account never falls below zero, and its balance stands on its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.conf import settings

POINTS = "points"


@dataclass(frozen=True)
class Kind:
    """One line of the chart of accounts."""

    name: str
    grows_by: Literal["debit", "credit"]
    is_guarded: bool = False
    is_points: bool = False


_CHART = (
    Kind("gateway_clearing", "debit"),  # what a gateway has taken for us and not settled yet
    Kind("bank", "debit"),
    Kind("wallet", "credit", is_guarded=True),
    Kind("escrow", "credit", is_guarded=True),
    Kind("merchant_available", "credit", is_guarded=True),
    Kind("merchant_deposit", "credit", is_guarded=True),
    Kind("compensation_fund", "credit", is_guarded=True),
    Kind("refund_due", "credit", is_guarded=True),  # promised back, not yet with the member
    Kind("payout_in_transit", "credit", is_guarded=True),
    Kind("suspense", "credit"),  # came in, and nobody knows yet whose it is
    Kind("platform_fee", "credit"),
    Kind("gateway_fee", "debit"),
    Kind("coupon_subsidy", "debit"),
    Kind("sla_compensation", "debit"),
    Kind("write_off", "debit"),
    Kind("points", "credit", is_guarded=True, is_points=True),
    Kind("points_issued", "debit", is_points=True),
)
CHART = {kind.name: kind for kind in _CHART}
GUARDED = tuple(kind.name for kind in _CHART if kind.is_guarded)
KINDS = tuple(CHART)


@dataclass(frozen=True, order=True)
class AccountName:
    """One account: its kind in the chart, and whose it is ("" for the site's own)."""

    kind: str
    owner: str = ""

    def __post_init__(self) -> None:
        if self.kind not in CHART:
            raise ValueError(f"no account is called {self.kind}")

    @property
    def asset(self) -> str:
        """What is counted: the site's currency, or points."""
        return POINTS if CHART[self.kind].is_points else str(settings.LIUKE_CURRENCY)

    @property
    def is_guarded(self) -> bool:
        """Whether it may never fall below zero."""
        return CHART[self.kind].is_guarded

    @property
    def sign(self) -> int:
        """What turns a sum of legs into a balance that people read: 1 when it grows by debit, else -1."""
        return 1 if CHART[self.kind].grows_by == "debit" else -1


def gateway_clearing(gateway: str) -> AccountName:
    """What a gateway has taken for us and not settled yet."""
    return AccountName("gateway_clearing", gateway)


def bank() -> AccountName:
    """The site's money at the bank."""
    return AccountName("bank")


def wallet(person_id: int) -> AccountName:
    """What a person has left with us to buy with."""
    return AccountName("wallet", str(person_id))


def escrow(order_ref: str) -> AccountName:
    """The price of an order's goods, from payment until acceptance or refund."""
    return AccountName("escrow", order_ref)


def merchant_available(merchant_ref: str) -> AccountName:
    """What a merchant has earned and may be paid."""
    return AccountName("merchant_available", merchant_ref)


def merchant_deposit(merchant_ref: str) -> AccountName:
    """What a merchant has left as security."""
    return AccountName("merchant_deposit", merchant_ref)


def compensation_fund() -> AccountName:
    """What makes good where a merchant cannot."""
    return AccountName("compensation_fund")


def refund_due(order_ref: str) -> AccountName:
    """What was promised back for an order and has not reached the member yet."""
    return AccountName("refund_due", order_ref)


def payout_in_transit() -> AccountName:
    """What is on its way to merchants' banks."""
    return AccountName("payout_in_transit")


def platform_fee() -> AccountName:
    """The site's share of released orders."""
    return AccountName("platform_fee")


def gateway_fee() -> AccountName:
    """What gateways keep for their work."""
    return AccountName("gateway_fee")


def coupon_subsidy() -> AccountName:
    """What the site pays of a price: coupons, offers, gifts."""
    return AccountName("coupon_subsidy")


def sla_compensation() -> AccountName:
    """What the site pays for lateness."""
    return AccountName("sla_compensation")


def write_off() -> AccountName:
    """What is given up."""
    return AccountName("write_off")


def suspense(gateway: str) -> AccountName:
    """Money that came in and belongs to no order we know; a person decides."""
    return AccountName("suspense", gateway)


def points(person_id: int) -> AccountName:
    """A person's points."""
    return AccountName("points", str(person_id))


def points_issued() -> AccountName:
    """All points in the hands of members."""
    return AccountName("points_issued")
