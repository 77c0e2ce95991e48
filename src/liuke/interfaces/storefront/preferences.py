"""Settings: what may come and how, when it may come, and what somebody agreed to so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from liuke.base.errors import Refusal
from liuke.engagement.queries import policy
from liuke.interfaces.storefront import wording
from liuke.interfaces.storefront.errors import NotASwitch
from liuke.interfaces.storefront.sessions import MemberRequest, zone_here
from liuke.interfaces.ui.refusals import status_of
from liuke.people.actions import change_consent, set_quiet_hours, set_time_zone
from liuke.people.errors import BadQuietHours
from liuke.people.models import Consent, Member
from liuke.people.queries import consent_history, consents_of, may_be_noted

_ANSWERS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Switch:
    """One purpose of a channel, on or off, with the sentence it stands for."""

    purpose: str
    name: str
    says: str
    is_on: bool


@dataclass(frozen=True)
class Channel:
    """A way to reach the member, with its switches."""

    key: str
    name: str
    icon: str
    note: str
    switches: list[Switch]


@dataclass(frozen=True)
class Change:
    """One line of the history of consent."""

    at: dt.datetime
    channel_name: str
    purpose_name: str
    is_given: bool
    basis: str
    words: str


@dataclass(frozen=True)
class Zone:
    """One of the zones to choose from."""

    key: str
    name: str


def preferences(request: MemberRequest) -> HttpResponse:
    """All settings on one page; a tap on a switch is a POST of its own.

    Raises:
        NotASwitch: a channel, purpose or answer that is not on the page.
    """
    if request.method == "POST":
        return _move(request)
    member = request.member
    said = consents_of(member.pk)
    channels = [_channel(member, key, said) for key in wording.CHANNELS]
    context = {
        "here": "preferences",
        "vow_words": wording.vow(),
        "channels": channels,
        "has_offers": any(
            s.is_on for c in channels for s in c.switches if s.purpose == "marketing"
        ),
        "quiet": _quiet_text(member),
        "zone": wording.zone_says(zone_here(member).key),
        "masked": wording.masked(member.phone()),
        "email": member.email() if member.email_confirmed_at else "",
        "birthday": wording.birthday_says(member),
        "is_noted": bool(may_be_noted([member.pk])),
    }
    return render(request, "shop/preferences.html", context)


def quiet(request: MemberRequest) -> HttpResponse:
    """Hours in which the member wants to be left alone, besides everybody's nights."""
    member, refusal = request.member, None
    if request.method == "POST":
        try:
            _set_quiet(request)
        except Refusal as refused:
            refusal = refused
        else:
            return _saved(request)
    limits = policy()
    context = {
        "opens": limits.allowed_from,
        "closes": limits.allowed_until,
        "quiet_from": request.POST.get("from") or _clock(member.quiet_from) or "22:00",
        "quiet_until": request.POST.get("until") or _clock(member.quiet_until) or "08:00",
        "is_set": member.quiet_from is not None,
        "refusal": refusal,
    }
    return render(request, "shop/quiet.html", context, status=_status(refusal))


def zone(request: MemberRequest) -> HttpResponse:
    """Where the member lives, chosen or as the device says."""
    member, refusal = request.member, None
    if request.method == "POST":
        try:
            set_time_zone(member=member, zone=request.POST.get("zone", ""), origin=_origin(request))
        except Refusal as refused:
            refusal = refused
        else:
            return _saved(request)
    now = zone_here(member).key
    keys = [*wording.ZONES] if now in wording.ZONES else [now, *wording.ZONES]
    zones = [Zone(key, wording.zone_says(key)) for key in keys]
    context = {"zone": now, "zones": zones, "refusal": refusal}
    return render(request, "shop/zone.html", context, status=_status(refusal))


@require_safe
def consents(request: MemberRequest) -> HttpResponse:
    """Every yes and no so far, newest first, in the words that were read."""
    here = zone_here(request.member)
    changes = [
        Change(
            at=change.at.astimezone(here),
            channel_name=wording.channel_name(change.channel),
            purpose_name=wording.purpose_name(change.purpose),
            is_given=change.is_given,
            basis=wording.basis_says(change.basis),
            words=change.attestation.statement if change.attestation else change.words,
        )
        for change in consent_history(request.member.pk).reverse()
    ]
    return render(request, "shop/consents.html", {"changes": changes})


def stop_offers(person_id: int) -> None:
    """Withdraw the member's consent to offers on every channel."""
    with transaction.atomic():
        for channel in wording.CHANNELS:
            change_consent(
                person_id=person_id,
                channel=channel,
                purpose="marketing",
                is_given=False,
                basis="member",
                words=gettext("No offers at all"),
            )


def _move(request: MemberRequest) -> HttpResponse:
    back = reverse("storefront:preferences")
    if request.POST.get("stop") == "all":
        stop_offers(request.member.pk)
        messages.success(request, gettext("No offers will come any more, on no channel."))
        return HttpResponseRedirect(back)
    channel, purpose = request.POST.get("channel", ""), request.POST.get("purpose", "")
    answer = _ANSWERS.get(request.POST.get("is_given", ""))
    if channel not in wording.CHANNELS or purpose not in wording.PURPOSES or answer is None:
        raise NotASwitch
    change_consent(
        person_id=request.member.pk,
        channel=channel,
        purpose=purpose,
        is_given=answer,
        basis="member",
        words=wording.agreed_words(channel, purpose),
    )
    return HttpResponseRedirect(f"{back}#{channel}")


def _channel(member: Member, key: str, said: Mapping[tuple[str, str], Consent]) -> Channel:
    return Channel(
        key=key,
        name=wording.channel_name(key),
        icon=wording.ICONS[key],
        note=_note(member, key),
        switches=[
            Switch(
                purpose=purpose,
                name=wording.purpose_name(purpose),
                says=wording.ask(key, purpose),
                is_on=said[key, purpose].is_given
                if (key, purpose) in said
                else purpose == "service",
            )
            for purpose in wording.PURPOSES
        ],
    )


def _note(member: Member, channel: str) -> str:
    if channel == "email" and member.email_confirmed_at is None:
        return gettext("no confirmed address yet")
    return ""


def _set_quiet(request: MemberRequest) -> None:
    if "drop" in request.POST:
        return set_quiet_hours(member=request.member, from_=None, until=None)
    from_, until = _time(request, "from"), _time(request, "until")
    if from_ is None and until is None:
        raise BadQuietHours
    return set_quiet_hours(member=request.member, from_=from_, until=until)


def _origin(request: MemberRequest) -> str:
    """A tap on what the device says does not undo what the member said before by hand: it says it anew."""
    is_device = request.POST.get("origin") == "device"
    return "device" if is_device and request.member.time_zone_from != "member" else "member"


def _time(request: MemberRequest, name: str) -> dt.time | None:
    try:
        found = dt.time.fromisoformat(request.POST.get(name, ""))
    except ValueError:
        return None
    return found.replace(second=0, microsecond=0, tzinfo=None)


def _clock(time: dt.time | None) -> str:
    return time.strftime("%H:%M") if time else ""


def _quiet_text(member: Member) -> str:
    if member.quiet_from is None:
        return gettext("as everybody")
    return f"{_clock(member.quiet_from)}–{_clock(member.quiet_until)}"


def _saved(request: MemberRequest) -> HttpResponse:
    messages.success(request, gettext("Saved."))
    return HttpResponseRedirect(reverse("storefront:preferences"))


def _status(refusal: Refusal | None) -> int:
    return status_of(refusal) if refusal else 200
