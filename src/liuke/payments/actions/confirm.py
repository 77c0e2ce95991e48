"""Believe that a payment was made: what is told has to fit, then state, book and fact in one transaction."""

from __future__ import annotations

from typing import Literal

from django.db import transaction

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.base.prepared import Prepared, run
from liuke.ledger import accounts
from liuke.ledger.actions import Move, post
from liuke.orders.actions import held_order, mark_paid
from liuke.payments.actions.discrepancies import note_discrepancy
from liuke.payments.actions.refund import send_on, write_refund
from liuke.payments.gateways import gateway_of_old
from liuke.payments.gateways.protocol import Gateway, Trade
from liuke.payments.models import Payment

_PAYMENT = Prepared(lambda payment_id: Payment.objects.filter(pk=payment_id), int)
_HELD = Prepared(
    lambda payment_id: Payment.objects.select_for_update(no_key=True).filter(pk=payment_id), int
)
_PAID = """
UPDATE payments_payment SET state = 'paid', trade_no = %s, paid_at = %s, pays_order = %s, due_at = NULL WHERE id = %s
"""
Became = Literal["paid", "returned", "known", "odd"]


@transaction.atomic
def confirm_payment(*, payment_id: int, trade: Trade) -> Became:
    """Take what a gateway says was paid, once. What became of it:

    `paid`: the order is; `returned`: the order could not be paid any more, the money goes back by itself; `known`: we
    knew; `odd`: it does not fit, and a person has to look.
    """
    (payment,) = _PAYMENT(payment_id)
    return take_trade(held_payment(payment), trade)


def held_payment(payment: Payment) -> Payment:
    """A payment as it is now, with its order, both held until the transaction ends, the order first."""
    order = held_order(payment.order_id)
    (held,) = _HELD(payment.pk)
    held.order = order
    return held


def take_trade(payment: Payment, trade: Trade) -> Became:
    """The work of `confirm_payment`, in the caller's transaction, with a held payment.

    Raises:
        NotEnough: the wallet holds less.
    """
    chosen = gateway_of_old(payment.gateway)
    odd = _what_does_not_fit(payment, trade, chosen)
    if odd:
        note_discrepancy(odd, chosen.name, trade, payment)
        return "odd"
    if payment.state == "paid":
        return "known"
    refused = _pay_order(payment.order_id)
    payment.state, payment.trade_no = "paid", trade.trade_no
    payment.paid_at, payment.due_at = clock.now(), None
    payment.pays_order = refused is None
    run(_PAID, [payment.trade_no, payment.paid_at, payment.pays_order, payment.pk])
    _book(payment, chosen)
    if refused is not None:
        excess = write_refund(payment=payment, amount_fen=payment.amount_fen, why=refused, by=None)
        send_on(excess)
        return "returned"
    return "paid"


def _what_does_not_fit(payment: Payment, trade: Trade, chosen: Gateway) -> str:
    """The checks that gateways ask of everybody: our payment, its amount to the fen, its seller, our app."""
    if trade.app_id != chosen.app_id:
        return "wrong_app"
    if trade.seller != chosen.seller:
        return "wrong_seller"
    if trade.currency != payment.currency:
        return "wrong_currency"
    if payment.state == "paid" and trade.trade_no != payment.trade_no:
        return "other_trade"
    if trade.amount_fen != payment.amount_fen:
        return "wrong_amount"
    return ""


def _pay_order(order_id: int) -> str | None:
    """Move the order on; the name of the refusal when it cannot be: cancelled, paid before, or its goods are gone."""
    try:
        mark_paid(order_id=order_id)
    except Refusal as refused:
        return refused.code
    return None


def _book(payment: Payment, chosen: Gateway) -> None:
    order, source = payment.order, chosen.account(payment)
    if payment.pays_order:
        escrow = accounts.escrow(order.reference)
        moves = [Move(source, escrow, payment.amount_fen)]
        if order.subsidy_fen:
            moves.append(Move(accounts.coupon_subsidy(), escrow, order.subsidy_fen))
    else:
        moves = [Move(source, accounts.refund_due(order.reference), payment.amount_fen)]
    post(
        key=f"pay:{payment.gateway}:{payment.trade_no}",
        kind="payment",
        moves=moves,
        about=order.reference,
    )
