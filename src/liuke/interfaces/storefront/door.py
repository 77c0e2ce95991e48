"""In and out: a phone number, six digits, and no password. Known and unknown numbers are answered alike.

What was bought on the device as a guest is the member's from then on.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from liuke.base.errors import Refusal
from liuke.interfaces.storefront import pending
from liuke.interfaces.storefront.devices import device_of, network_of, remember_device
from liuke.interfaces.storefront.sessions import member_of, note_login, sign_in, sign_out, way_back
from liuke.interfaces.storefront.wording import masked
from liuke.interfaces.ui.refusals import status_of
from liuke.orders.actions import claim_orders
from liuke.people.actions import check_login_code, send_login_code

_PHONE = "phone"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Ask for the number, and send it a code."""
    if member_of(request) is not None:
        return HttpResponseRedirect(way_back(request))
    device = device_of(request)
    response = _send(request, device) if request.method == "POST" else _ask(request)
    remember_device(response, device)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the six digits, and let the member in."""
    phone = pending.kept(request, _PHONE)
    if not phone:
        return HttpResponseRedirect(_with_way("storefront:login", request))
    if request.method != "POST":
        return _ask_code(request, phone)
    try:
        member = check_login_code(
            phone=phone, code=request.POST.get("code", "").strip(), device=device_of(request)
        )
    except Refusal as refusal:
        return _ask_code(request, phone, refusal)
    claim_orders(member=member, device=device_of(request))
    response = HttpResponseRedirect(way_back(request))
    pending.drop(response, _PHONE)
    sign_in(request, response, member)
    note_login(request, response, member)
    return response


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the member's session; a staff login in the same browser stays."""
    response = HttpResponseRedirect(reverse("storefront:login"))
    sign_out(request, response)
    return response


def _send(request: HttpRequest, device: str) -> HttpResponse:
    is_again = "again" in request.POST
    phone = pending.kept(request, _PHONE) if is_again else request.POST.get("phone", "").strip()
    try:
        send_login_code(phone=phone, network=network_of(request), device=device)
    except Refusal as refusal:
        return (
            _ask_code(request, phone, refusal)
            if is_again and phone
            else _ask(request, phone, refusal)
        )
    response = HttpResponseRedirect(_with_way("storefront:code", request))
    pending.keep(response, _PHONE, phone)
    return response


def _ask(request: HttpRequest, phone: str = "", refusal: Refusal | None = None) -> HttpResponse:
    told = {"next": _wanted(request), "phone": phone, "refusal": refusal}
    return render(request, "shop/login.html", told, status=status_of(refusal) if refusal else 200)


def _ask_code(request: HttpRequest, phone: str, refusal: Refusal | None = None) -> HttpResponse:
    told = {
        "next": _wanted(request),
        "masked": masked(phone),
        "door": _with_way("storefront:login", request),
        "refusal": refusal,
    }
    return render(request, "shop/code.html", told, status=status_of(refusal) if refusal else 200)


def _wanted(request: HttpRequest) -> str:
    """The way back when it is not simply home."""
    back = way_back(request)
    return "" if back == reverse("storefront:home") else back


def _with_way(name: str, request: HttpRequest) -> str:
    back = _wanted(request)
    return reverse(name) + (f"?{urlencode({'next': back})}" if back else "")
