"""Money or news that does not fit: kept apart in the book, listed for a person, settled once."""

from __future__ import annotations

from django.db import transaction

from liuke.base import clock, ids
from liuke.ledger import accounts
from liuke.ledger.actions import Move, post
from liuke.payments.actions.refund import send_on
from liuke.payments.errors import (
    DiscrepancySettled,
    NoteMissing,
    NothingToSendBack,
    UnknownDiscrepancy,
)
from liuke.payments.gateways.protocol import Trade
from liuke.payments.models import Discrepancy, Payment, Refund
from liuke.people.actions import record_act
from liuke.people.models import Login

_NOT_OURS = ("wrong_currency", "wrong_seller", "wrong_app")  # nothing that we could book came in


def note_discrepancy(kind: str, gateway: str, trade: Trade, payment: Payment | None) -> Discrepancy:
    """Write down what does not fit, once a trade, in the caller's transaction; its money goes into suspense."""
    is_booked = kind not in _NOT_OURS
    found, is_new = Discrepancy.objects.get_or_create(
        gateway=gateway,
        trade_no=trade.trade_no,
        defaults={
            "kind": kind,
            "told_reference": trade.reference,
            "payment": payment,
            "amount_fen": trade.amount_fen,
            "currency": trade.currency[:8],
            "is_booked": is_booked,
            "found_at": clock.now(),
        },
    )
    if is_new and is_booked:
        post(
            key=f"pay:{gateway}:{trade.trade_no}",
            kind="suspense",
            moves=[
                Move(
                    accounts.gateway_clearing(gateway), accounts.suspense(gateway), trade.amount_fen
                )
            ],
            about=payment.order.reference if payment else "",
        )
    if payment is not None and payment.state in ("open", "closed") and is_booked:
        payment.state, payment.due_at = "odd", None
        payment.save(update_fields=["state", "due_at"])
    return found


@transaction.atomic
def settle_discrepancy(
    *, discrepancy_id: int, how: str, note: str = "", by: Login | None
) -> Discrepancy:
    """Decide about something that does not fit: `refund` sends its money back the way it came, `note` says what was
    done about it elsewhere.

    Raises:
        UnknownDiscrepancy: there is none.
        DiscrepancySettled: someone was quicker.
        NothingToSendBack: its money never came to us.
        NoteMissing: how="note" without a word.
    """
    found = Discrepancy.objects.select_for_update(no_key=True).filter(pk=discrepancy_id).first()
    if found is None:
        raise UnknownDiscrepancy
    if found.settled_at is not None:
        raise DiscrepancySettled
    if how == "refund" and not found.is_booked:
        raise NothingToSendBack
    if how == "note" and not note.strip():
        raise NoteMissing
    found.settled_by, found.settled_at = how, clock.now()
    found.note, found.by = note.strip()[:300], by
    found.save(update_fields=["settled_by", "settled_at", "note", "by"])
    if how == "refund":
        _send_back(found, by)
    record_act(by=by, verb="discrepancy.settle", about=found.trade_no, how=how, note=found.note)
    return found


def _send_back(found: Discrepancy, by: Login | None) -> None:
    owner = found.payment.order.reference if found.payment else found.trade_no
    refund = Refund.objects.create(
        reference=ids.new_reference(),
        discrepancy=found,
        owner=owner,
        gateway=found.gateway,
        trade_no=found.trade_no,
        amount_fen=found.amount_fen,
        why=found.kind,
        asked_at=clock.now(),
        due_at=clock.now(),
        by=by,
    )
    post(
        key=f"promise:{refund.reference}",
        kind="refund_due",
        moves=[
            Move(accounts.suspense(found.gateway), accounts.refund_due(owner), found.amount_fen)
        ],
        about=owner,
    )
    send_on(refund)
