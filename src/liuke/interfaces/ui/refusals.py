"""What does a visitor see when a room refuses? One page, with the room's own sentence and the fitting status."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from liuke.base.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable

View = Callable[..., HttpResponseBase]
_STATUS: tuple[tuple[type[Refusal], int], ...] = (
    (Invalid, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal: its parent's."""
    return next((status for parent, status in _STATUS if isinstance(refusal, parent)), 400)


def refusals_as_pages(view: View) -> View:
    """Answer a refusal raised inside the view with a page that says it."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return render(request, "refused.html", {"refusal": refusal}, status=status_of(refusal))

    return answer
