"""Hear what a gateway tells us: verify, keep it as it came, and believe it once."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection, transaction

from liuke.base import clock
from liuke.payments.actions.confirm import held_payment, take_trade
from liuke.payments.actions.discrepancies import note_discrepancy
from liuke.payments.errors import BadNotice, UnknownGateway
from liuke.payments.gateways import gateway as gateway_named
from liuke.payments.gateways.protocol import Gateway, Notice, Reply
from liuke.payments.models import GatewayNotice, Payment

HEADERS_KEPT = 30
_KEEP = """
INSERT INTO payments_gateway_notice (gateway, notice_id, raw, headers, became, received_at)
VALUES (%s, %s, %s, %s, '', %s) ON CONFLICT (gateway, notice_id) DO NOTHING RETURNING id
"""

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
    notice_row = _keep(chosen, notice, headers, body)
    if notice_row is None:
        known = GatewayNotice.objects.get(gateway=chosen.name, notice_id=notice.notice_id)
        return known.became, None
    trade = notice.trade
    payment = Payment.objects.filter(reference=trade.reference, gateway=chosen.name).first()
    became: str
    if trade.state != "paid":
        became = "ignored"
    elif payment is None:
        note_discrepancy("unknown_order", chosen.name, trade, None)
        became = "odd"
    else:
        became = take_trade(held_payment(payment), trade)
    GatewayNotice.objects.filter(pk=notice_row).update(payment=payment, became=became)
    return became, payment.order_id if payment and became == "paid" else None


def _keep(chosen: Gateway, notice: Notice, headers: Mapping[str, str], body: bytes) -> int | None:
    """The row of a notice that is new; None when it is there. Who tells it at the same moment waits for the first."""
    kept = dict(list(headers.items())[:HEADERS_KEPT])
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [chosen.name, notice.notice_id, body, json.dumps(kept), clock.now()])
        row = cursor.fetchone()
    return int(row[0]) if row else None
