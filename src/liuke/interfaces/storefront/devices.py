"""From where does somebody ask for a code? Their network and their device, which is what the limits count."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

COOKIE = "device"
_SALT = "storefront.device"
_LASTS_SECONDS = 400 * 24 * 3600


def network_of(request: HttpRequest) -> str:
    """The address the visitor comes from.

    The connection's own, unless `LIUKE_PROXIES` says how many proxies stand before us: then the one that the outermost
    of them saw. Without that setting `X-Forwarded-For` is whatever the visitor likes to write.
    """
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.LIUKE_PROXIES and forwarded:
        return forwarded.split(",")[-settings.LIUKE_PROXIES :][0].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def device_of(request: HttpRequest) -> str:
    """The device's own random name out of its signed cookie; a new one when it has none or it was tampered with."""
    known: str | None = request.get_signed_cookie(COOKIE, default=None, salt=_SALT)
    return known or secrets.token_hex(16)


def remember_device(response: HttpResponseBase, device: str) -> None:
    """Let the browser keep its device name; no script can read it."""
    response.set_signed_cookie(
        COOKIE,
        device,
        salt=_SALT,
        max_age=_LASTS_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
