"""Who may be reached: what was said, by whom, on which words; a history nobody can change."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.base.audit import check
from liuke.people import actions, queries
from liuke.people.errors import (
    BadConsent,
    EmptyStatement,
    ErasedMember,
    UnknownAttestation,
    UnknownMember,
)
from liuke.people.models import Attestation, Consent, ConsentChange, Login, Member
from tests.analytics import make as orders
from tests.people import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
SAID = "Ticked on our old site's sign-up form, form 3 of 2025"


def say(
    member: Member, is_given: bool, basis: str = "member", channel: str = "sms", **more: object
) -> bool:
    arguments = {"purpose": "marketing", **more}
    return actions.change_consent(  # type: ignore[arg-type]
        person_id=member.pk, channel=channel, is_given=is_given, basis=basis, **arguments
    )


def attest(source: str = "main", *channels: str, by: Login | None = None) -> int:
    return actions.attest_consent(
        source=source, channels=channels or ("sms",), statement=SAID, by=by
    )


def history(member: Member) -> list[tuple[bool, str]]:
    return [(change.is_given, change.basis) for change in queries.consent_history(member.pk)]


def is_sound() -> bool:
    return not any(check(promise).violations for promise in queries.invariants())


def test_marketing_needs_a_yes_and_service_only_no_no() -> None:
    member = make.member()
    assert not queries.may_reach(member.pk, "sms", "marketing")
    assert queries.may_reach(member.pk, "sms", "service")
    say(member, True)
    say(member, False, purpose="service")
    assert queries.may_reach(member.pk, "sms", "marketing")
    assert not queries.may_reach(member.pk, "sms", "service")
    assert not queries.may_reach(member.pk, "email", "marketing"), "each channel by itself"
    assert queries.may_reach(member.pk, "email", "service")


def test_what_was_said_last_holds_and_everything_is_kept(operator: Login) -> None:
    member = make.member()
    assert say(member, True, words="Send me offers, once a week at most")
    assert say(member, False, "one_click")
    assert say(member, True, "agent", by=operator, words="asked for it on the phone")
    said = queries.consents_of(member.pk)
    assert said.keys() == {("sms", "marketing")}
    assert said["sms", "marketing"].is_given
    assert said["sms", "marketing"].change.words == "asked for it on the phone"
    assert history(member) == [(True, "member"), (False, "one_click"), (True, "agent")]
    assert queries.staff_acts()[0].verb == "consent.change"
    assert queries.staff_acts()[0].about == member.reference
    assert is_sound()


def test_the_same_said_twice_is_kept_once_but_a_better_basis_is_written_down() -> None:
    member = make.member()
    attest()
    assert say(member, True), "the member's own word stands by itself"
    assert not say(member, True)
    assert history(member) == [(True, "attested"), (True, "member")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": "fax"},
        {"purpose": "fun"},
        {"basis": "guess"},
        {"basis": "attested"},
        {"basis": "one_click"},
    ],
)
def test_what_cannot_be_agreed_to_is_refused(wrong: dict[str, str]) -> None:
    member = make.member()
    with pytest.raises(BadConsent):
        actions.change_consent(
            **{  # type: ignore[arg-type]
                "person_id": member.pk,
                "channel": "sms",
                "purpose": "marketing",
                "basis": "member",
                "is_given": True,
                **wrong,
            }
        )
    assert not ConsentChange.objects.exists()


def test_consent_belongs_to_persons_not_to_rows() -> None:
    first = make.member("13800008000", "a")
    second = make.member("13800008000", "b")
    with pytest.raises(UnknownMember):
        say(second, True)
    with pytest.raises(UnknownMember):
        actions.change_consent(
            person_id=0, channel="sms", purpose="marketing", is_given=True, basis="member"
        )
    say(first, True)
    assert queries.may_reach(second.person_id, "sms", "marketing")


# Attested by the operator -------------------------------------------------------------------------


def test_an_attestation_speaks_for_those_who_said_nothing(operator: Login) -> None:
    silent, yes, no, other = (*make.members("a", "b", "c"), make.member("d", "elsewhere"))
    say(yes, True)
    say(no, False)
    assert attest("main", "sms", "email", by=operator) == 4
    assert history(silent) == [(True, "attested")] * 2
    assert history(no) == [(False, "member"), (True, "attested")], "e-mail only"
    assert not queries.may_reach(no.pk, "sms", "marketing")
    assert queries.may_reach(no.pk, "email", "marketing")
    assert history(yes) == [(True, "member"), (True, "attested")]
    assert history(other) == []
    assert [one.statement for one in queries.attestations("main")] == [SAID, SAID]
    act = queries.staff_acts()[0]
    assert (act.verb, act.about, act.by) == ("consent.attest", "main", operator)
    assert is_sound()


def test_one_person_in_two_rows_is_covered_once() -> None:
    make.members("13800008000", "m", source="main")
    make.member("13800008000", "other")
    assert attest("other") == 1
    assert attest("main") == 1, "only m is left"
    assert is_sound()


def test_attesting_again_takes_the_place_of_the_old_word_and_gives_nothing_twice() -> None:
    make.members("a", "b")
    assert attest() == 2
    assert attest() == 0
    new, old = queries.attestations("main")
    assert (new.ended_at is None, old.ended_at is not None) == (True, True)
    assert ConsentChange.objects.count() == 2


@pytest.mark.parametrize(
    ("channels", "statement", "refusal"),
    [
        ([], SAID, BadConsent),
        (["fax"], SAID, BadConsent),
        (["sms", "fax"], SAID, BadConsent),
        (["sms"], "  ", EmptyStatement),
    ],
)
def test_an_empty_or_impossible_attestation_is_refused(
    channels: list[str], statement: str, refusal: type[Exception]
) -> None:
    make.member()
    with pytest.raises(refusal):
        actions.attest_consent(source="main", channels=channels, statement=statement, by=None)
    assert (Attestation.objects.count(), ConsentChange.objects.count()) == (0, 0)


def test_later_imports_are_covered_until_the_attestation_ends(
    tmp_path: Path, operator: Login
) -> None:
    orders.orders(tmp_path, "m1,2026-01-01,5,1,,")
    attest()
    orders.orders(tmp_path, "m1,2026-01-01,5,1,,", "m2,2026-01-02,5,2,,")
    m1, m2 = Member.objects.order_by("id")
    assert (history(m1), history(m2)) == ([(True, "attested")], [(True, "attested")])
    attestation = queries.attestations("main")[0]
    assert actions.end_attestation(attestation_id=attestation.pk, by=operator) == 0
    orders.orders(tmp_path, "m3,2026-01-03,5,3,,")
    m3 = Member.objects.get(external_id="m3")
    assert history(m3) == []
    assert queries.may_reach(m2.pk, "sms", "marketing"), "what was given stays given"
    with pytest.raises(UnknownAttestation):
        actions.end_attestation(attestation_id=attestation.pk, by=operator)
    assert is_sound()


def test_an_attestation_that_was_wrong_can_be_taken_back_where_nobody_confirmed_it() -> None:
    silent, confirmed, left = make.members("a", "b", "c")
    attest()
    say(confirmed, True)
    say(left, False, "one_click")
    attestation = queries.attestations("main")[0]
    assert actions.end_attestation(attestation_id=attestation.pk, by=None, withdraw=True) == 1
    assert not queries.may_reach(silent.pk, "sms", "marketing")
    assert queries.may_reach(confirmed.pk, "sms", "marketing")
    assert not queries.may_reach(left.pk, "sms", "marketing")
    assert attest() == 0, "a no is not turned into a yes by attesting again"
    assert is_sound()


# What the database refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE people_consent SET is_given = true",
        "DELETE FROM people_consent",
        "INSERT INTO people_consent SELECT person_id, 'email', purpose, true, since, change_id FROM people_consent",
        "UPDATE people_consent_change SET is_given = true",
        "DELETE FROM people_consent_change",
        # an attestation over a no
        "INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, attestation_id, at)"
        " SELECT person_id, channel, purpose, true, 'attested', '', 1, at FROM people_consent_change",
        # an attestation that names none, a click that says yes, an unknown channel
        "INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, at)"
        " SELECT person_id, 'email', purpose, true, 'attested', '', at FROM people_consent_change",
        "INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, at)"
        " SELECT person_id, 'email', purpose, true, 'one_click', '', at FROM people_consent_change",
        "INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, at)"
        " SELECT person_id, 'fax', purpose, false, 'member', '', at FROM people_consent_change",
    ],
)
def test_a_hand_written_statement_cannot_bend_consent(statement: str) -> None:
    member = make.member()
    say(member, False)
    before = list(Consent.objects.values()), list(ConsentChange.objects.values())
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (list(Consent.objects.values()), list(ConsentChange.objects.values())) == before


def test_a_hand_written_line_of_history_is_followed_at_once() -> None:
    member = make.member()
    say(member, True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_consent_change (person_id, channel, purpose, is_given, basis, words, at)"
            " SELECT person_id, channel, purpose, false, 'agent', '', at FROM people_consent_change"
        )
    assert not queries.may_reach(member.pk, "sms", "marketing")
    assert is_sound()


def test_an_erased_member_says_no_to_everything_for_good() -> None:
    member = make.member()
    say(member, True)
    actions.erase_member(member=member, by=None)
    with pytest.raises(ErasedMember):
        say(member, True)
    assert not say(member, False)
    assert attest("main", *("list", "inbox", "sms", "email")) == 0
    assert not any(
        queries.may_reach(member.pk, channel, purpose)
        for channel in ("list", "inbox", "sms", "email")
        for purpose in ("marketing", "service")
    )
    assert is_sound()
