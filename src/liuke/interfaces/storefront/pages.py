"""How does a member's page answer a refusal, or an address that leads nowhere?"""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from liuke.base.errors import NotFound, Refusal
from liuke.interfaces.storefront.sessions import View, members_only
from liuke.interfaces.ui.refusals import status_of


def ours(view: View) -> View:
    """For members who are signed in, with refusals told as pages of theirs."""
    return members_only(told(view))


def told(view: View) -> View:
    """For everyone, with refusals told as pages of the member side."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return refused(request, refusal)

    return answer


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The page of a refusal, with the status of its parent."""
    return render(request, "shop/refused.html", {"refusal": refusal}, status=status_of(refusal))


def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    """Below `/me/` members do not meet the staff's door."""
    return refused(request, NotFound())
