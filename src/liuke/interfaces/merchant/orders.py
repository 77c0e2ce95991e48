"""What a merchant has to deliver and has delivered: their own lines, and nothing of whoever bought them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base import clock
from liuke.base.errors import Conflict, Invalid
from liuke.delivery import queries
from liuke.delivery.actions import deliver_by_hand, settle_rejection
from liuke.delivery.errors import UnknownDelivery, UnknownRejection
from liuke.delivery.models import Delivery
from liuke.interfaces.merchant.frame import page
from liuke.interfaces.merchant.sessions import MerchantRequest
from liuke.interfaces.ui import moments
from liuke.interfaces.ui.handiwork import add_step_once, open_secrets
from liuke.interfaces.ui.order_lines import ShownLine, shown_lines
from liuke.interfaces.ui.order_words import DELIVERY_STATES
from liuke.orders.errors import UnknownOrder
from liuke.orders.models import Order
from liuke.orders.queries import order_named

ROWS_A_PAGE = 30


@require_GET
def orders(request: MerchantRequest) -> HttpResponse:
    """Everything of theirs that was paid, by line: what waits for hands on top."""
    state = request.GET.get("state", "")
    state = state if state in DELIVERY_STATES else ""
    found = queries.deliveries_by(request.merchant, state)
    shown = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page", "1"))
    states = [("", gettext("All")), *((key, gettext(n)) for key, n in DELIVERY_STATES.items())]
    more: dict[str, Any] = {
        "page": shown,
        "state": state,
        "states": [(name, _here(key), key == state) for key, name in states],
        "now": clock.now(),
        "rejections": queries.open_rejections(request.merchant),
        "previous_href": _here(state, shown.number - 1) if shown.has_previous() else "",
        "next_href": _here(state, shown.number + 1) if shown.has_next() else "",
    }
    return page(request, "merchant/orders.html", "orders", **more)


@require_GET
def order(request: MerchantRequest, number: str) -> HttpResponse:
    """Their lines of one order.

    Raises:
        UnknownOrder: none has this number, or nothing in it is theirs to deliver.
    """
    found = order_named(number)
    return _order_page(request, found, _own_lines(request, found))


@require_POST
def deliver(request: MerchantRequest, number: str, line: int) -> HttpResponseRedirect:
    """Tell the buyer how far the work is (`do=step`), or that it is done.

    Raises:
        UnknownOrder: none has this number, or nothing in it is theirs. UnknownDelivery: this line is not.
    """
    delivery, given = _delivery(request, number, line), request.POST
    note, proof = given.get("note", ""), given.get("proof", "")
    try:
        if given.get("do") == "step":
            add_step_once(delivery=delivery, text=note, proof=proof, by=request.login)
            messages.success(request, gettext("The buyer reads it on their page."))
        else:
            deliver_by_hand(line_id=delivery.line_id, note=note, proof=proof, by=request.login)
            messages.success(request, gettext("Delivered."))
    except (Invalid, Conflict) as refusal:
        messages.error(request, str(refusal))
    return redirect("merchant:order", delivery.order.reference)


@require_POST
def secrets(request: MerchantRequest, number: str, line: int) -> HttpResponse:
    """Show what a buyer told in secret, for this answer only and while it waits; who looked is written down.

    Raises:
        UnknownOrder: none has this number, or nothing in it is theirs. UnknownDelivery: this line does not wait.
    """
    found = order_named(number)
    lines = _own_lines(request, found)
    shown = next((one for one in lines if one.line.number == line and one.waits), None)
    if shown is None:
        raise UnknownDelivery
    told = open_secrets(line=shown.line, order=found, by=request.login)
    return _order_page(request, found, lines, secrets=(shown, told))


@require_POST
def grant(request: MerchantRequest, number: str) -> HttpResponseRedirect:
    """Agree to a rejection: the money goes back. Who does not agree leaves it to the site.

    Raises:
        UnknownOrder: none has this number, or nothing in it is theirs. UnknownRejection: not of these lines.
    """
    found, given = order_named(number), request.POST
    rejections = [one for line in _own_lines(request, found) for one in line.rejections]
    asked = given.get("rejection", "")
    if asked not in {one.reference for one in rejections}:
        raise UnknownRejection
    try:
        settle_rejection(
            reference=asked, is_granted=True, answer=given.get("answer", ""), by=request.login
        )
        messages.success(request, gettext("Granted: the money goes back."))
    except (Invalid, Conflict) as refusal:
        messages.error(request, str(refusal))
    return redirect("merchant:order", found.reference)


def _order_page(
    request: MerchantRequest,
    found: Order,
    lines: list[ShownLine],
    secrets: tuple[ShownLine, Mapping[str, str]] | None = None,
) -> HttpResponse:
    told = (moments.moments_of_delivery(line.delivery) for line in lines if line.delivery)
    more: dict[str, Any] = {
        "order": found,
        "lines": [(line, queries.owed_fen(line.delivery)) for line in lines if line.delivery],
        "moments": moments.in_order(moment for each in told for moment in each),
        "secrets": secrets,
    }
    return page(request, "merchant/order.html", "orders", **more)


def _own_lines(request: MerchantRequest, found: Order) -> list[ShownLine]:
    lines = shown_lines(found, request.merchant)
    if not lines:
        raise UnknownOrder
    return lines


def _delivery(request: MerchantRequest, number: str, line: int) -> Delivery:
    for shown in _own_lines(request, order_named(number)):
        if shown.line.number == line and shown.delivery is not None:
            return shown.delivery
    raise UnknownDelivery


def _here(state: str, number: int | None = None) -> str:
    told = {key: value for key, value in (("state", state), ("page", number)) if value}
    return reverse("merchant:orders") + (f"?{urlencode(told)}" if told else "")
