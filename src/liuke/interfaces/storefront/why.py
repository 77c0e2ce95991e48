"""Why a message came: the facts, the permission, and one tap to have no more of the kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext

from liuke.engagement import queries
from liuke.engagement.errors import UnknownMessage
from liuke.engagement.models import Message
from liuke.interfaces.storefront import wording
from liuke.interfaces.storefront.inbox import read_reference
from liuke.interfaces.storefront.letters import whole
from liuke.interfaces.storefront.preferences import stop_offers
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


def why(request: MemberRequest, reference: str) -> HttpResponse:
    """Why a message came, and one tap to have no more of the kind.

    Raises:
        UnknownMessage: there is none of this reference, or it is somebody else's.
    """
    found = _own(request.member.pk, reference)
    if request.method == "POST":
        return _stop(request, found)
    zone = zone_here(request.member)
    return render(request, "shop/why.html", {"m": whole(found, zone), **_reasons(found, zone)})


def _own(person_id: int, reference: str) -> Message:
    found = queries.message_named(read_reference(reference))
    if found.member.person_id != person_id or found.state not in _SENT:
        raise UnknownMessage
    return found


def _reasons(found: Message, zone: ZoneInfo) -> dict[str, Any]:
    person_id = found.member.person_id
    told = queries.why(found)
    plan = found.decision.run.plan
    facts = wording.audience_facts(told.audience, plan.source.currency)
    if told.days_since_last_order is not None:
        facts.append(wording.own_days(told.days_since_last_order))
    return {
        "facts": facts,
        "permission": _permission(found, zone),
        "is_stopped": not may_reach(person_id, found.channel, found.purpose),
        "may_stop_all": any(
            may_reach(person_id, channel, "marketing") for channel in wording.CHANNELS
        ),
        "stop_this": wording.stop_says(found.channel, found.purpose),
    }


def _permission(found: Message, zone: ZoneInfo) -> Permission:
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
        "day": long_day(last.at.astimezone(zone).date()),
    }
    return Permission(says, last.attestation.statement if last.attestation else last.words)


def _stop(request: MemberRequest, found: Message) -> HttpResponse:
    person_id = request.member.pk
    if request.POST.get("stop") == "all":
        stop_offers(person_id)
        messages.success(request, gettext("No offers will come any more, on no channel."))
    elif request.POST.get("stop") == "this":
        change_consent(
            person_id=person_id,
            channel=found.channel,
            purpose=found.purpose,
            is_given=False,
            basis="member",
            words=wording.stop_says(found.channel, found.purpose),
        )
        messages.success(request, gettext("Done. No more of these."))
    return HttpResponseRedirect(request.path)
