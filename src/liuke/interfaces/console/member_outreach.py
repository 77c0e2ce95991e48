"""What outreach knows of one member: what was decided about them and why, what they allow, what troubles them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liuke.base import clock
from liuke.engagement import queries as engagement
from liuke.engagement.models import Message
from liuke.engagement.queries import DecisionRow
from liuke.interfaces.console.once import new_token
from liuke.interfaces.ui import outreach_words as words
from liuke.people import queries as people
from liuke.people.models import Consent, Login, Member

DECISIONS_SHOWN = 40
MESSAGES_SHOWN = 20


@dataclass(frozen=True)
class DecisionLine:
    """A decision with its reason in words."""

    row: DecisionRow
    reason: words.Reason


@dataclass(frozen=True)
class Allowed:
    """What a person allows on one channel: `said` is None where they said nothing, `may` what follows from it."""

    channel: str
    purpose: str
    said: Consent | None
    may: bool


def outreach_of(member: Member, by: Login) -> dict[str, Any]:
    """The context of these parts of the member's page."""
    person = people.members_of(member.person_id).get(pk=member.person_id)
    said = people.consents_of(person.pk)
    return {
        "decisions": [
            DecisionLine(row, words.reason(row.reason, is_waiting=not row.is_done))
            for row in engagement.decisions_about(member, limit=DECISIONS_SHOWN)
        ],
        "messages_sent": _messages(member),
        "next_possible_at": engagement.next_possible_at(member.person_id),
        "calls": engagement.calls_about(member),
        "troubles": engagement.open_troubles(member),
        "allowed": list(zip(_allowed(said, "marketing"), _allowed(said, "service"), strict=True)),
        "history": list(people.consent_history(person.pk))[::-1],
        "person": person,
        "birthday_on": people.birthday_on(person, clock.today().year),
        "is_erased": person.erased_at is not None,
        "may_say_yes": by.is_operator,
        "once": new_token(),
    }


def _messages(member: Member) -> list[Message]:
    """What went out to them, or may have, newest first."""
    found = Message.objects.filter(member=member, state__in=("accepted", "unknown"))
    return list(found.select_related("decision__run__plan").order_by("-id")[:MESSAGES_SHOWN])


def _allowed(said: Mapping[tuple[str, str], Consent], purpose: str) -> list[Allowed]:
    found = []
    for channel in words.CHANNELS:
        last = said.get((channel, purpose))
        may = last.is_given if last is not None else purpose == "service"
        found.append(Allowed(channel, purpose, last, may))
    return found
