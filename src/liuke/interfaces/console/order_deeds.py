"""What may be done about one order: give it up, give money back, do the work, look at what is sealed."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from liuke.base.errors import Refusal
from liuke.catalog.actions import reveal_key
from liuke.delivery.actions import deliver_by_hand, take_back_order
from liuke.delivery.errors import UnknownDelivery
from liuke.delivery.models import DeliveredKey, Delivery
from liuke.interfaces.console.errors import NotAnAmount, ReasonMissing
from liuke.interfaces.console.once import is_first
from liuke.interfaces.console.order_page import Shown, order_page
from liuke.interfaces.console.product_forms import fen, money_field
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.figures import price
from liuke.interfaces.ui.handiwork import add_step_once, open_secrets
from liuke.interfaces.ui.order_lines import shown_lines
from liuke.interfaces.ui.refusals import status_of
from liuke.orders.actions import cancel_order
from liuke.orders.models import Order
from liuke.orders.queries import order_named
from liuke.payments.actions import refund_order
from liuke.people.models import Login

REASON_LETTERS = 200


@require_POST
def cancel(request: HttpRequest, number: str) -> HttpResponseRedirect:
    """Give up an order that is not paid.

    Raises:
        UnknownOrder: none has this number.
    """
    order = order_named(number)
    attempt(
        request,
        lambda: cancel_order(order_id=order.pk, reason="staff", by=login_of(request)),
        gettext("Cancelled. Its stock, coupon and offers are free again."),
    )
    return redirect("console:order", order.reference)


@require_POST
def refund(request: HttpRequest, number: str) -> HttpResponseRedirect:
    """Give money back: everything that was not accepted with the goods, or an amount without them. A form counts once.

    Raises:
        UnknownOrder: none has this number.
    """
    order, given = order_named(number), request.POST
    if not is_first(request):
        messages.warning(request, gettext("This was sent before and counts once."))
        return redirect("console:order", order.reference)
    try:
        why = _reason(given.get("reason", ""))
        amount = None if given.get("do") == "all" else _amount(given.get("amount", ""))
        paid_fen = _give_back(order, amount, why, login_of(request))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, gettext("%(money)s goes back.") % {"money": price(paid_fen)})
    return redirect("console:order", order.reference)


@require_POST
def deliver(request: HttpRequest, number: str, line: int) -> HttpResponseRedirect:
    """Tell the buyer how far the work is (`do=step`), or that it is done.

    Raises:
        UnknownDelivery: nothing of this line is delivered. UnknownOrder: none has this number.
    """
    order, given, by = order_named(number), request.POST, login_of(request)
    delivery = _delivery(order, line)
    note, proof = given.get("note", ""), given.get("proof", "")
    if given.get("do") == "step":
        attempt(
            request,
            lambda: add_step_once(delivery=delivery, text=note, proof=proof, by=by),
            gettext("The buyer reads it on their page."),
        )
    else:
        attempt(
            request,
            lambda: deliver_by_hand(line_id=delivery.line_id, note=note, proof=proof, by=by),
            gettext("Delivered."),
        )
    return redirect("console:order", order.reference)


@require_POST
def secrets(request: HttpRequest, number: str, line: int) -> HttpResponse:
    """Show what a buyer told us in secret, for this answer only; who looked is written down.

    Raises:
        UnknownOrder: none has this number, or no such line.
    """
    order = order_named(number)
    shown = next((one for one in shown_lines(order) if one.line.number == line), None)
    if shown is None:
        raise UnknownDelivery
    told = open_secrets(line=shown.line, order=order, by=login_of(request))
    return order_page(request, order, secrets=(shown, told))


@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Show one key of the order, for this answer only; who looked and why is written down first.

    Raises:
        UnknownDelivery: not a key of this order. UnknownOrder: none has this number.
    """
    order, login = order_named(number), login_of(request)
    key = _key(order, request.POST.get("key", ""))
    try:
        secret = reveal_key(
            key_id=key.key_id,
            actor=login,
            role=login.role,
            reason=request.POST.get("reason", ""),
            ip=request.META.get("REMOTE_ADDR", ""),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return order_page(request, order, status=status_of(refusal))
    return order_page(request, order, revealed=Shown(key, secret.reveal()))


def _give_back(order: Order, amount_fen: int | None, why: str, by: Login) -> int:
    """An amount without the goods; or everything: the goods too where any were handed over."""
    if amount_fen is None and Delivery.objects.filter(order=order).exists():
        return take_back_order(order_id=order.pk, why=why, by=by)
    return refund_order(order=order, amount_fen=amount_fen, why=why, by=by).amount_fen


def _reason(text: str) -> str:
    tidy = " ".join(text.split())[:REASON_LETTERS]
    if not tidy:
        raise ReasonMissing
    return tidy


def _amount(text: str) -> int:
    try:
        amount_fen = fen(money_field().clean(text))
    except ValidationError as wrong:
        raise NotAnAmount from wrong
    if not amount_fen:
        raise NotAnAmount
    return amount_fen


def _delivery(order: Order, number: int) -> Delivery:
    found = Delivery.objects.filter(order=order, line__number=number).first()
    if found is None:
        raise UnknownDelivery
    return found


def _key(order: Order, text: str) -> DeliveredKey:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
    found = DeliveredKey.objects.select_related("key").filter(pk=number, delivery__order=order)
    key = found.first()
    if key is None:
        raise UnknownDelivery
    return key
