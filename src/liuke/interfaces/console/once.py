"""How does a form take effect once, though it was sent twice? By a token in it that can be spent a single time.

Double clicks and the back button send the same form again. Most actions refuse that by themselves (one run at a time,
one segment of a name); the others ask here first.
"""

from __future__ import annotations

import secrets

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import transaction
from django.http import HttpRequest

FIELD = "once"
_GOOD_FOR = 24 * 3600
_REMEMBERED = 200  # spent tokens a session remembers; more than anyone sends in a day
_signer = signing.TimestampSigner(salt="liuke.console.once")


def new_token() -> str:
    """A token for one form."""
    return _signer.sign(secrets.token_urlsafe(9))


def is_first(request: HttpRequest) -> bool:
    """Spend the token of the form: True for the first request that brings it, False for every other.

    The session's row is locked meanwhile, so that of two clicks at once only one is first.
    """
    token, key = request.POST.get(FIELD, ""), request.session.session_key
    try:
        name = _signer.unsign(token, max_age=_GOOD_FOR)
    except signing.BadSignature:
        return False
    with transaction.atomic():
        Session.objects.select_for_update().filter(pk=key).first()
        stored = SessionStore(key)
        spent = stored.get(FIELD, [])
        if name not in spent:
            stored[FIELD] = [*spent, name][-_REMEMBERED:]
            stored.save()
    request.session[FIELD] = stored.get(FIELD, [])  # what was read before the lock is out of date
    return name not in spent
