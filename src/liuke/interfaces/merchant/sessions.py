"""Is somebody here who works for a merchant? Their session has a cookie of its own, apart from the console's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache

from liuke.interfaces.ui.halfway import lacks_authenticator
from liuke.interfaces.ui.refusals import View, refusals_as_pages
from liuke.merchants.models import Merchant
from liuke.merchants.queries import merchant_of
from liuke.people.models import Login

COOKIE = "merchant"
LASTS_DAYS = 14


class MerchantRequest(HttpRequest):
    """A request of somebody who works for `merchant`, signed in as `login`."""

    login: Login
    merchant: Merchant


MerchantView = Callable[..., HttpResponseBase]


def login_here(request: HttpRequest) -> Login | None:
    """Who is signed in at this door; another password, a closed login or `sessions_from` ends it."""
    key = request.COOKIES.get(COOKIE, "")
    session = SessionStore(key) if key.isalnum() else None
    if session is None or "merchant_login" not in session:
        return None
    login = Login.objects.filter(pk=session["merchant_login"], is_active=True).first()
    if login is None or login.role != "merchant":
        return None
    is_known = constant_time_compare(session["knows"], login.get_session_auth_hash())
    return login if is_known else None


def sign_in(request: HttpRequest, response: HttpResponseBase, login: Login) -> None:
    """Begin a session under a new key, whatever key the browser came with."""
    _forget(request)
    session = SessionStore()
    session["merchant_login"] = login.pk
    session["knows"] = login.get_session_auth_hash()
    session.set_expiry(LASTS_DAYS * 24 * 3600)
    session.create()
    rotate_token(request)
    response.set_cookie(
        COOKIE,
        str(session.session_key),
        max_age=LASTS_DAYS * 24 * 3600,
        path=reverse("merchant:products"),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def sign_out(request: HttpRequest, response: HttpResponseBase) -> None:
    """End the session in the database and in the browser."""
    _forget(request)
    response.delete_cookie(COOKIE, path=reverse("merchant:products"), samesite="Lax")


def ours(view: View) -> View:
    """Let in who works for a merchant, by two factors where the house asks for them; everyone else to the door.

    Nothing here is kept by caches.
    """
    shown = never_cache(refusals_as_pages(view))

    @wraps(view)
    def answer(request: MerchantRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        login = login_here(request)
        merchant = merchant_of(login) if login is not None else None
        if login is None or merchant is None:
            return HttpResponseRedirect(to_the_door(request))
        if lacks_authenticator(login):
            return HttpResponseRedirect(reverse("merchant:authenticator"))
        request.login, request.merchant = login, merchant
        return shown(request, *args, **kwargs)

    return answer


def to_the_door(request: HttpRequest) -> str:
    """The address of the door, remembering where to go afterwards."""
    back = request.get_full_path() if request.method == "GET" else ""
    return reverse("merchant:login") + (f"?{urlencode({'next': back})}" if back else "")


def way_back(request: HttpRequest) -> str:
    """Where the visitor wanted to go: a page of merchants on this site, else their products."""
    back = request.POST.get("next") or request.GET.get("next", "")
    home = reverse("merchant:products")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return back if is_ours and back.startswith(home) else home


def _forget(request: HttpRequest) -> None:
    key = request.COOKIES.get(COOKIE, "")
    if key.isalnum():
        SessionStore(key).delete()
