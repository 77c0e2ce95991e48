"""The console's door between the password and the second factor."""

from __future__ import annotations

from django.contrib.auth import login as sign_in
from django.http import HttpRequest

from liuke.interfaces.ui import halfway
from liuke.interfaces.ui.halfway import LASTS_MINUTES, lacks_authenticator
from liuke.people.models import Login

__all__ = ["LASTS_MINUTES", "begin", "finish", "lacks_authenticator", "who"]

_DOOR = "halfway"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def begin(request: HttpRequest, login: Login, back: str) -> None:
    """Remember for some minutes that this login's password was right, and where they wanted to go."""
    halfway.begin(request, _DOOR, login, back)


def who(request: HttpRequest) -> Login | None:
    """Who has given the right password a moment ago, if anybody."""
    return halfway.who(request, _DOOR)


def finish(request: HttpRequest, login: Login) -> str:
    """Sign in; where they wanted to go."""
    back = halfway.end(request, _DOOR)
    sign_in(request, login, backend=_BACKEND)
    return back
