"""Hear what a gateway tells us: verify, keep it as it came, and believe it once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from liuke.base import clock
from liuke.payments.actions.confirm import confirm_payment
from liuke.payments.actions.discrepancies import note_discrepancy
from liuke.payments.errors import BadNotice, UnknownGateway
from liuke.payments.gateways import gateway as gateway_named
from liuke.payments.gateways.protocol import Gateway, Notice, Reply
from liuke.payments.models import GatewayNotice, Payment

HEADERS_KEPT = 30

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heard:
    """What to answer the gateway, and the order that is paid now ("" fits none), to be delivered at once."""

    reply: Reply
    became: str
    paid_order_id: int | None = None


def receive_notice(*, gateway: str, headers: Mapping[str, str], body: bytes) -> Heard:
    """Take one notice from outside; told again, or replayed, it changes nothing and gets the same answer.

    What is not signed by the gateway is refused and leaves no row; what is signed and does not fit is kept for a
    person. Whatever is answered with "taken" is in the database by then.

    Raises:
        UnknownGateway: not in use here.
        BadNotice: not theirs, too old, or not readable.
    """
    chosen = gateway_named(gateway)
    if chosen.is_immediate:
        raise UnknownGateway
    told = {name.lower(): value for name, value in headers.items()}
    try:
        notice = chosen.read_notice(told, body)
    except BadNotice:
        log.warning("A notice to %s was refused: not theirs, too old, or not readable", gateway)
        raise
    became, order_id = _take(chosen, notice, told, body)
    return Heard(chosen.reply(is_taken=became != "odd"), became, order_id)


@transaction.atomic
def _take(
    chosen: Gateway, notice: Notice, headers: Mapping[str, str], body: bytes
) -> tuple[str, int | None]:
    kept, is_new = GatewayNotice.objects.get_or_create(
        gateway=chosen.name,
        notice_id=notice.notice_id,
        defaults={
            "raw": body,
            "headers": dict(list(headers.items())[:HEADERS_KEPT]),
            "received_at": clock.now(),
        },
    )
    if not is_new:
        return kept.became, None
    trade = notice.trade
    payment = Payment.objects.filter(reference=trade.reference, gateway=chosen.name).first()
    if trade.state != "paid":
        became = "ignored"
    elif payment is None:
        note_discrepancy("unknown_order", chosen.name, trade, None)
        became = "odd"
    else:
        became = confirm_payment(payment_id=payment.pk, trade=trade)
    kept.payment, kept.became = payment, became
    kept.save(update_fields=["payment", "became"])
    return became, payment.order_id if payment and became == "paid" else None
