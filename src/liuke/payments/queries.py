"""How may somebody pay, how far is a payment, and what needs a person?"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from liuke.base.audit import Invariant
from liuke.ledger import accounts
from liuke.ledger import queries as book
from liuke.orders.models import Order
from liuke.payments import gateways
from liuke.payments.errors import UnknownPayment
from liuke.payments.models import Discrepancy, Payment, Refund
from liuke.payments.promises import promises


def gateways_offered() -> list[str]:
    """The names of the ways to pay, in the order in which they are offered."""
    return gateways.offered()


def wallet_fen(person_id: int) -> int:
    """What a person has left with us to buy with, in minor units."""
    return book.available_fen(accounts.wallet(person_id))


def payment_by_reference(reference: str) -> Payment:
    """The payment a reference names.

    Raises:
        UnknownPayment: none has it.
    """
    payment = Payment.objects.select_related("order").filter(reference=reference).first()
    if payment is None:
        raise UnknownPayment
    return payment


def payments_of(order: Order) -> QuerySet[Payment]:
    """Every attempt to pay an order, oldest first."""
    return Payment.objects.filter(order=order).order_by("pk")


def refunds_of(order: Order) -> QuerySet[Refund]:
    """All that goes or went back for an order, oldest first."""
    return Refund.objects.filter(payment__order=order).order_by("pk")


def last_gateway(person_id: int) -> str | None:
    """How a person paid the last time, if that is still offered."""
    names = Payment.objects.filter(
        order__person_id=person_id, state="paid", gateway__in=gateways.offered()
    )
    return names.order_by("-pk").values_list("gateway", flat=True).first()


def discrepancies() -> QuerySet[Discrepancy]:
    """What does not fit and waits for a person, oldest first."""
    return (
        Discrepancy.objects.filter(settled_at=None).select_related("payment__order").order_by("pk")
    )


def discrepancies_about(order: Order) -> QuerySet[Discrepancy]:
    """What did not fit with an order's payments, settled or not, oldest first."""
    return Discrepancy.objects.filter(payment__order=order).select_related("by").order_by("pk")


def failed_refunds() -> QuerySet[Refund]:
    """Refunds that a gateway will not take; a person sends them again or gives them to the wallet."""
    return Refund.objects.filter(state="failed").select_related("payment__order").order_by("pk")


def file_of(person_id: int) -> list[dict[str, Any]]:
    """How a person paid and what went back, as plain data, for the member, who may ask for it."""
    payments = Payment.objects.filter(order__person_id=person_id).select_related("order")
    return [
        {
            "order": payment.order.reference,
            "gateway": payment.gateway,
            "state": payment.state,
            "amount_fen": payment.amount_fen,
            "trade_no": payment.trade_no,
            "started_at": payment.started_at.isoformat(),
            "paid_at": payment.paid_at.isoformat() if payment.paid_at else None,
            "refunds": [
                {
                    "amount_fen": refund.amount_fen,
                    "to_wallet": refund.to_wallet,
                    "state": refund.state,
                    "done_at": refund.done_at.isoformat() if refund.done_at else None,
                }
                for refund in payment.refunds.all()
            ],
        }
        for payment in payments.prefetch_related("refunds").order_by("pk")
    ]


def invariants() -> list[Invariant]:
    """What this room promises about its tables, and about the book where it concerns orders."""
    return promises()
