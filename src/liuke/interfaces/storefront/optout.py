"""The link at the end of a message: a page that asks, a button that stops, and the mail program's own (RFC 8058).

Opening the link changes nothing, because mail scanners open every link. The token in it is the only proof that is
asked for: who has the message may stop more of its kind, signed in or not.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from liuke.engagement import queries
from liuke.engagement.actions.opt_out import opt_out as stop
from liuke.engagement.errors import BadToken
from liuke.engagement.models import Message
from liuke.interfaces.storefront import wording
from liuke.interfaces.storefront.pages import refused, told
from liuke.interfaces.storefront.sessions import member_of
from liuke.people.actions import change_consent
from liuke.people.queries import may_reach


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def opt_out(request: HttpRequest, token: str) -> HttpResponseBase:
    """Ask, or stop. A mail program posts `List-Unsubscribe=One-Click` without any cookie; a person posts our form."""
    if request.method == "POST" and request.POST.get("List-Unsubscribe") == "One-Click":
        return _one_click(request, token)
    return _page(request, token)


def _one_click(request: HttpRequest, token: str) -> HttpResponse:
    try:
        stop(token=token)
    except BadToken as refusal:
        return refused(request, refusal)
    return HttpResponse("ok", content_type="text/plain")


@csrf_protect
@told
def _page(request: HttpRequest, token: str) -> HttpResponse:
    message = queries.message_of_token(token)
    if request.method == "POST":
        done = stop(token=token)
        return _over(request, token, message, is_new=done.is_new)
    if not may_reach(message.member.person_id, message.channel, "marketing"):
        return _over(request, token, message, is_new=False)
    context = {
        "icon": wording.ICONS[message.channel],
        "stops": wording.stop_says(message.channel, "marketing"),
        "stays": gettext("News of your own orders still comes."),
    }
    return render(request, "shop/optout.html", context)


def _over(request: HttpRequest, token: str, message: Message, *, is_new: bool) -> HttpResponse:
    context = {
        "is_over": True,
        "is_new": is_new,
        "says": wording.stop_says(message.channel, "marketing"),
        "token": token,
        "may_undo": _is_theirs(request, message),
        "agrees": wording.agreed_words(message.channel, "marketing"),
    }
    return render(request, "shop/optout.html", context)


@never_cache
@require_POST
@told
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Agree again, as the person the message was for and nobody else.

    Raises:
        BadToken: the link is forged, or whoever is signed in here is somebody else.
    """
    message = queries.message_of_token(token)
    if not _is_theirs(request, message):
        raise BadToken
    change_consent(
        person_id=message.member.person_id,
        channel=message.channel,
        purpose="marketing",
        is_given=True,
        basis="member",
        words=wording.agreed_words(message.channel, "marketing"),
    )
    return HttpResponseRedirect(reverse("storefront:preferences") + f"#{message.channel}")


def _is_theirs(request: HttpRequest, message: Message) -> bool:
    member = member_of(request)
    return member is not None and member.pk == message.member.person_id
