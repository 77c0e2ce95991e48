"""Who asks, and how are they told what came of it? A line on top of the next page."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest

from liuke.base.errors import Conflict, Invalid, Unavailable
from liuke.people.models import Login


def login_of(request: HttpRequest) -> Login:
    """Who is signed in. For views behind a wrapper that has made sure of it."""
    assert isinstance(request.user, Login)
    return request.user


def attempt(request: HttpRequest, deed: Callable[[], object], says: str) -> bool:
    """Do it and say so on the next page; what is refused is said there too, in the room's own words.

    What the visitor may not do or may not know of stays a page of its own.
    """
    try:
        deed()
    except (Invalid, Conflict, Unavailable) as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, says)
    return True
