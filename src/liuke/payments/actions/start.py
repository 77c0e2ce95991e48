"""Begin to pay an order: the intent, then the gateway (outside any transaction), then where to pay."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from liuke.base import clock, ids
from liuke.base.prepared import Written
from liuke.orders.actions import held_order
from liuke.orders.models import Order
from liuke.payments.actions.confirm import take_trade
from liuke.payments.errors import NotPayable
from liuke.payments.gateways import gateway as gateway_named
from liuke.payments.gateways.protocol import Gateway, Trade
from liuke.payments.models import Payment
from liuke.payments.rules import WALLET, next_poll, payment_end

_PAYMENT = Written(Payment)


def start_payment(*, order: Order, gateway: str) -> Payment:
    """Begin to pay an order by a gateway; asked again while it is open, it is the same payment.

    An immediate gateway (the wallet) has paid when this returns. For another `pay_url` says where the member goes.
    Not to be called in a transaction: what a gateway was told would not be undone with it.

    Raises:
        UnknownGateway: not offered here.
        NotPayable: the order is paid or cancelled, or its time is up.
        NotEnough: the wallet holds less.
        GatewayAway: it does not answer; the payment stays open and can be begun again.
    """
    chosen = gateway_named(gateway)
    if chosen.is_immediate:
        return _pay_at_once(order, chosen)
    payment = _intend(order, chosen)
    if not payment.pay_url:
        payment.pay_url = chosen.create(payment).pay_url
        Payment.objects.filter(pk=payment.pk).update(pay_url=payment.pay_url)
    return payment


def pay_from_wallet(*, order: Order) -> Payment:
    """Pay with what the member has left with us; done or refused when this returns.

    Raises:
        NotPayable, NotEnough: see `start_payment`.
    """
    return start_payment(order=order, gateway=WALLET)


@transaction.atomic
def _pay_at_once(order: Order, chosen: Gateway) -> Payment:
    held = _payable(order)
    payment = _write(held, chosen)
    told = Trade(
        "paid",
        payment.reference,
        trade_no=payment.reference,
        amount_fen=payment.amount_fen,
        currency=payment.currency,
        seller=chosen.seller,
        app_id=chosen.app_id,
    )
    if take_trade(payment, told) != "paid":
        raise NotPayable  # and nothing is taken
    return payment


@transaction.atomic
def _intend(order: Order, chosen: Gateway) -> Payment:
    held = _payable(order)
    known = Payment.objects.filter(order=held, gateway=chosen.name, state="open").first()
    if known is not None:
        known.order = held
        return known
    return _write(held, chosen)


def _payable(order: Order) -> Order:
    held = held_order(order.pk)
    if held.state != "placed" or held.expires_at <= clock.now():
        raise NotPayable
    return held


def _write(order: Order, chosen: Gateway) -> Payment:
    now = clock.now()
    expires_at = payment_end(now, order.expires_at)
    return _PAYMENT(
        Payment(
            reference=ids.new_reference(),
            order=order,
            gateway=chosen.name,
            amount_fen=order.payable_fen,
            currency=settings.LIUKE_CURRENCY,
            started_at=now,
            expires_at=expires_at,
            due_at=next_poll(0, now, expires_at),
        )
    )
