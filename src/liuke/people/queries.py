"""Who is it, what do they allow, and who works here?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import reduce
from importlib.resources import files
from operator import or_
from typing import Any

from django.db.models import F, Q, QuerySet

from liuke.base import ids, sealing
from liuke.base.audit import Invariant
from liuke.people.birthdays import birthday
from liuke.people.errors import UnknownLogin, UnknownMember
from liuke.people.models import (
    Attestation,
    Consent,
    ConsentChange,
    Login,
    LoginCode,
    Member,
    RecoveryCode,
    StaffAct,
    StaffPolicy,
)
from liuke.people.rules import BEHAVIOUR, PHONE_PURPOSE, STAFF_ROLES, read_phone

# Offered for choosing, by name; `set_time_zone` takes every IANA name.
ZONES = tuple(
    sorted(
        name
        for name in (files("tzdata") / "zones").read_text(encoding="utf-8").split()
        if "/" in name and not name.startswith(("Etc/", "US/"))
    )
)
ACTS_SHOWN = 200


def member_by_reference(text: str) -> Member:
    """The member a reference names, however it was typed.

    Raises:
        UnknownMember: nobody has it, or it cannot be a reference.
    """
    reference = ids.read_reference(text)
    member = Member.objects.filter(reference=reference).first() if reference else None
    if member is None:
        raise UnknownMember
    return member


def person_with_phone(text: str) -> Member:
    """Whoever has the phone number, however it was typed; the row that is their own.

    Raises:
        UnknownMember: nobody has it, or it is no mainland mobile number.
    """
    digits = read_phone(text)
    index = sealing.blind_index(digits, PHONE_PURPOSE) if digits else ""
    person = Member.objects.filter(phone_index=index, pk=F("person_id")).first()
    if person is None:
        raise UnknownMember
    return person


def members_of(person_id: int) -> QuerySet[Member]:
    """Every row of a person, their own first."""
    return Member.objects.filter(person_id=person_id).order_by("id")


def zone_of(member: Member) -> str:
    """The person's time zone as an IANA name; "" when nobody knows it."""
    return _own_row(member).time_zone


def birthday_on(member: Member, year: int) -> dt.date | None:
    """The day on which the person's birthday is kept; None when it is not known.

    29 February is kept on the 28th of a common year. A lunar birthday is that of the lunar year which begins in
    `year` (so it may fall into the January or February after), the 30th on the 29th of a short month.
    """
    own = _own_row(member)
    if own.birth_month is None or own.birth_day is None:
        return None
    return birthday(own.birth_month, own.birth_day, own.birth_calendar, year)


def _own_row(member: Member) -> Member:
    return member if member.pk == member.person_id else Member.objects.get(pk=member.person_id)


# Consent ------------------------------------------------------------------------------------------


def consents_of(person_id: int) -> dict[tuple[str, str], Consent]:
    """(channel, purpose) → what the person said last, with `change` to say on which basis; absent when nothing."""
    said = Consent.objects.filter(person_id=person_id).select_related("change")
    return {(one.channel, one.purpose): one for one in said}


def consent_history(person_id: int) -> QuerySet[ConsentChange]:
    """Everything that was said, oldest first."""
    return (
        ConsentChange.objects.filter(person_id=person_id)
        .select_related("attestation", "by")
        .order_by("id")
    )


def may_reach(person_id: int, channel: str, purpose: str) -> bool:
    """Whether a message may go: marketing needs a yes, service only that there is no no."""
    said = Consent.objects.filter(person_id=person_id, channel=channel, purpose=purpose).first()
    return said.is_given if said is not None else purpose == "service"


def may_be_noted(person_ids: Collection[int]) -> set[int]:
    """Those of these persons of whose behaviour something may be kept: they are there and have not said no."""
    channel, purpose = BEHAVIOUR
    refused = Consent.objects.filter(channel=channel, purpose=purpose, is_given=False)
    there = Member.objects.filter(pk__in=person_ids, person=F("pk"), erased_at=None)
    return set(
        there.exclude(pk__in=refused.filter(person__in=person_ids).values("person")).values_list(
            "pk", flat=True
        )
    )


