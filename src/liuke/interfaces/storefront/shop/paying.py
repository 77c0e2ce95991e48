"""Paying an order: choose how, be sent to the gateway, come back. Who hears that money is there hands over at once.

Who came by a guest's link pays by it too, though not from a wallet. The gateway knows the payment alone, so the way
back to the link lies in a cookie that is good for this one address.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.delivery.actions import deliver_order
from liuke.interfaces.storefront.shop import words
from liuke.interfaces.storefront.shop.errors import NoWayToPay
from liuke.interfaces.storefront.shop.holding import held_order, holders_only, page_of
from liuke.interfaces.storefront.shop.visiting import (
    NobodyYet,
    ShopRequest,
    open_to_all,
    own_order,
    owners_only,
    who,
)
from liuke.interfaces.ui.refusals import status_of
from liuke.orders.actions import cancel_order
from liuke.orders.models import Order
from liuke.orders.queries import guest_index
from liuke.payments.actions import poll_payment, start_payment
from liuke.payments.errors import UnknownPayment
from liuke.payments.models import Payment
from liuke.payments.queries import (
    gateways_offered,
    last_gateway,
    payment_by_reference,
    payments_of,
    wallet_fen,
)

WALLET = "wallet"
BACK_COOKIE, BACK_LASTS_SECONDS = "back", 3600


@dataclass(frozen=True)
class Way:
    """A way to pay. `has_fen` is what lies in the wallet; `is_enough` whether it can be used now."""

    key: str
    name: str
    has_fen: int | None
    is_enough: bool
    is_last: bool


def ways_for(request: ShopRequest, payable_fen: int = 0, *, token: str = "") -> list[Way]:
    """How the visitor may pay so much; a guest has no wallet."""
    member = request.member
    last = last_gateway(member.pk) if member else None
    has = wallet_fen(member.pk) if member else 0
    return [
        Way(
            key=name,
            name=words.gateway_name(name),
            has_fen=has if name == WALLET else None,
            is_enough=name != WALLET or has >= payable_fen,
            is_last=name == last,
        )
        for name in way_keys(request, token=token)
    ]


def way_keys(request: ShopRequest, *, token: str = "") -> list[str]:
    """By which ways the visitor may pay at all; what a guest ordered is paid from nobody's wallet."""
    has_wallet = request.member is not None and not token
    return [name for name in gateways_offered() if name != WALLET or has_wallet]


def preset(request: ShopRequest, usable: list[str]) -> str:
    """Which of these is chosen already: the last one, else the first that is no wallet, else any."""
    last = last_gateway(request.member.pk) if request.member else None
    others = [name for name in usable if name != WALLET]
    return last if last in usable and last else next(iter([*others, *usable]), "")


def begin(request: ShopRequest, order: Order, way: str, *, token: str = "") -> HttpResponse:
    """Start paying an order that stands, however that ends: what was placed can be paid on its own page."""
    page = page_of(order, token=token)
    if order.state != "placed":
        return HttpResponseRedirect(page)
    try:
        payment = start_payment(order=order, gateway=way)
    except Refusal as refusal:
        return _choose(request, order, refusal, token=token)
    if payment.state == "paid":
        deliver_order(order_id=order.pk)
        return HttpResponseRedirect(page)
    return _remember_link(HttpResponseRedirect(f"{page}pay/"), payment, token)


@holders_only
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: ShopRequest, **named: str) -> HttpResponse:
    """On to the gateway where a payment is open, else the ways to choose from.

    Raises:
        UnknownOrder: there is none, it is someone else's, or the link opens nothing.
        NoWayToPay: not one of those shown.
    """
    order, token = held_order(request, **named), named.get("token", "")
    if request.method == "POST":
        way = request.POST.get("way", "")
        if way not in way_keys(request, token=token):
            raise NoWayToPay
        return begin(request, order, way, token=token)
    if order.state != "placed":
        return HttpResponseRedirect(page_of(order, token=token))
    payment = _open_payment(order)
    if payment is None or "other" in request.GET:
        return _choose(request, order, token=token)
    context = {
        "order": order,
        "base": page_of(order, token=token),
        "pay_url": payment.pay_url,
        "name": words.gateway_name(payment.gateway),
    }
    return _remember_link(render(request, "store/to_gateway.html", context), payment, token)


@open_to_all
@require_safe
def back(request: ShopRequest, reference: str) -> HttpResponse:
    """Where a gateway sends the visitor back to: it is asked once what became of the payment.

    Raises:
        UnknownPayment: there is none of this reference, or it is someone else's.
    """
    try:
        payment = payment_by_reference(reference)
        page = _page_after(request, payment)
    except UnknownPayment:
        if request.member is None:
            raise NobodyYet from None
        raise
    _ask(payment)
    return HttpResponseRedirect(page)


@holders_only
@require_POST
def check(request: ShopRequest, **named: str) -> HttpResponse:
    """“I have paid”: ask every gateway with an open payment.

    Raises:
        UnknownOrder: there is none, it is someone else's, or the link opens nothing.
    """
    order = held_order(request, **named)
    if order.state == "placed":
        for payment in payments_of(order).filter(state="open"):
            _ask(payment)
        order.refresh_from_db()
        if order.state == "placed":
            messages.info(
                request,
                gettext("No money has arrived so far. This page moves by itself when it has."),
            )
    return HttpResponseRedirect(page_of(order, token=named.get("token", "")))


@owners_only
@require_POST
def cancel(request: ShopRequest, reference: str) -> HttpResponse:
    """Give up an order that is not paid.

    Raises:
        UnknownOrder: there is none, or it is someone else's. OrderMovedOn: it is paid, or over.
    """
    order = own_order(request, reference)
    cancel_order(order_id=order.pk)
    messages.success(request, gettext("The order is cancelled. Nothing was charged."))
    return HttpResponseRedirect(page_of(order))


def _page_after(request: ShopRequest, payment: Payment) -> str:
    """Where the visitor sees what they paid: the owner by its number, others by the link they came by.

    Raises:
        UnknownPayment: it is someone else's.
    """
    someone, order = who(request), payment.order
    if someone is not None and order.person_id == someone.person_id:
        return page_of(order)
    token = request.get_signed_cookie(BACK_COOKIE, default="", salt=payment.reference)
    if token and order.guest_index == guest_index(token):
        return page_of(order, token=token)
    raise UnknownPayment


def _remember_link(response: HttpResponse, payment: Payment, token: str) -> HttpResponse:
    """Let this browser, when it comes back from paying, see the order by the link it came by."""
    if token:
        response.set_signed_cookie(
            BACK_COOKIE,
            token,
            salt=payment.reference,
            max_age=BACK_LASTS_SECONDS,
            path=reverse("storefront:back", args=[payment.reference]),
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response


def _ask(payment: Payment) -> None:
    if poll_payment(reference=payment.reference).state == "paid":
        deliver_order(order_id=payment.order_id)


def _open_payment(order: Order) -> Payment | None:
    """The payment to go on with: open at its gateway, which has said where."""
    still = payments_of(order).filter(state="open", expires_at__gt=clock.now()).exclude(pay_url="")
    return still.last()


def _choose(
    request: ShopRequest, order: Order, refusal: Refusal | None = None, *, token: str = ""
) -> HttpResponse:
    ways = ways_for(request, order.payable_fen, token=token)
    context = {
        "order": order,
        "base": page_of(order, token=token),
        "ways": ways,
        "way": preset(request, [way.key for way in ways if way.is_enough]),
        "refusal": refusal,
    }
    return render(request, "store/pay.html", context, status=status_of(refusal) if refusal else 200)
