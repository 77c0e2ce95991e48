"""Which address was a code sent to? Kept between two steps in the browser, encrypted: a reload loses nothing."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from liuke.base import sealing

_LASTS_SECONDS = 30 * 60


def keep(response: HttpResponseBase, kind: str, address: str) -> None:
    """Remember an address for the next step of `kind`."""
    sealed = base64.urlsafe_b64encode(sealing.seal(address, _purpose(kind))).decode()
    response.set_cookie(
        _cookie(kind),
        sealed,
        max_age=_LASTS_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def kept(request: HttpRequest, kind: str) -> str:
    """The address of `keep`, or "" when there is none or it was tampered with."""
    try:
        sealed = base64.urlsafe_b64decode(request.COOKIES.get(_cookie(kind), ""))
        return sealing.unseal(sealed, _purpose(kind)) if sealed else ""
    except (binascii.Error, InvalidTag, sealing.UnknownMasterKey, ValueError):
        return ""


def drop(response: HttpResponseBase, kind: str) -> None:
    """Forget it: the step is done."""
    response.delete_cookie(_cookie(kind), samesite="Lax")


def _cookie(kind: str) -> str:
    return f"pending-{kind}"


def _purpose(kind: str) -> str:
    return f"storefront.{kind}"
