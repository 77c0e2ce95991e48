"""Time zone, birthday, quiet hours, e-mail and number: kept once a person, and only when they make sense."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from liuke.base import clock
from liuke.base.outside import Rejected
from liuke.people import actions, queries
from liuke.people.birthdays import birthday
from liuke.people.errors import (
    BadBirthday,
    BadQuietHours,
    BadTimeZone,
    CodeNotSent,
    ErasedMember,
    NotAnEmailAddress,
    NotAPhoneNumber,
    PhoneTaken,
    TooManyCodes,
    WrongCode,
)
from liuke.people.models import LoginCode, Member
from tests.conftest import NOON
from tests.people import make
from tests.people.make import Letterbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


# Time zone ----------------------------------------------------------------------------------------


def test_what_a_member_says_beats_the_device_and_the_device_beats_the_source() -> None:
    member = make.member()
    assert queries.zone_of(member) == ""
    for zone, origin, kept, then in (
        ("Asia/Shanghai", "source", True, "Asia/Shanghai"),
        ("Asia/Tokyo", "device", True, "Asia/Tokyo"),
        ("Asia/Shanghai", "source", False, "Asia/Tokyo"),
        ("Europe/Paris", "member", True, "Europe/Paris"),
        ("Asia/Tokyo", "device", False, "Europe/Paris"),
        ("Asia/Urumqi", "member", True, "Asia/Urumqi"),
        ("", "member", True, ""),
        ("Asia/Tokyo", "device", True, "Asia/Tokyo"),
    ):
        assert actions.set_time_zone(member=member, zone=zone, origin=origin) is kept
        member.refresh_from_db()
        assert queries.zone_of(member) == then


@pytest.mark.parametrize(
    ("zone", "origin"),
    [
        ("Asia/Nowhere", "member"),
        ("../etc/passwd", "member"),
        ("Asia/Tokyo", "guess"),
        ("+8", "member"),
    ],
)
def test_what_is_no_time_zone_is_refused(zone: str, origin: str) -> None:
    member = make.member()
    with pytest.raises(BadTimeZone):
        actions.set_time_zone(member=member, zone=zone, origin=origin)
    assert queries.zone_of(member) == ""


def test_every_zone_that_is_offered_is_taken() -> None:
    member = make.member()
    assert {"Asia/Shanghai", "Asia/Urumqi", "America/New_York"} <= set(queries.ZONES)
    for zone in queries.ZONES[::40]:
        assert actions.set_time_zone(member=member, zone=zone, origin="member")


def test_a_profile_belongs_to_the_person_whichever_row_is_asked() -> None:
    first = make.member("13800008000", "a")
    second = make.member("13800008000", "b")
    actions.set_time_zone(member=second, zone="Asia/Tokyo", origin="member")
    actions.set_birthday(member=second, month=5, day=6)
    actions.set_quiet_hours(member=second, from_=dt.time(22), until=dt.time(8))
    first.refresh_from_db()
    assert (first.time_zone, first.birth_month, first.quiet_until) == ("Asia/Tokyo", 5, dt.time(8))
    assert queries.zone_of(second) == "Asia/Tokyo"
    assert queries.birthday_on(second, 2026) == dt.date(2026, 5, 6)
    second.refresh_from_db()
    assert (second.time_zone, second.birth_month) == ("", None)


# Birthday -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "month", "day", "year", "kept"),
    [
        ("solar", 5, 6, 2026, "2026-05-06"),
        ("solar", 2, 29, 2024, "2024-02-29"),
        ("solar", 2, 29, 2026, "2026-02-28"),
        ("solar", 2, 29, 2100, "2100-02-28"),
        ("lunar", 1, 1, 2024, "2024-02-10"),  # Spring Festival
        ("lunar", 1, 1, 2025, "2025-01-29"),
        ("lunar", 1, 1, 2026, "2026-02-17"),
        ("lunar", 5, 5, 2025, "2025-05-31"),  # Dragon Boat
        ("lunar", 8, 15, 2025, "2025-10-06"),  # Mid-Autumn, in a year with a leap sixth month
        ("lunar", 12, 30, 2024, "2025-01-28"),  # the last month had 29 days
        ("lunar", 12, 29, 2024, "2025-01-28"),
        ("lunar", 12, 30, 2023, "2024-02-09"),  # it had 30
    ],
)
def test_a_birthday_is_kept_on_the_published_day(
    kind: str, month: int, day: int, year: int, kept: str
) -> None:
    member = make.member()
    actions.set_birthday(member=member, month=month, day=day, calendar=kind)
    member.refresh_from_db()
    assert queries.birthday_on(member, year) == dt.date.fromisoformat(kept)


@given(month=st.integers(1, 12), day=st.integers(1, 30), year=st.integers(1901, 2099))
def test_a_lunar_birthday_falls_once_into_each_lunar_year(month: int, day: int, year: int) -> None:
    kept, spring, next_spring = (
        birthday(month, day, "lunar", year),
        birthday(1, 1, "lunar", year),
        birthday(1, 1, "lunar", year + 1),
    )
    assert kept is not None
    assert spring is not None
    assert next_spring is not None
    assert spring <= kept < next_spring
    assert dt.date(year, 1, 21) <= spring <= dt.date(year, 2, 21)


def test_an_unknown_birthday_and_a_year_beyond_the_tables_have_no_day() -> None:
    member = make.member()
    assert queries.birthday_on(member, 2026) is None
    actions.set_birthday(member=member, month=1, day=1, calendar="lunar")
    member.refresh_from_db()
    assert (queries.birthday_on(member, 1899), queries.birthday_on(member, 2101)) == (None, None)
    actions.set_birthday(member=member, month=None, day=None)
    member.refresh_from_db()
    assert queries.birthday_on(member, 2026) is None


@pytest.mark.parametrize(
    ("month", "day", "kind"),
    [
        (2, 30, "solar"),
        (4, 31, "solar"),
        (13, 1, "solar"),
        (0, 1, "solar"),
        (1, 0, "solar"),
        (1, 31, "lunar"),
        (13, 1, "lunar"),
        (1, 1, "martian"),
        (1, None, "solar"),
        (None, 1, "solar"),
    ],
)
def test_a_day_that_no_year_has_is_refused(month: Any, day: Any, kind: str) -> None:
    member = make.member()
    with pytest.raises(BadBirthday):
        actions.set_birthday(member=member, month=month, day=day, calendar=kind)
    member.refresh_from_db()
    assert (member.birth_month, member.birth_calendar) == (None, "")


# Quiet hours --------------------------------------------------------------------------------------


def test_quiet_hours_may_span_midnight_and_be_forgotten() -> None:
    member = make.member()
    actions.set_quiet_hours(member=member, from_=dt.time(22, 30), until=dt.time(7))
    member.refresh_from_db()
    assert (member.quiet_from, member.quiet_until) == (dt.time(22, 30), dt.time(7))
    actions.set_quiet_hours(member=member, from_=None, until=None)
    member.refresh_from_db()
    assert (member.quiet_from, member.quiet_until) == (None, None)


@pytest.mark.parametrize(
    ("from_", "until"), [(dt.time(22), None), (None, dt.time(7)), (dt.time(7), dt.time(7))]
)
def test_half_or_empty_quiet_hours_are_refused_here_and_by_the_database(
    from_: dt.time | None, until: dt.time | None
) -> None:
    member = make.member()
    with pytest.raises(BadQuietHours):
        actions.set_quiet_hours(member=member, from_=from_, until=until)
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.update(quiet_from=from_, quiet_until=until)


# Number -------------------------------------------------------------------------------------------


def test_a_new_number_goes_to_every_row_and_ends_sessions(operator: Any) -> None:
    first = make.member("13800008000", "a")
    second = make.member("13800008000", "b")
    actions.set_phone(member=second, phone="139 1234 5678", by=operator)
    for row in (first, second):
        row.refresh_from_db()
        assert (row.phone(), row.name, row.sessions_from) == ("13912345678", "139****5678", NOON)
    assert queries.staff_acts(about=first.reference)[0].verb == "member.phone"
    assert "139" not in str(queries.staff_acts()[0].detail)
    with clock.stopped_at(NOON + dt.timedelta(hours=1)):
        actions.set_phone(member=first, phone="13912345678", by=operator)
    first.refresh_from_db()
    assert first.sessions_from == NOON, "the same number again is no change"
    # the log that knows them by the old number still finds them
    assert make.members("13912345678", source="c")[0].person_id == first.pk
    again = Member.objects.count()
    with transaction.atomic():
        assert actions.enrol(source="a", names=["13800008000"]) == 0
    assert Member.objects.count() == again


def test_somebody_elses_number_is_refused() -> None:
    one, two = make.members("13800008000", "m")
    with pytest.raises(PhoneTaken):
        actions.set_phone(member=two, phone="13800008000", by=None)
    with pytest.raises(NotAPhoneNumber):
        actions.set_phone(member=two, phone="110", by=None)
    two.refresh_from_db()
    assert (two.phone(), one.phone()) == ("", "13800008000")
    actions.set_phone(member=two, phone="13900000000", by=None)
    two.refresh_from_db()
    assert (two.phone(), two.name) == ("13900000000", "m")


# E-mail -------------------------------------------------------------------------------------------


def ask(member: Member, email: str = "Li@Example.com", device: str = "d") -> None:
    actions.send_email_code(member=member, email=email, network="203.0.113.7", device=device)


def test_an_address_is_kept_once_the_code_came_back(letterbox: Letterbox) -> None:
    member = make.member()
    ask(member)
    member.refresh_from_db()
    assert (member.email(), letterbox.sent[0][0]) == ("", "Li@Example.com")
    actions.confirm_email(member=member, email="li@example.com ", code=letterbox.code())
    member.refresh_from_db()
    assert (member.email(), member.email_confirmed_at) == ("li@example.com", NOON)
    text = str(list(Member.objects.values())) + str(list(LoginCode.objects.values()))
    assert "example" not in text
    actions.remove_email(member=member)
    member.refresh_from_db()
    assert (member.email(), member.email_index, member.email_confirmed_at) == ("", None, None)


def test_a_code_confirms_only_that_address_for_that_person(letterbox: Letterbox) -> None:
    member, other = make.members("a", "b")
    ask(member)
    code = letterbox.code()
    for who, email in ((other, "li@example.com"), (member, "other@example.com")):
        with pytest.raises(WrongCode):
            actions.confirm_email(member=who, email=email, code=code)
    assert LoginCode.objects.get().tries == 0
    for _ in range(5):
        with pytest.raises(WrongCode):
            actions.confirm_email(member=member, email="li@example.com", code="")
    with pytest.raises(WrongCode):
        actions.confirm_email(member=member, email="li@example.com", code=code)
    member.refresh_from_db()
    assert member.email() == ""


@pytest.mark.parametrize("email", ["", "li", "li@", "a@b\nBcc: c@d.com", "a@b, c@d.com"])
def test_what_is_no_address_gets_no_mail(letterbox: Letterbox, email: str) -> None:
    with pytest.raises(NotAnEmailAddress):
        ask(make.member(), email)
    assert (letterbox.sent, LoginCode.objects.count()) == ([], 0)


def test_codes_by_mail_are_limited_like_those_by_phone(letterbox: Letterbox) -> None:
    member = make.member()
    for n in range(3):
        ask(member, f"{n}@example.com")
    with pytest.raises(TooManyCodes):
        ask(member, "4@example.com")
    assert len(letterbox.sent) == 3


def test_a_mail_that_was_refused_is_told(letterbox: Letterbox) -> None:
    letterbox.answer = Rejected("no")
    with pytest.raises(CodeNotSent):
        ask(make.member())


def test_an_erased_member_gets_no_profile_back(letterbox: Letterbox) -> None:
    member = make.member()
    ask(member)
    code = letterbox.code()
    actions.erase_member(member=member, by=None)
    for change in (
        lambda: actions.set_time_zone(member=member, zone="Asia/Tokyo", origin="member"),
        lambda: actions.set_birthday(member=member, month=1, day=1),
        lambda: actions.set_quiet_hours(member=member, from_=dt.time(1), until=dt.time(2)),
        lambda: actions.set_phone(member=member, phone="13800008000", by=None),
        lambda: actions.remove_email(member=member),
    ):
        with pytest.raises(ErasedMember):
            change()
    with pytest.raises(WrongCode):  # their codes went with them
        actions.confirm_email(member=member, email="Li@example.com", code=code)
