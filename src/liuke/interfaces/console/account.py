"""One's own login: password, authenticator, recovery codes."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import authenticate, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base.errors import Refusal
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui.refusals import status_of
from liuke.people import queries
from liuke.people.actions import (
    change_password,
    check_second_factor,
    drop_totp,
    renew_recovery_codes,
)

Wrong = dict[str, str]


@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Who one is here, and what opens the door."""
    return _page(request)


@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; every other session of the login ends, this one goes on."""
    login, given = login_of(request), request.POST
    fresh = given.get("fresh", "")
    if fresh != given.get("again", ""):
        return _page(request, {"again": gettext("The two do not match.")})
    # Asked through the door's own counting, so that nobody guesses at an open desk.
    if authenticate(request, username=login.name, password=given.get("present", "")) is None:
        return _page(request, {"present": gettext("This is not your password.")})
    try:
        change_password(name=login.name, password=fresh, by=login)
    except Refusal as refusal:
        return _page(request, {"fresh": str(refusal)}, status=status_of(refusal))
    _stay(request)
    messages.success(request, gettext("Password changed. Other devices are signed out."))
    return redirect("console:account")


@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Fresh recovery codes, shown once; the old ones end."""
    login = login_of(request)
    try:
        codes = renew_recovery_codes(login=login, code=request.POST.get("code", ""))
    except Refusal as refusal:
        return _page(request, {"renew": str(refusal)}, status=status_of(refusal))
    told = {"codes": codes, "back": reverse("console:account"), "name": login.name}
    return render(request, "console/recovery_codes.html", told)


@require_POST
def change_authenticator(request: HttpRequest) -> HttpResponse:
    """Forget one's authenticator after a last code of it, and set up another."""
    login = login_of(request)
    try:
        check_second_factor(login=login, code=request.POST.get("code", ""))
        drop_totp(name=login.name, by=login)
    except Refusal as refusal:
        return _page(request, {"change": str(refusal)}, status=status_of(refusal))
    _stay(request)
    return redirect("console:authenticator")


def _stay(request: HttpRequest) -> None:
    """What just happened ends every session of the login but this one."""
    login = login_of(request)
    login.refresh_from_db()
    update_session_auth_hash(request, login)


def _page(request: HttpRequest, wrong: Wrong | None = None, status: int = 0) -> HttpResponse:
    context = {
        "frame": frame_of(request, "account"),
        "login": login_of(request),
        "wrong": wrong or {},
        "codes_left": queries.recovery_codes_left(login_of(request)),
        "is_required": queries.policy().is_totp_required,
    }
    return render(
        request, "console/account.html", context, status=status or (400 if wrong else 200)
    )
