"""What stands on the page of one order: the way of the goods, the way of the money, and what may be done now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from liuke.catalog.models import KeyAccess
from liuke.delivery.models import DeliveredKey
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.once import new_token
from liuke.interfaces.console.product_forms import amount_text
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui import moments
from liuke.interfaces.ui.moments import Moment
from liuke.interfaces.ui.order_lines import ShownLine, shown_lines
from liuke.interfaces.ui.order_words import account_says, entry_says, gateway_name
from liuke.ledger import accounts
from liuke.ledger.queries import balance_fen, entries_about
from liuke.orders.models import Line, Order
from liuke.orders.queries import is_guest
from liuke.payments.models import Payment, Refund
from liuke.payments.queries import discrepancies_about, payments_of, refunds_of
from liuke.people.queries import acts

IN_ESCROW = ("paid", "delivered")


@dataclass(frozen=True)
class Leg:
    """What an entry did to one account, as people read it."""

    account: str
    debit_fen: int
    credit_fen: int


@dataclass(frozen=True)
class Booking:
    """An entry of the book about the order."""

    at: dt.datetime
    says: str
    legs: Sequence[Leg]


@dataclass(frozen=True)
class Shown:
    """A card key in plain, for one answer only."""

    key: DeliveredKey
    text: str


def order_page(
    request: HttpRequest,
    order: Order,
    *,
    revealed: Shown | None = None,
    secrets: tuple[ShownLine, Mapping[str, str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of an order; with a key or secret answers in plain when this answer was asked for them."""
    lines = shown_lines(order)
    payments, refunds = list(payments_of(order)), list(refunds_of(order).select_related("by"))
    left_fen = order.payable_fen - order.refunded_fen
    context = {
        "frame": frame_of(request, "orders"),
        "order": order,
        "is_known": not is_guest(order.member),
        "lines": lines,
        "moments": _moments(order, lines, payments, refunds),
        "payments": payments,
        "refunds": refunds,
        "book": book_of(order, [line.line for line in lines]),
        "escrow_fen": balance_fen(accounts.escrow(order.reference)),
        "left_fen": left_fen,
        "left_text": amount_text(left_fen),
        "may_refund": login_of(request).is_operator and order.state in IN_ESCROW and left_fen > 0,
        "once": new_token(),
        "revealed": revealed,
        "secrets": secrets,
    }
    return render(request, "console/order.html", context, status=status)


def _moments(
    order: Order,
    lines: Sequence[ShownLine],
    payments: Sequence[Payment],
    refunds: Sequence[Refund],
) -> list[Moment]:
    deliveries = [line.delivery for line in lines if line.delivery is not None]
    act = acts(things=["order"], about=order.reference).filter(verb="order.cancel").first()
    return moments.in_order(
        [
            *moments.moments_of_order(order),
            *moments.moments_of_payments(payments),
            *(one for each in deliveries for one in moments.moments_of_delivery(each)),
            *moments.moments_of_looks(_looks(lines)),
            *moments.moments_of_discrepancies(discrepancies_about(order)),
            *moments.moments_of_refunds(refunds),
            *moments.moments_of_end(order, cancelled_by=act.by.name if act and act.by else ""),
        ]
    )


def _looks(lines: Sequence[ShownLine]) -> list[KeyAccess]:
    """Who of the staff was shown a key of this order."""
    keys = [key.key_id for line in lines for key in line.keys]
    found = KeyAccess.objects.filter(key_id__in=keys, login__isnull=False)
    return list(found.select_related("login", "key").order_by("id"))


def book_of(order: Order, lines: Sequence[Line]) -> list[Booking]:
    """Everything that was booked about the order, its accounts in words."""
    merchants = {line.merchant.reference: line.merchant.name for line in lines}

    def said(name: accounts.AccountName) -> str:
        owner = merchants.get(name.owner) or gateway_name(name.owner)
        return account_says(name.kind, owner)

    return [
        Booking(
            at=entry.at,
            says=entry_says(entry.kind),
            legs=[
                Leg(said(leg.account), max(leg.amount_fen, 0), max(-leg.amount_fen, 0))
                for leg in entry.legs
            ],
        )
        for entry in entries_about(order.reference)
    ]
