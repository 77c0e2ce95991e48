"""Between the password and the second factor nobody is signed in: the session only remembers who got that far."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth import login as sign_in
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from liuke.base import clock
from liuke.people import queries
from liuke.people.models import Login

LASTS_MINUTES = 5
_KEPT = "halfway"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def begin(request: HttpRequest, login: Login, back: str) -> None:
    """Remember for some minutes that this login's password was right, and where they wanted to go."""
    until = clock.now() + dt.timedelta(minutes=LASTS_MINUTES)
    request.session.cycle_key()
    request.session[_KEPT] = {
        "login": login.pk,
        "knows": login.get_session_auth_hash(),
        "until": until.isoformat(),
        "back": back,
    }


def who(request: HttpRequest) -> Login | None:
    """Who has given the right password a moment ago; None when it is too long ago, or they were closed since."""
    kept = request.session.get(_KEPT)
    if kept is None or clock.now() >= dt.datetime.fromisoformat(kept["until"]):
        return None
    login = Login.objects.filter(pk=kept["login"], is_active=True).first()
    if login is None or not constant_time_compare(login.get_session_auth_hash(), kept["knows"]):
        return None
    return login


def finish(request: HttpRequest, login: Login) -> str:
    """Sign in; where they wanted to go."""
    back: str = request.session.pop(_KEPT)["back"]
    sign_in(request, login, backend=_BACKEND)
    return back


def lacks_authenticator(login: Login) -> bool:
    """Whether the house asks for a second factor that this login has not set up."""
    return login.totp_since is None and queries.policy().is_totp_required
