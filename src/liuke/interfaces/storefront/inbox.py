"""Messages: the list, and one of them."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from liuke.base import ids
from liuke.engagement import queries
from liuke.engagement.actions.inbox import open_message
from liuke.engagement.errors import UnknownMessage
from liuke.interfaces.storefront.letters import of_inbox, whole
from liuke.interfaces.storefront.sessions import MemberRequest, zone_here


@require_safe
def inbox(request: MemberRequest) -> HttpResponse:
    """Everything that came here, newest first."""
    zone = zone_here(request.member)
    mail = [of_inbox(item, zone) for item in queries.inbox(request.member.pk)]
    return render(request, "shop/inbox.html", {"here": "inbox", "mail": mail})


@require_safe
def message(request: MemberRequest, reference: str) -> HttpResponse:
    """One message of one's own; from now on it is read.

    Raises:
        UnknownMessage: there is none of this reference, or it is somebody else's.
    """
    found = open_message(reference=read_reference(reference), person_id=request.member.pk)
    letter = whole(found, zone_here(request.member))
    return render(request, "shop/message.html", {"here": "inbox", "m": letter})


def read_reference(text: str) -> str:
    """The reference in an address, however it was typed.

    Raises:
        UnknownMessage: it cannot be one.
    """
    reference = ids.read_reference(text)
    if reference is None:
        raise UnknownMessage
    return reference
