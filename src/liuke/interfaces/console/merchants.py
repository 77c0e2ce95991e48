"""Merchants: open one, agree on the fee, stop and go on selling, and let their staff in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base.errors import Refusal
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.product_forms import plain
from liuke.interfaces.console.staff import Given, new_password_text
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.refusals import status_of
from liuke.merchants import queries
from liuke.merchants.actions import (
    add_staff,
    close_merchant,
    open_merchant,
    pause_merchant,
    resume_merchant,
    set_fee,
)
from liuke.merchants.models import Merchant, MerchantStaff
from liuke.people.actions import change_password, set_active
from liuke.people.errors import UnknownLogin

_STATES: dict[str, Callable[..., None]] = {
    "pause": pause_merchant,
    "resume": resume_merchant,
    "close": close_merchant,
}


@dataclass(frozen=True)
class Line:
    """A merchant with the fee as it is typed, and those who work there."""

    merchant: Merchant
    fee: str
    staff: list[MerchantStaff]


@require_GET
def merchants(request: HttpRequest) -> HttpResponse:
    """Everybody who supplies."""
    return _page(request)


@require_POST
def open_(request: HttpRequest) -> HttpResponse:
    """Take in a new supplier."""
    fee = _permyriad(request.POST.get("fee", ""))
    try:
        made = open_merchant(
            name=request.POST.get("name", ""), fee_permyriad=fee, by=login_of(request)
        )
    except Refusal as refusal:
        return _page(request, wrong=str(refusal), status=status_of(refusal))
    return redirect(f"{reverse('console:merchants')}#m-{made.reference}")


@require_POST
def change(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Another fee, or another state.

    Raises:
        UnknownMerchant: none has this reference.
    """
    merchant, by = queries.merchant_by_reference(reference), login_of(request)
    about, wanted = merchant.reference, request.POST.get("do", "")
    if wanted in _STATES:
        attempt(request, lambda: _STATES[wanted](reference=about, by=by), gettext("Done."))
    else:
        fee = _permyriad(request.POST.get("fee", ""))
        attempt(
            request,
            lambda: set_fee(reference=about, fee_permyriad=fee, by=by),
            gettext("The fee holds for orders from now on."),
        )
    return redirect("console:merchants")


@require_POST
def staff(request: HttpRequest, reference: str) -> HttpResponse:
    """Let somebody in who works for the merchant, with a password that is shown once.

    Raises:
        UnknownMerchant: none has this reference.
    """
    merchant = queries.merchant_by_reference(reference)
    name, made = request.POST.get("name", "").strip(), new_password_text()
    if not 0 < len(name) <= 64 or not name.isprintable():
        return _page(request, wrong=gettext("A name has 1 to 64 letters."), status=400)
    try:
        add_staff(reference=merchant.reference, name=name, password=made, by=login_of(request))
    except Refusal as refusal:
        return _page(request, wrong=str(refusal), status=status_of(refusal))
    return _page(request, given=Given(name, made, is_new=True))


@require_POST
def change_staff(request: HttpRequest, reference: str) -> HttpResponse:
    """A new password, shown once; or in and out again.

    Raises:
        UnknownLogin: nobody of that name works there. UnknownMerchant: none has this reference.
    """
    merchant, by = queries.merchant_by_reference(reference), login_of(request)
    name, wanted = request.POST.get("name", ""), request.POST.get("do", "")
    if not queries.staff_of(merchant).filter(login__name=name).exists():
        raise UnknownLogin(name=name)
    if wanted in ("close", "reopen"):
        is_active = wanted == "reopen"
        attempt(
            request, lambda: set_active(name=name, is_active=is_active, by=by), gettext("Done.")
        )
        return redirect("console:merchants")
    made = new_password_text()
    change_password(name=name, password=made, by=by)
    return _page(request, given=Given(name, made, is_new=False))


def _permyriad(text: str) -> int:
    """Percent as typed, in ten-thousandths; -1, which no merchant takes, for what is no number."""
    try:
        percent = Decimal(text.strip().rstrip("%") or "x") * 100
    except InvalidOperation:
        return -1
    return int(percent) if percent.is_finite() and percent == int(percent) else -1


def _page(
    request: HttpRequest, *, given: Given | None = None, wrong: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "frame": frame_of(request, "merchants"),
        "lines": [
            Line(each, plain(Decimal(each.fee_permyriad) / 100), list(queries.staff_of(each)))
            for each in queries.merchants()
        ],
        "given": given,
        "wrong": wrong,
        "typed": request.POST if wrong else {},
    }
    return render(request, "console/merchants.html", context, status=status)
