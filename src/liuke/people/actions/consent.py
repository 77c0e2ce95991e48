"""Whom may we reach? Said by the member, by an agent for them, by one click, or attested by the operator.

The history is only added to; a trigger keeps what holds now. Bulk words and single ones take turns, so that an
attestation sees every yes and no that was given before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

from liuke.base import clock
from liuke.people.actions.acts import record_act
from liuke.people.errors import (
    BadConsent,
    EmptyStatement,
    ErasedMember,
    UnknownAttestation,
    UnknownMember,
)
from liuke.people.models import Attestation, Consent, ConsentChange, Login, Member
from liuke.people.rules import BASES, CHANNELS, CONSENTS, PURPOSES

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('people.consent'))"
_BESIDE_OTHERS = "SELECT pg_advisory_xact_lock_shared(hashtext('people.consent'))"
# One statement for an attestation and everyone it speaks for; in ascending order, so that keys are appended.
_COVER = """
INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, attestation_id, by_id, at)
SELECT DISTINCT m.person_id, %(channel)s, %(purpose)s, true, 'attested', '', %(attestation)s::bigint, %(by)s::bigint,
       %(now)s::timestamptz
FROM people_member m
WHERE m.source = %(source)s AND m.erased_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM people_consent c
    WHERE c.person_id = m.person_id AND c.channel = %(channel)s AND c.purpose = %(purpose)s)
ORDER BY m.person_id
"""
_WITHDRAW = """
INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, by_id, at)
SELECT c.person_id, c.channel, c.purpose, false, 'agent', %(words)s, %(by)s, %(now)s
FROM people_consent c JOIN people_consent_change said ON said.id = c.change_id
WHERE said.attestation_id = %(attestation)s
"""


@transaction.atomic
def change_consent(
    *,
    person_id: int,
    channel: str,
    purpose: str,
    is_given: bool,
    basis: str,
    words: str = "",
    by: Login | None = None,
) -> bool:
    """Write down a yes or a no. `words` are those the person was shown; False when the same was said on that basis.

    Raises:
        BadConsent: an unknown word; attested in bulk only; one click only says no.
        ErasedMember: a yes of someone who was erased.
        UnknownMember: `person_id` is no person's own row.
    """
    _check(channel, purpose, basis, is_given=is_given)
    speak_beside_others()
    person = _person(person_id)
    if person.erased_at is not None:
        if is_given:
            raise ErasedMember
        return False
    known = Consent.objects.filter(person_id=person_id, channel=channel, purpose=purpose)
    last = known.select_related("change").first()
    if last is not None and (last.is_given, last.change.basis) == (is_given, basis):
        return False
    ConsentChange.objects.create(
        person=person,
        channel=channel,
        purpose=purpose,
        is_given=is_given,
        basis=basis,
        words=words,
        by=by,
        at=clock.now(),
    )
    if by is not None:
        said = {"channel": channel, "purpose": purpose, "is_given": is_given}
        record_act(by=by, verb="consent.change", about=person.reference, **said)
    return True


@transaction.atomic
def attest_consent(
    *,
    source: str,
    channels: Iterable[str],
    statement: str,
    by: Login | None,
    purpose: str = "marketing",
) -> int:
    """Take the operator's word that the members of a source agreed elsewhere; how many yeses it gave.

    Whoever has said yes or no keeps what they said. Members imported later are covered too, until it is ended. A new
    attestation for the same channel takes the place of the old.

    Raises:
        BadConsent: an unknown channel or purpose, or no channel.
        EmptyStatement: it has to be said how they agreed.
    """
    wanted = list(dict.fromkeys(channels))
    if not wanted or not set(wanted) <= set(CHANNELS) or purpose not in PURPOSES:
        raise BadConsent
    if not statement.strip():
        raise EmptyStatement
    _speak_alone()
    now = clock.now()
    Attestation.objects.filter(
        source=source, channel__in=wanted, purpose=purpose, ended_at=None
    ).update(ended_at=now)
    Attestation.objects.bulk_create(
        Attestation(
            source=source,
            channel=channel,
            purpose=purpose,
            statement=statement.strip(),
            by=by,
            attested_at=now,
        )
        for channel in wanted
    )
    record_act(by=by, verb="consent.attest", about=source, channels=wanted, purpose=purpose)
    return _cover(source)


@transaction.atomic
def extend_attestations(*, source: str) -> int:
    """Let what is attested for a source hold for the members who came since; how many yeses it gave."""
    if not Attestation.objects.filter(source=source, ended_at=None).exists():
        return 0
    _speak_alone()
    return _cover(source)


@transaction.atomic
def end_attestation(*, attestation_id: int, by: Login | None, withdraw: bool = False) -> int:
    """Cover nobody who comes later; with `withdraw`, also take back each yes that came from it. How many.

    Raises:
        UnknownAttestation: there is none in force.
    """
    _speak_alone()
    now = clock.now()
    attestation = Attestation.objects.filter(pk=attestation_id, ended_at=None).first()
    if attestation is None:
        raise UnknownAttestation
    attestation.ended_at = now
    attestation.save(update_fields=["ended_at"])
    record_act(by=by, verb="consent.end_attestation", about=attestation.source, withdraw=withdraw)
    if not withdraw:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _WITHDRAW,
            {
                "attestation": attestation_id,
                "words": attestation.statement,
                "by": by.pk if by else None,
                "now": now,
            },
        )
        return int(cursor.rowcount)


def withdraw_everything(person: Member, *, basis: str, by: Login | None) -> None:
    """A no to every channel and purpose, in the caller's transaction: what erasing leaves behind."""
    now = clock.now()
    ConsentChange.objects.bulk_create(
        ConsentChange(
            person=person,
            channel=channel,
            purpose=purpose,
            is_given=False,
            basis=basis,
            words="erased",
            by=by,
            at=now,
        )
        for channel, purpose in CONSENTS
    )


def speak_beside_others() -> None:
    """Wait while an attestation is being written, in the caller's transaction; before any row is locked."""
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE_OTHERS)


def _speak_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)


def _cover(source: str) -> int:
    covered = 0
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE people_consent"
        )  # a planner that takes it for empty looks at it for each member
        for attestation in Attestation.objects.filter(source=source, ended_at=None).order_by("id"):
            cursor.execute(
                _COVER,
                {
                    "source": source,
                    "channel": attestation.channel,
                    "purpose": attestation.purpose,
                    "attestation": attestation.pk,
                    "by": attestation.by_id,
                    "now": clock.now(),
                },
            )
            covered += int(cursor.rowcount)
    return covered


def _check(channel: str, purpose: str, basis: str, *, is_given: bool) -> None:
    is_known = (channel, purpose) in CONSENTS and basis in BASES
    if not is_known or basis == "attested" or (basis == "one_click" and is_given):
        raise BadConsent


def _person(person_id: int) -> Member:
    """The person's own row, held: what two say at once is written one after the other."""
    held = Member.objects.select_for_update(no_key=True)
    person = held.filter(pk=person_id, person_id=person_id).first()
    if person is None:
        raise UnknownMember
    return person