def attestations(source: str) -> QuerySet[Attestation]:
    """What was attested for a source, the newest first; ended ones too."""
    return Attestation.objects.filter(source=source).select_related("by").order_by("-id")


# Those who work here ------------------------------------------------------------------------------


def logins() -> QuerySet[Login]:
    """Everyone who may sign in to the console, oldest first."""
    return Login.objects.filter(role__in=STAFF_ROLES).order_by("id")


def login_named(name: str) -> Login:
    """The login of that name.

    Raises:
        UnknownLogin: nobody signs in with it.
    """
    login = Login.objects.filter(name=name).first()
    if login is None:
        raise UnknownLogin(name=name)
    return login


def policy() -> StaffPolicy:
    """What the door asks of those who work here."""
    return StaffPolicy.objects.latest("version")


def recovery_codes_left(login: Login) -> int:
    """How many recovery codes were not used yet."""
    return RecoveryCode.objects.filter(login=login, used_at=None).count()


def staff_acts(about: str | None = None, limit: int = ACTS_SHOWN) -> QuerySet[StaffAct]:
    """What those who work here did, the latest first; with `about`, to one thing."""
    acts = StaffAct.objects.select_related("by").order_by("-id")
    return (acts if about is None else acts.filter(about=about))[:limit]


def acts(
    *, things: Collection[str] = (), about: str = "", by: str | None = None
) -> QuerySet[StaffAct]:
    """All that staff did, the latest first: to kinds of thing, to one thing, by one login ("" the command line)."""
    found = StaffAct.objects.select_related("by").order_by("-id")
    if things:
        found = found.filter(reduce(or_, (Q(verb__startswith=f"{thing}.") for thing in things)))
    if about:
        found = found.filter(about=about)
    if by is not None:
        found = found.filter(by__name=by) if by else found.filter(by=None)
    return found


# Everything about one person ----------------------------------------------------------------------


def file_of(member: Member) -> dict[str, Any]:
    """All that this room keeps about the person, as plain data: for the member, who may ask for it."""
    own = _own_row(member)
    rows = list(members_of(own.pk))
    has_birthday, has_quiet_hours = own.birth_month is not None, own.quiet_from is not None
    return {
        "reference": own.reference,
        "known_as": [_known_as(row) for row in rows],
        "phone": own.phone(),
        "email": own.email(),
        "email_confirmed_at": _moment(own.email_confirmed_at),
        "time_zone": own.time_zone,
        "time_zone_from": own.time_zone_from,
        "birthday": [own.birth_calendar, own.birth_month, own.birth_day] if has_birthday else None,
        "quiet_hours": [str(own.quiet_from), str(own.quiet_until)] if has_quiet_hours else None,
        "erased_at": _moment(own.erased_at),
        "consent_history": [_said(change) for change in consent_history(own.pk)],
        "codes_sent": _codes_sent(own),
        "acts": [
            {"at": _moment(act.at), "verb": act.verb}
            for row in rows
            for act in staff_acts(about=row.reference)
        ],
    }


def _known_as(row: Member) -> dict[str, Any]:
    is_by_phone = row.phone_index is not None and row.external_id == row.phone_index
    return {
        "reference": row.reference,
        "source": row.source,
        "name": row.phone() if is_by_phone else row.external_id,
        "enrolled_at": _moment(row.enrolled_at),
    }


def _said(change: ConsentChange) -> dict[str, Any]:
    return {
        "at": _moment(change.at),
        "channel": change.channel,
        "purpose": change.purpose,
        "is_given": change.is_given,
        "basis": change.basis,
        "words": change.attestation.statement if change.attestation else change.words,
    }


