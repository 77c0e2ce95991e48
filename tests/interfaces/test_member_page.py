"""The member's page: every decision about them, what they allow, trouble, and what they may ask of us."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from django.test import Client

from liuke.analytics.queries import source_named
from liuke.base import clock
from liuke.engagement.actions.send import send_due
from liuke.engagement.models import Call, TroubleFlag
from liuke.people.actions import set_birthday, set_quiet_hours, set_time_zone
from liuke.people.models import Consent, ConsentChange, Login, Member, StaffAct
from tests.engagement import make

PHONE = "13800138000"


@pytest.fixture
def known(db: None, tmp_path: Path, noon: dt.datetime, nobody_held_out: None) -> Member:
    """A silent member known by phone, who agreed."""
    make.shop(tmp_path, [PHONE, "m002"])
    return Member.objects.get(phone_sealed__isnull=False)


def page(client: Client, member: Member) -> str:
    return client.get(f"/members/{member.reference}/").content.decode()


def flag(client: Client, member: Member, **given: str) -> None:
    once = client.get(f"/members/{member.reference}/").context["once"]
    client.post(f"/members/{member.reference}/trouble/", {"once": once, **given})


def test_every_decision_stands_there_with_its_reason(
    visitor: Client, answering: Client, known: Member
) -> None:
    assert "No plan has had them" in page(visitor, known)
    plan = make.plan(source_named(known.source), name="First plan")
    make.run(plan)
    make.decide()
    send_due()
    make.run(make.plan(source_named(known.source), name="Second plan"))
    make.decide()
    text = page(visitor, known)
    assert text.index("Second plan") < text.index("First plan")
    assert "Waits for their week" in text
    assert "the next may come from" in text
    assert f'href="/plans/{plan.reference}/"' in text
    assert f'href="/plans/{plan.reference}/"' not in page(answering, known)  # agents see no plans


def test_profile_is_shown_and_the_number_stays_masked(visitor: Client, known: Member) -> None:
    set_time_zone(member=known, zone="Asia/Urumqi", origin="member")
    set_quiet_hours(member=known, from_=dt.time(22), until=dt.time(9, 30))
    set_birthday(member=known, month=8, day=15, calendar="lunar")
    text = page(visitor, known)
    for shown in ("138****8000", "Asia/Urumqi", "22:00–09:30", "lunar 8/15", "2026-09-25"):
        assert shown in text
    # The goods of the test's members are named after them; nothing else may be.
    assert PHONE not in text.replace(f"Card of {PHONE}", "").replace(f"{PHONE}-", "")


def test_an_agent_writes_down_a_no_but_not_a_yes(
    answering: Client, visitor: Client, known: Member, agent: Login
) -> None:
    path = f"/members/{known.reference}/consent/"
    said = {"channel": "sms", "purpose": "marketing", "words": "leave me alone"}
    answering.post(path, {**said, "said": "no"})
    last = ConsentChange.objects.latest("id")
    assert (last.is_given, last.basis, last.words, last.by) == (
        False, "agent", "leave me alone", agent,
    )  # fmt: skip
    assert answering.post(path, {**said, "said": "yes"}).status_code == 403
    assert not Consent.objects.get(
        person=known.person_id, channel="sms", purpose="marketing"
    ).is_given
    visitor.post(path, {**said, "said": "yes"})
    assert Consent.objects.get(person=known.person_id, channel="sms", purpose="marketing").is_given
    text = page(answering, known)
    assert "leave me alone" in text
    assert "They said yes" not in text


def test_a_consent_to_nothing_we_know_is_refused(visitor: Client, known: Member) -> None:
    before = ConsentChange.objects.count()
    answer = visitor.post(
        f"/members/{known.reference}/consent/",
        {"channel": "pigeon", "purpose": "marketing", "said": "no"},
        follow=True,
    )
    assert "This cannot be agreed to." in answer.content.decode()
    assert ConsentChange.objects.count() == before


def test_trouble_is_raised_once_shown_and_closed(
    answering: Client, known: Member, agent: Login
) -> None:
    once = answering.get(f"/members/{known.reference}/").context["once"]
    given = {"once": once, "why": "the key was dead", "days": "14", "wants_call": "1"}
    for _ in range(2):  # a double click
        answering.post(f"/members/{known.reference}/trouble/", given)
    raised = TroubleFlag.objects.get()
    assert (raised.why, raised.by) == ("the key was dead", agent)
    assert raised.until == clock.today() + dt.timedelta(days=14)
    assert Call.objects.get().kind == "care"
    text = page(answering, known)
    assert "the key was dead" in text
    assert "It is solved" in text
    answering.post(f"/members/{known.reference}/trouble/close/", {"flag": str(raised.pk)})
    raised.refresh_from_db()
    assert raised.closed_at is not None
    assert "It is solved" not in page(answering, known)


@pytest.mark.parametrize("days", ["", "0", "-3", "soon", "99999"])
def test_a_flag_without_sensible_days_holds_until_it_is_closed(
    days: str, answering: Client, known: Member
) -> None:
    flag(answering, known, why="late", days=days)
    assert TroubleFlag.objects.get().until is None
    assert not Call.objects.exists()  # no call was asked for


def test_a_flag_without_a_reason_is_refused(answering: Client, known: Member) -> None:
    flag(answering, known, why="  ")
    assert not TroubleFlag.objects.exists()
    assert "Write down what the trouble is." in page(answering, known)


def test_a_flag_of_somebody_else_is_not_closed_here(answering: Client, known: Member) -> None:
    other = make.member("m002")
    flag(answering, other, why="late")
    theirs = TroubleFlag.objects.get()
    for value in (str(theirs.pk), "x", ""):
        answer = answering.post(f"/members/{known.reference}/trouble/close/", {"flag": value})
        assert answer.status_code == 404
    theirs.refresh_from_db()
    assert theirs.closed_at is None


def test_everything_known_goes_along_as_a_file(
    visitor: Client, answering: Client, known: Member
) -> None:
    path = f"/members/{known.reference}/export/"
    assert answering.post(path).status_code == 403
    assert visitor.get(path).status_code == 405
    assert not StaffAct.objects.filter(verb="member.export").exists()
    answer = visitor.post(path)
    assert answer["Content-Disposition"] == f'attachment; filename="liuke-{known.reference}.json"'
    assert "no-store" in answer["Cache-Control"]
    file = json.loads(answer.content)
    assert PHONE in answer.content.decode()
    assert [set(row) >= {"people", "analytics", "engagement"} for row in file["known_as"]] == [True]
    assert StaffAct.objects.get(verb="member.export").about == known.reference


@pytest.mark.parametrize("typed", ["", "yes", "23456789ABCD"])
def test_erasing_needs_the_reference_typed(typed: str, visitor: Client, known: Member) -> None:
    answer = visitor.post(f"/members/{known.reference}/erase/", {"confirmed": typed}, follow=True)
    assert "Nothing was erased" in answer.content.decode()
    known.refresh_from_db()
    assert known.erased_at is None
    assert known.phone() == PHONE


def test_an_operator_erases_and_an_agent_does_not(
    visitor: Client, answering: Client, known: Member
) -> None:
    path, typed = f"/members/{known.reference}/erase/", {"confirmed": known.reference.lower()}
    assert answering.post(path, typed).status_code == 403
    known.refresh_from_db()
    assert known.erased_at is None
    for _ in range(2):
        visitor.post(path, typed)
    known.refresh_from_db()
    assert known.erased_at is not None
    text = page(visitor, known)
    assert "138****8000" not in text
    assert "nothing is sent to them any more" in text
    assert "They said no" not in text
    assert StaffAct.objects.filter(verb="member.erase").count() == 1


def test_strangers_reach_none_of_it(known: Member) -> None:
    for part in ("trouble/", "trouble/close/", "consent/", "export/", "erase/"):
        answer = Client().post(f"/members/{known.reference}/{part}", {"why": "x"})
        assert answer["Location"].startswith("/login/")
    assert not TroubleFlag.objects.exists()
    known.refresh_from_db()
    assert known.erased_at is None


def test_unknown_members_are_pages(visitor: Client, known: Member) -> None:
    for part in ("trouble/", "trouble/close/", "consent/", "export/", "erase/"):
        assert visitor.post(f"/members/23456789ABCD/{part}", {"why": "x"}).status_code == 404
