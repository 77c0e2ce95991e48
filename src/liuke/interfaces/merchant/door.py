"""In and out for those who work for a merchant: password, second factor, signing out, another password."""

from __future__ import annotations

from axes.utils import reset
from django.contrib import messages
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from liuke.base.errors import Refusal
from liuke.interfaces.merchant.frame import page
from liuke.interfaces.merchant.sessions import (
    MerchantRequest,
    login_here,
    sign_in,
    sign_out,
    way_back,
)
from liuke.interfaces.ui import halfway
from liuke.interfaces.ui.halfway import lacks_authenticator
from liuke.interfaces.ui.refusals import status_of
from liuke.people.actions import begin_totp, change_password, check_second_factor, confirm_totp
from liuke.people.models import Login

_DOOR = "merchant_halfway"


@never_cache
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponseBase:
    """Name and password; too many wrong ones lock the name from that address (django-axes)."""
    if login_here(request) is not None:
        return HttpResponseRedirect(way_back(request))
    if request.method == "GET":
        return render(request, "merchant/login.html", {"next": way_back(request)})
    name, password = request.POST.get("username", "")[:64], request.POST.get("password", "")
    found = authenticate(request, username=name, password=password)
    if not isinstance(found, Login) or found.role != "merchant":
        told = {"next": way_back(request), "name": name, "is_wrong": True}
        return render(request, "merchant/login.html", told)
    reset(username=name)
    if found.totp_since is not None or lacks_authenticator(found):
        halfway.begin(request, _DOOR, found, way_back(request))
        where = "second_factor" if found.totp_since is not None else "authenticator"
        return redirect(f"merchant:{where}")
    response = HttpResponseRedirect(way_back(request))
    sign_in(request, response, found)
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponseBase:
    """A code of the authenticator, or a recovery code; then they are in."""
    found = halfway.who(request, _DOOR)
    if found is None:
        return redirect("merchant:login")
    if found.totp_since is None:  # dropped a moment ago
        return redirect("merchant:authenticator")
    if request.method == "GET":
        return render(request, "merchant/second_factor.html", {"name": found.name})
    try:
        check_second_factor(login=found, code=request.POST.get("code", ""))
    except Refusal as refusal:
        told = {"name": found.name, "refusal": refusal}
        return render(request, "merchant/second_factor.html", told, status=status_of(refusal))
    response = HttpResponseRedirect(halfway.end(request, _DOOR))
    sign_in(request, response, found)
    return response


@never_cache
@require_http_methods(["GET", "POST"])
def authenticator(request: HttpRequest) -> HttpResponseBase:
    """Set up an authenticator: on the way in for who must have one, from the account page for who wants one."""
    inside = login_here(request)
    found = inside or halfway.who(request, _DOOR)
    if found is None:
        return redirect("merchant:login")
    if found.totp_since is not None:
        return redirect("merchant:account" if inside else "merchant:second_factor")
    told = {"name": found.name, "has_to": lacks_authenticator(found), "is_inside": inside}
    if request.method == "GET":
        setup = {"setup": begin_totp(login=found)}
        return render(request, "merchant/authenticator.html", {**told, **setup})
    try:
        codes = confirm_totp(login=found, code=request.POST.get("code", ""))
    except Refusal as refusal:
        told |= {"setup": begin_totp(login=found), "refusal": refusal}
        return render(request, "merchant/authenticator.html", told, status=status_of(refusal))
    back = reverse("merchant:account") if inside else halfway.end(request, _DOOR)
    told = {"codes": codes, "back": back, "name": found.name, "is_new": True}
    response = render(request, "door/recovery_codes.html", told)
    if not inside:
        sign_in(request, response, found)
    return response


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """Out; then back to the door."""
    response = redirect("merchant:login")
    sign_out(request, response)
    return response


def account(request: MerchantRequest) -> HttpResponse:
    """One's own login."""
    return page(request, "merchant/account.html", "account")


@require_POST
def password(request: MerchantRequest) -> HttpResponse:
    """Change one's own password; every other session of the login ends, this one goes on."""
    given, wrong = request.POST, ""
    if given.get("fresh", "") != given.get("again", ""):
        wrong = gettext("The two do not match.")
    elif (
        authenticate(request, username=request.login.name, password=given.get("present", ""))
        is None
    ):
        wrong = gettext("This is not your password.")
    else:
        try:
            change_password(
                name=request.login.name, password=given.get("fresh", ""), by=request.login
            )
        except Refusal as refusal:
            wrong = str(refusal)
    if wrong:
        return page(request, "merchant/account.html", "account", status=400, wrong=wrong)
    messages.success(request, gettext("Password changed. Other devices are signed out."))
    response = redirect("merchant:account")
    request.login.refresh_from_db()
    sign_in(request, response, request.login)
    return response
