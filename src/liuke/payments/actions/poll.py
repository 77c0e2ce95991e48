"""Ask gateways what became of payments, so that a notice that was lost is only late."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from django.db import transaction

from liuke.base import clock
from liuke.payments.actions.confirm import confirm_payment, held_payment
from liuke.payments.errors import GatewayAway, UnknownPayment
from liuke.payments.gateways import gateway_of_old
from liuke.payments.models import Payment
from liuke.payments.rules import LAST_LOOK_SECONDS, next_poll


def poll_payments(*, limit: int = 50) -> list[int]:
    """Ask about every payment that is due; the orders that are paid by it, to be delivered.

    At its end a payment is closed at the gateway, and looked at once more afterwards.
    """
    paid = []
    for payment in _take(limit):
        if _ask(payment) == "paid":
            paid.append(payment.order_id)
    return paid


def poll_payment(*, reference: str) -> Payment:
    """Ask about one payment now, unless someone else does: for the page to which a member comes back.

    Raises:
        UnknownPayment: there is none.
    """
    payment = Payment.objects.filter(reference=reference).select_related("order").first()
    if payment is None:
        raise UnknownPayment
    if payment.state == "open" and _take_in_hand(payment):
        _ask(payment)
        payment.refresh_from_db()
    return payment


@transaction.atomic
def _take(limit: int) -> list[Payment]:
    due = Payment.objects.filter(due_at__lte=clock.now()).order_by("due_at", "pk")
    taken = list(
        due.select_for_update(no_key=True, skip_locked=True, of=["self"]).select_related("order")[
            :limit
        ]
    )
    return [payment for payment in taken if _take_in_hand(payment)]


def _take_in_hand(payment: Payment) -> bool:
    """Move the next look on before looking: whoever dies now, and whoever comes now, waits for that one."""
    now = clock.now()
    due_at = next_poll(payment.polls, now, payment.expires_at)
    unmoved = Payment.objects.filter(pk=payment.pk, due_at=payment.due_at, polls=payment.polls)
    return bool(unmoved.update(due_at=due_at, polls=payment.polls + 1))


def _ask(payment: Payment) -> str:
    chosen = gateway_of_old(payment.gateway)
    with suppress(GatewayAway):
        trade = chosen.query(payment)
        if trade.state == "paid":
            return confirm_payment(payment_id=payment.pk, trade=trade)
        if payment.state != "open":
            Payment.objects.filter(pk=payment.pk, state="closed").update(due_at=None)
            return "closed"
        if trade.state == "closed":
            return _close(payment)
        if clock.now() >= payment.expires_at and chosen.close(payment):
            return _close(payment)
    return "open"


@transaction.atomic
def _close(payment: Payment) -> str:
    held = held_payment(payment)
    if held.state == "open":
        now = clock.now()
        held.state, held.closed_at = "closed", now
        held.due_at = now + dt.timedelta(seconds=LAST_LOOK_SECONDS)
        held.save(update_fields=["state", "closed_at", "due_at"])
    return held.state
