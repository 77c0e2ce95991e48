"""Messages as the member sees them: the inbox, every contact there was, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.signing import BadSignature, Signer
from django.db import connection
from django.db.models import Max, OuterRef, QuerySet, Subquery

from liuke.analytics import queries as analytics
from liuke.analytics.models import Purchase
from liuke.base import clock, sealing
from liuke.engagement.errors import BadToken, UnknownMessage
from liuke.engagement.models import Call, Contact, Decision, Message, TroubleFlag
from liuke.people.models import Member

Json = dict[str, Any]
ITEMS_SHOWN = 200
_WENT_OUT = ("accepted", "unknown")
_OPT_OUT = "engagement.opt_out"
# Asked for each page that a member opens; written out, because putting it together costs more than asking.
_UNREAD = """
SELECT count(*) FROM engagement_message m JOIN people_member p ON p.id = m.person_id
WHERE p.person_id = %s AND m.channel = 'inbox' AND m.state = 'accepted' AND m.opened_at IS NULL
"""


@dataclass(frozen=True)
class Why:
    """Why a member was chosen: the audience as a filter, and how long they had not ordered when it was written."""

    audience: Json
    days_since_last_order: int | None


@dataclass(frozen=True)
class InboxItem:
    """One message in a member's inbox."""

    reference: str
    subject: str
    body: str
    purpose: str
    plan_name: str
    at: dt.datetime
    opened_at: dt.datetime | None
    why: Why


@dataclass(frozen=True)
class LedgerRow:
    """One contact there was; `state` unknown: it may have arrived. `call_outcome` is "" until somebody rang."""

    reference: str
    at: dt.datetime
    channel: str
    purpose: str
    plan_name: str
    subject: str
    state: str
    call_outcome: str
    why: Why


@dataclass(frozen=True)
class Ledger:
    """Every contact of a person, newest first, and the earliest moment of the next one of marketing (None: any)."""

    rows: list[LedgerRow]
    next_possible_at: dt.datetime | None


class _Named(Protocol):
    @property
    def reference(self) -> str: ...


def message_named(reference: str) -> Message:
    """The message of this reference, with its member, plan version and run.

    Raises:
        UnknownMessage: there is none.
    """
    message = _told().filter(reference=reference).first()
    if message is None:
        raise UnknownMessage
    return message


def inbox(person_id: int) -> list[InboxItem]:
    """What came to a person's inbox, newest first."""
    return [
        InboxItem(
            reference=message.reference,
            subject=message.subject,
            body=message.body,
            purpose=message.purpose,
            plan_name=message.decision.run.plan.name,
            at=_went_at(message),
            opened_at=message.opened_at,
            why=_why(message, message.last_order_on),
        )
        for message in _of(person_id).filter(channel="inbox", state="accepted")[:ITEMS_SHOWN]
    ]


def unread(person_id: int) -> int:
    """How many messages in a person's inbox they have not opened."""
    with connection.cursor() as cursor:
        cursor.execute(_UNREAD, [person_id])
        (count,) = cursor.fetchone()
    return int(count)


def ledger(person_id: int) -> Ledger:
    """Every contact of a person, and when the next one may come at the earliest."""
    messages = list(_of(person_id).filter(state__in=_WENT_OUT)[:ITEMS_SHOWN])
    outcomes = dict(Call.objects.filter(message__in=messages).values_list("message_id", "outcome"))
    rows = [
        LedgerRow(
            reference=message.reference,
            at=_went_at(message),
            channel=message.channel,
            purpose=message.purpose,
            plan_name=message.decision.run.plan.name,
            subject=message.subject,
            state=message.state,
            call_outcome=outcomes.get(message.pk, ""),
            why=_why(message, message.last_order_on),
        )
        for message in messages
    ]
    return Ledger(rows, next_possible_at(person_id))


def next_possible_at(person_id: int) -> dt.datetime | None:
    """When the person's taken week ends; None when none is."""
    taken = Contact.objects.filter(person_id=person_id, given_back_at=None)
    until: dt.datetime | None = taken.aggregate(until=Max("during__endswith"))["until"]
    return until if until is not None and until > clock.now() else None


def why(message: Message) -> Why:
    """Why this member got this message."""
    told = _with_last_order(Message.objects.filter(pk=message.pk))
    return _why(message, told.values_list("last_order_on", flat=True).get())


def _why(message: Message, last_order_on: dt.date | None) -> Why:
    days = (clock.local_date(message.made_at) - last_order_on).days if last_order_on else None
    return Why(analytics.told_part(message.decision.run.version.audience), days)


def unsubscribe_token(message: _Named) -> str:
    """What the opt-out link of a message ends in: its reference, signed. It never expires."""
    return _signer().sign(message.reference)


def message_of_token(token: str) -> Message:
    """The message whose link this is.

    Raises:
        BadToken: it is altered or forged, or there is no such message.
    """
    try:
        reference = _signer().unsign(token)
    except BadSignature as forged:
        raise BadToken from forged
    message = _told().filter(reference=reference).first()
    if message is None:
        raise BadToken
    return message


def _signer() -> Signer:
    """Signs with the master key, which the operator keeps: links in old messages outlive a restored backup."""
    return Signer(key=sealing.blind_index("key", _OPT_OUT), sep=".", salt=_OPT_OUT)


def file_of(member: Member) -> Json:
    """Everything this room knows about one member, for the member to take along."""
    flags = TroubleFlag.objects.filter(member=member).order_by("id")
    calls = Call.objects.filter(member=member).order_by("id")
    return {
        "messages": [
            {
                "reference": message.reference,
                "plan": message.decision.run.plan.name,
                "channel": message.channel,
                "purpose": message.purpose,
                "subject": message.subject,
                "body": message.body,
                "state": message.state,
                "made_at": message.made_at,
                "ended_at": message.ended_at,
                "opened_at": message.opened_at,
            }
            for message in _told().filter(member=member).order_by("id")
        ],
        "decisions": [
            {
                "plan": decision.run.plan.name,
                "planned_on": decision.run.planned_on,
                "decided_at": decision.decided_at,
                "reason": decision.reason,
            }
            for decision in Decision.objects.select_related("run__plan")
            .filter(member=member)
            .order_by("id")
        ],
        "contacts": list(
            Contact.objects.filter(decision__member=member)
            .order_by("id")
            .values("claimed_at", "given_back_at")
        ),
        "calls": list(
            calls.values("kind", "made_at", "done_at", "outcome", "leave_reason", "note")
        ),
        "trouble": list(flags.values("why", "raised_at", "until", "closed_at")),
    }


def _told() -> QuerySet[Message]:
    return Message.objects.select_related("member", "decision__run__plan", "decision__run__version")


def _of(person_id: int) -> QuerySet[Any]:
    """The messages of everyone who is this person, newest first."""
    mine = _told().filter(person__person_id=person_id)
    return _with_last_order(mine).order_by("-id")


def _with_last_order(messages: QuerySet[Message]) -> QuerySet[Any]:
    """With `last_order_on`: the day of the member's last order before each was written."""
    before = Purchase.objects.filter(
        member=OuterRef("member_id"), at__lte=OuterRef("made_at"), amount_fen__gte=0
    )
    return messages.annotate(last_order_on=Subquery(before.order_by("-at").values("on")[:1]))


def _went_at(message: Message) -> dt.datetime:
    return message.ended_at or message.made_at
