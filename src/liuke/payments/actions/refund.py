"""Give money back: promise it in the book now, send it after the commit, and note when it has arrived."""

from __future__ import annotations

from django.db import transaction

from liuke.base import clock, ids, live
from liuke.base.jobs import enqueue
from liuke.events.actions import publish
from liuke.ledger import accounts, queries
from liuke.ledger.actions import Move, post
from liuke.orders.actions import held_order, mark_refunded
from liuke.orders.models import Order
from liuke.payments.errors import (
    NothingToRefund,
    RefundMovedOn,
    RefundTooLarge,
    UnknownRefund,
)
from liuke.payments.events import MoneyReturned
from liuke.payments.gateways import gateway_of_old
from liuke.payments.models import Payment, Refund
from liuke.payments.rules import WALLET
from liuke.people.actions import record_act
from liuke.people.models import Login


@transaction.atomic
def refund_order(
    *,
    order: Order,
    amount_fen: int | None = None,
    why: str,
    by: Login | None,
    to_wallet: bool = False,
) -> Refund:
    """Give back so much of a paid order that is not completed, by default all that is left, the way it came.

    The money leaves escrow now. With all of it the site's own part of the price goes back to the site too. A gateway
    is told after the commit; a wallet has it at once, as has one that is asked for by `to_wallet`.

    Raises:
        NothingToRefund: nothing was paid, or all went back.
        RefundTooLarge: more than is left of it.
        OrderMovedOn: it is completed, or no longer there.
    """
    held = held_order(order.pk)
    payment = Payment.objects.filter(order=held, pays_order=True).first()
    left = held.payable_fen - held.refunded_fen
    wanted = left if amount_fen is None else amount_fen
    if payment is None or left == 0 or wanted <= 0:
        raise NothingToRefund
    if wanted > left:
        raise RefundTooLarge
    mark_refunded(order_id=held.pk, amount_fen=wanted)
    payment.order = held
    refund = write_refund(payment=payment, amount_fen=wanted, why=why, by=by, to_wallet=to_wallet)
    _leave_escrow(refund, is_all=wanted == left)
    send_on(refund)
    if by is not None:
        record_act(by=by, verb="order.refund", about=held.reference, amount_fen=wanted, why=why)
    return refund


def write_refund(
    *, payment: Payment, amount_fen: int, why: str, by: Login | None, to_wallet: bool = False
) -> Refund:
    """Write a refund of a payment down, with its order held; a trigger bounds the sum. Its money is in refund_due."""
    return Refund.objects.create(
        reference=ids.new_reference(),
        payment=payment,
        owner=payment.order.reference,
        gateway=payment.gateway,
        trade_no=payment.trade_no,
        amount_fen=amount_fen,
        why=why[:40],
        to_wallet=to_wallet,
        asked_at=clock.now(),
        due_at=clock.now(),
        by=by,
    )


def _leave_escrow(refund: Refund, *, is_all: bool) -> None:
    escrow = accounts.escrow(refund.owner)
    moves = [Move(escrow, accounts.refund_due(refund.owner), refund.amount_fen)]
    rest = queries.balance_fen(escrow) - refund.amount_fen
    if is_all and rest:
        moves.append(Move(escrow, accounts.coupon_subsidy(), rest))
    post(key=f"promise:{refund.reference}", kind="refund_due", moves=moves, about=refund.owner)


def send_on(refund: Refund) -> None:
    """Finish it at once where nothing is outside; else a job does, as soon as this transaction is over."""
    if refund.to_wallet or gateway_of_old(refund.gateway).is_immediate:
        finish_refund(refund, provider_id=refund.reference)
    else:
        transaction.on_commit(
            lambda: enqueue("payments.send_refunds", once="payments.send_refunds")
        )


@transaction.atomic
def retry_refund(*, reference: str, by: Login | None) -> Refund:
    """Send a refund that failed once more.

    Raises:
        UnknownRefund: there is none.
        RefundMovedOn: it has not failed.
    """
    refund = _failed(reference)
    refund.state, refund.tries, refund.due_at = "pending", 0, clock.now()
    refund.save(update_fields=["state", "tries", "due_at"])
    record_act(by=by, verb="refund.retry", about=reference)
    send_on(refund)
    return refund


@transaction.atomic
def refund_to_wallet(*, reference: str, by: Login | None) -> Refund:
    """Give a refund that its gateway will not take to the member's wallet instead.

    Raises:
        UnknownRefund: there is none.
        RefundMovedOn: it has not failed, or belongs to nobody we know.
    """
    refund = _failed(reference)
    if refund.order is None:
        raise RefundMovedOn
    refund.to_wallet = True
    finish_refund(refund, provider_id=refund.reference)
    record_act(by=by, verb="refund.to_wallet", about=reference)
    return refund


def _failed(reference: str) -> Refund:
    refund = Refund.objects.select_for_update(no_key=True).filter(reference=reference).first()
    if refund is None:
        raise UnknownRefund
    if refund.state != "failed":
        raise RefundMovedOn
    return refund


def finish_refund(refund: Refund, *, provider_id: str) -> None:
    """The money is with the member: note it, book it, say it. In the caller's transaction, the refund held."""
    refund.state, refund.done_at, refund.due_at = "done", clock.now(), None
    refund.provider_id, refund.problem = provider_id[:64], ""
    refund.save(update_fields=["state", "done_at", "due_at", "provider_id", "problem", "to_wallet"])
    order = refund.order
    goes_to = WALLET if refund.to_wallet else refund.gateway
    if goes_to == WALLET:
        assert order is not None
        target = accounts.wallet(order.person_id)
    else:
        target = accounts.gateway_clearing(refund.gateway)
    post(
        key=f"refund:{refund.reference}",
        kind="refund",
        moves=[Move(accounts.refund_due(refund.owner), target, refund.amount_fen)],
        about=refund.owner,
    )
    if order is not None:
        live.tell("order", order.pk)
        publish(
            MoneyReturned(
                order_id=order.pk,
                reference=order.reference,
                person_id=order.person_id,
                amount_fen=refund.amount_fen,
                to=goes_to,
            ),
            member=order.member_id,
        )