def _codes_sent(own: Member) -> list[dict[str, Any]]:
    indexes = [index for index in (own.phone_index, own.email_index) if index]
    sent = LoginCode.objects.filter(address_index__in=indexes).order_by("id")
    return [{"kind": code.kind, "sent_at": _moment(code.sent_at)} for code in sent]


def _moment(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


# Promises -----------------------------------------------------------------------------------------


def invariants() -> list[Invariant]:
    """What this room promises about its tables."""
    return [
        Invariant(
            "people.phone_is_sealed",
            "A member known by phone has no plain number anywhere in their row",
            "SELECT id FROM people_member WHERE external_id ~ '^([+]?86)?[ -]?1[3-9][0-9]{9}$'"
            " OR (phone_sealed IS NOT NULL AND length(phone_sealed) < 29)",
        ),
        Invariant(
            "people.reference_has_its_check_letter",
            "Every member reference uses the safe alphabet",
            "SELECT id FROM people_member WHERE reference !~ '^[2-9A-HJKMNP-RT-Y]{12}$'",
        ),
        Invariant(
            "people.everyone_is_a_person",
            "Every member belongs to a person, and a person's own row belongs to itself",
            "SELECT m.id, m.person_id FROM people_member m LEFT JOIN people_member p ON p.id = m.person_id"
            " WHERE p.id IS NULL OR p.person_id <> p.id",
        ),
        Invariant(
            "people.one_person_per_phone",
            "Rows with one phone number are one person, and a person has one number",
            "SELECT phone_index::text FROM people_member WHERE phone_index IS NOT NULL"
            " GROUP BY phone_index HAVING count(DISTINCT person_id) > 1 UNION ALL"
            " SELECT person_id::text FROM people_member GROUP BY person_id"
            " HAVING count(DISTINCT phone_index) > 1",
        ),
        Invariant(
            "people.erased_have_no_face",
            "Of an erased member nothing is kept that names them, and nothing is allowed",
            "SELECT m.id FROM people_member m JOIN people_member p ON p.id = m.person_id"
            " WHERE (m.erased_at IS NULL) <> (p.erased_at IS NULL) OR (m.erased_at IS NOT NULL AND ("
            " m.phone_index IS NOT NULL OR m.email_index IS NOT NULL OR m.birth_day IS NOT NULL"
            " OR m.external_id NOT LIKE 'erased:%' OR EXISTS (SELECT 1 FROM people_consent c"
            " WHERE c.person_id = m.person_id AND c.is_given)))",
        ),
        Invariant(
            "people.consent_follows_its_history",
            "What a person allows now is the last thing that was said",
            # nothing was said after what holds, and what holds was said
            "SELECT h.person_id, h.channel, h.purpose FROM people_consent_change h LEFT JOIN people_consent c"
            " ON (c.person_id, c.channel, c.purpose) = (h.person_id, h.channel, h.purpose)"
            " WHERE c.change_id IS NULL OR c.change_id < h.id UNION ALL"
            " SELECT c.person_id, c.channel, c.purpose FROM people_consent c LEFT JOIN people_consent_change h"
            " ON h.id = c.change_id AND (h.person_id, h.channel, h.purpose, h.is_given, h.at)"
            " = (c.person_id, c.channel, c.purpose, c.is_given, c.since) WHERE h.id IS NULL",
        ),
        Invariant(
            "people.consent_is_a_persons",
            "Consent is kept of persons that exist, and an attested yes names its attestation",
            "SELECT c.person_id, c.change_id FROM people_consent c LEFT JOIN people_member m ON m.id = c.person_id"
            " WHERE m.id IS NULL OR m.person_id <> m.id UNION ALL"
            " SELECT min(h.person_id), h.attestation_id FROM people_consent_change h"
            " LEFT JOIN people_attestation a ON a.id = h.attestation_id"
            " WHERE h.attestation_id IS NOT NULL AND a.id IS NULL GROUP BY h.attestation_id",
        ),
    ]
