"""Messages: the list, one of them, and why it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from liuke.base import ids
from liuke.engagement import queries
from liuke.engagement.actions.inbox import open_message
from liuke.engagement.errors import UnknownMessage
from liuke.engagement.models import Message
from liuke.interfaces.storefront import wording
from liuke.interfaces.storefront.letters import Letter, of_inbox, whole
from liuke.interfaces.storefront.sessions import MemberRequest, zone_here
from liuke.interfaces.ui.figures import long_day
from liuke.people.actions import change_consent
from liuke.people.queries import consent_history, may_reach

_SENT = ("accepted", "unknown")


@dataclass(frozen=True)
class Permission:
    """What a message rests on, in words; `words` are those the member read when they agreed."""

    says: str
    words: str = ""


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
    found = open_message(reference=_read(reference), person_id=request.member.pk)
    letter = whole(found, zone_here(request.member))
    return render(request, "shop/message.html", {"here": "inbox", "m": letter})


def why(request: MemberRequest, reference: str) -> HttpResponse:
    """Why a message came, and one tap to have no more of the kind.

    Raises:
        UnknownMessage: there is none of this reference, or it is somebody else's.
    """
    found = _own(request.member.pk, reference)
    letter = whole(found, zone_here(request.member))
    if request.method == "POST":
        return _stop(request, letter)
    return render(request, "shop/why.html", {"m": letter, **_reasons(found, letter, request)})


def stop_offers(person_id: int, channels: list[str], words: str) -> int:
    """Withdraw the consent to offers on these channels; on how many it was given until now."""
    with transaction.atomic():
        return sum(
            change_consent(
                person_id=person_id,
                channel=channel,
                purpose="marketing",
                is_given=False,
                basis="member",
                words=words,
            )
            for channel in channels
        )


def _read(reference: str) -> str:
    known = ids.read_reference(reference)
    if known is None:
        raise UnknownMessage
    return known


def _own(person_id: int, reference: str) -> Message:
    found = queries.message_named(_read(reference))
    if found.member.person_id != person_id or found.state not in _SENT:
        raise UnknownMessage
    return found


def _reasons(found: Message, letter: Letter, request: MemberRequest) -> dict[str, Any]:
    person_id = request.member.pk
    told = queries.why(found)
    plan = found.decision.run.plan
    facts = wording.audience_facts(told.audience, plan.source.currency)
    if told.days_since_last_order is not None:
        facts.append(wording.own_days(told.days_since_last_order))
    return {
        "icon": letter.icon,
        "facts": facts,
        "permission": _permission(found, letter),
        "is_stopped": not may_reach(person_id, found.channel, found.purpose),
        "may_stop_all": any(
            may_reach(person_id, channel, "marketing") for channel in wording.CHANNELS
        ),
        "stop_this": wording.stop_says(found.channel, found.purpose),
    }


def _permission(found: Message, letter: Letter) -> Permission:
    """The last yes before the message was written."""
    said = [
        change
        for change in consent_history(found.member.person_id)
        if (change.channel, change.purpose) == (found.channel, found.purpose)
        and change.at <= found.made_at
        and change.is_given
    ]
    if not said:
        return Permission(gettext("News of your own orders may come until you say no."))
    last = said[-1]
    says = gettext("%(basis)s, on %(day)s:") % {
        "basis": wording.basis_says(last.basis),
        "day": long_day(last.at.date()),
    }
    return Permission(says, last.attestation.statement if last.attestation else last.words)


def _stop(request: MemberRequest, letter: Letter) -> HttpResponse:
    person_id = request.member.pk
    if request.POST.get("stop") == "all":
        stop_offers(person_id, list(wording.CHANNELS), gettext("No offers at all"))
        messages.success(request, gettext("No offers will come any more, on no channel."))
    elif request.POST.get("stop") == "this":
        change_consent(
            person_id=person_id,
            channel=letter.channel,
            purpose=letter.purpose,
            is_given=False,
            basis="member",
            words=wording.stop_says(letter.channel, letter.purpose),
        )
        messages.success(request, gettext("Done. No more of these."))
    return HttpResponseRedirect(request.path)
