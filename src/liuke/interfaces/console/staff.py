"""Those who work here: who they are, what they may do, and what the door asks of them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.base import ids
from liuke.base.errors import Refusal
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.refusals import status_of
from liuke.interfaces.ui.staff_words import ROLES, role_name
from liuke.people import queries
from liuke.people.actions import (
    change_password,
    drop_totp,
    open_login,
    set_active,
    set_role,
    set_totp_required,
)

_PASSWORD_PARTS, _PART_LETTERS = 4, 5  # 20 of 29 letters: 97 bits


@dataclass(frozen=True)
class Given:
    """A password that was just made, to be handed over: shown once."""

    name: str
    password: str
    is_new: bool


@require_GET
def staff(request: HttpRequest) -> HttpResponse:
    """Everyone who may sign in."""
    return _page(request)


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Open a login with a password that is shown once."""
    name, role = request.POST.get("name", "").strip(), request.POST.get("role", "")
    wrong = _name_is_wrong(name)
    if wrong:
        return _page(request, wrong=wrong, status=400)
    made = _new_password()
    try:
        open_login(name=name, password=made, role=role, by=login_of(request))
    except Refusal as refusal:
        return _page(request, wrong=str(refusal), status=status_of(refusal))
    return _page(request, given=Given(name, made, is_new=True))


@require_POST
def new_password(request: HttpRequest) -> HttpResponse:
    """Give somebody a new password, shown once; their sessions end.

    Raises:
        UnknownLogin: nobody signs in with this name.
    """
    name, made = request.POST.get("name", ""), _new_password()
    change_password(name=name, password=made, by=login_of(request))
    return _page(request, given=Given(name, made, is_new=False))


@require_POST
def role(request: HttpRequest) -> HttpResponseRedirect:
    """Make somebody an operator or an agent."""
    name, wanted = request.POST.get("name", ""), request.POST.get("role", "")
    attempt(
        request,
        lambda: set_role(name=name, role=wanted, by=login_of(request)),
        gettext("%(name)s: %(role)s from now on.") % {"name": name, "role": role_name(wanted)},
    )
    return redirect("console:staff")


@require_POST
def close(request: HttpRequest) -> HttpResponseRedirect:
    """Close a login: whoever uses it is out with their next click."""
    name = request.POST.get("name", "")
    attempt(
        request,
        lambda: set_active(name=name, is_active=False, by=login_of(request)),
        gettext("%(name)s is closed and signed out everywhere.") % {"name": name},
    )
    return redirect("console:staff")


@require_POST
def reopen(request: HttpRequest) -> HttpResponseRedirect:
    """Open a closed login again."""
    name = request.POST.get("name", "")
    attempt(
        request,
        lambda: set_active(name=name, is_active=True, by=login_of(request)),
        gettext("%(name)s may sign in again.") % {"name": name},
    )
    return redirect("console:staff")


@require_POST
def drop_authenticator(request: HttpRequest) -> HttpResponseRedirect:
    """Forget somebody's authenticator, after a lost phone; they are signed out."""
    name = request.POST.get("name", "")
    attempt(
        request,
        lambda: drop_totp(name=name, by=login_of(request)),
        gettext("The authenticator of %(name)s is gone; they are signed out.") % {"name": name},
    )
    return redirect("console:staff")


@require_POST
def require_totp(request: HttpRequest) -> HttpResponseRedirect:
    """Ask everyone for a second factor, or leave it to them."""
    is_required = request.POST.get("required") == "1"
    if is_required != queries.policy().is_totp_required:
        attempt(
            request,
            lambda: set_totp_required(is_required=is_required, by=login_of(request)),
            gettext("From now on everyone needs an authenticator.")
            if is_required
            else gettext("From now on the password is enough for who wants it so."),
        )
    return redirect("console:staff")


def _name_is_wrong(name: str) -> str:
    if not 0 < len(name) <= 64 or not name.isprintable():
        return gettext("A name has 1 to 64 letters.")
    return ""


def _new_password() -> str:
    parts = [
        "".join(secrets.choice(ids.ALPHABET) for _ in range(_PART_LETTERS))
        for _ in range(_PASSWORD_PARTS)
    ]
    return "-".join(parts).lower()


def _page(
    request: HttpRequest, *, given: Given | None = None, wrong: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "frame": frame_of(request, "staff"),
        "logins": queries.logins(),
        "roles": [(key, gettext(name), gettext(says)) for key, (name, says) in ROLES.items()],
        "given": given,
        "wrong": wrong,
        "typed": request.POST if wrong else {},
        "is_required": queries.policy().is_totp_required,
    }
    return render(request, "console/staff.html", context, status=status)
