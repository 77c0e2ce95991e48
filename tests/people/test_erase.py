"""Forgetting a person: nothing that names them stays, and the same log does not bring them back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.analytics.models import Purchase
from liuke.base.audit import check
from liuke.events.facts import read_fact
from liuke.events.models import Event
from liuke.people import actions, queries
from liuke.people.events import MemberErased
from liuke.people.models import ConsentChange, Login, LoginCode, Member
from tests.analytics import make as orders
from tests.conftest import NOON
from tests.people import make
from tests.people.make import Letterbox, Phone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
NUMBER = "13800008000"
LINES = [f"{NUMBER},2026-01-01,5,1,,", "王小明,2026-01-02,6,2,,", "m3,2026-01-03,7,3,,"]


def everything() -> str:
    """All rows of the room's tables, and the log, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p'"
            " AND relname ~ '^(people|events)_'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            rows += [text for (text,) in cursor.fetchall()]
    return "\n".join(rows)


def is_sound() -> bool:
    return not any(check(promise).violations for promise in queries.invariants())


def full(phone: Phone, letterbox: Letterbox) -> Member:
    """A person in two sources with all that can be known of them."""
    make.member(NUMBER, "a")
    second = make.member(NUMBER, "王记")
    person = Member.objects.get(pk=second.person_id)
    actions.send_login_code(phone=NUMBER, network="203.0.113.7", device="d")
    actions.send_email_code(
        member=person, email="li@example.com", network="203.0.113.7", device="d"
    )
    actions.confirm_email(member=person, email="li@example.com", code=letterbox.code())
    actions.set_time_zone(member=person, zone="Asia/Urumqi", origin="member")
    actions.set_birthday(member=person, month=8, day=15, calendar="lunar")
    actions.set_quiet_hours(member=person, from_=dt.time(22), until=dt.time(8))
    actions.change_consent(
        person_id=person.pk,
        channel="sms",
        purpose="marketing",
        is_given=True,
        basis="member",
        words="yes",
    )
    return second


def test_every_row_of_the_person_loses_its_face(
    phone: Phone, letterbox: Letterbox, operator: Login
) -> None:
    member = full(phone, letterbox)
    bystander = make.member("13900000000", "a")
    index = member.phone_index
    assert index is not None
    actions.erase_member(member=member, by=operator)
    rows = list(Member.objects.filter(person_id=member.person_id))
    assert len(rows) == 2
    for row in rows:
        assert row.external_id.startswith("erased:")
        assert (row.phone(), row.email(), row.name) == ("", "", row.reference)
        assert (row.time_zone, row.birth_month, row.birth_calendar) == ("", None, "")
        assert (row.quiet_from, row.email_confirmed_at) == (None, None)
        assert (row.erased_at, row.sessions_from) == (NOON, NOON)
    assert len({row.external_id for row in rows}) == 2, "two sources do not betray one another"
    assert not LoginCode.objects.exists()
    assert {said.is_given for said in queries.consents_of(member.person_id).values()} == {False}
    assert len(queries.consents_of(member.person_id)) == 9
    for trace in (NUMBER, index, "example", "Urumqi"):
        assert trace not in everything()
    person = Member.objects.get(pk=member.person_id)
    act = queries.staff_acts()[0]
    assert (act.verb, act.about, act.by) == ("member.erase", person.reference, operator)
    told = Event.objects.filter(name="people.MemberErased").order_by("id")
    assert [(event.member, event.payload) for event in told] == [
        (row.pk, {"member_id": row.pk, "person_id": person.pk}) for row in rows
    ]
    bystander.refresh_from_db()
    assert bystander.phone() == "13900000000"
    assert is_sound()


def test_the_first_version_of_the_event_can_be_read_for_ever() -> None:
    written = '{"member_id": 7, "person_id": 5}'
    assert read_fact("people.MemberErased", 1, written) == MemberErased(member_id=7, person_id=5)


def test_erasing_again_changes_nothing() -> None:
    member = make.member()
    actions.erase_member(member=member, by=None)
    before = everything()
    actions.erase_member(member=member, by=None)
    assert everything() == before


def test_a_member_may_do_it_themselves() -> None:
    member = make.member()
    actions.erase_member(member=member, by=None, basis="member")
    assert set(ConsentChange.objects.values_list("basis", flat=True)) == {"member"}


@pytest.mark.parametrize("name", [NUMBER, "王小明"])
def test_the_same_log_imported_again_doubles_nothing_and_brings_no_name_back(
    tmp_path: Path, name: str
) -> None:
    orders.orders(tmp_path, *LINES)
    members = {row.phone() or row.external_id: row for row in Member.objects.all()}
    actions.erase_member(member=members[name], by=None)
    again = orders.orders(tmp_path, *LINES, f"{name},2026-02-01,9,4,,")
    assert (again.members_new, again.orders_new, again.orders_known) == (0, 1, 3)
    assert (Member.objects.count(), Purchase.objects.count()) == (3, 4)
    assert Purchase.objects.filter(member_id=members[name].pk).count() == 2
    assert Member.objects.get(pk=members[name].pk).external_id.startswith("erased:")
    assert name not in everything()
    assert is_sound()


def test_a_name_erased_in_one_source_is_another_person_elsewhere(tmp_path: Path) -> None:
    orders.orders(tmp_path, *LINES)
    actions.erase_member(member=Member.objects.get(external_id="m3"), by=None)
    orders.orders(tmp_path, *LINES, source="second")
    assert Member.objects.filter(source="second", external_id="m3").count() == 1
    assert is_sound()


def test_who_comes_back_by_phone_begins_anew(phone: Phone) -> None:
    gone = make.member(NUMBER)
    actions.erase_member(member=gone, by=None)
    for _ in range(2):  # a member of the site may be erased and come back as well
        actions.send_login_code(phone=NUMBER, network="203.0.113.7", device="d")
        new = actions.check_login_code(phone=NUMBER, code=phone.code(), device="d")
        assert new.pk != gone.pk
        assert not queries.consents_of(new.pk)
        actions.erase_member(member=new, by=None)
        gone = new
    assert Member.objects.count() == 3
    assert is_sound()


@pytest.mark.parametrize(
    "field",
    [
        "birth_month = 1, birth_day = 1, birth_calendar = 'solar'",
        "external_id = 'm1'",
        "time_zone = 'Asia/Tokyo', time_zone_from = 'member'",
        "quiet_from = '22:00', quiet_until = '08:00'",
        "phone_sealed = 'x', phone_index = 'y'",
        "email_sealed = 'x', email_index = 'y'",
    ],
)
def test_the_database_refuses_a_face_for_an_erased_member(field: str) -> None:
    actions.erase_member(member=make.member(), by=None)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE people_member SET {field}")


def test_the_file_of_a_member_holds_everything_the_room_knows(
    phone: Phone, letterbox: Letterbox, operator: Login
) -> None:
    import json

    member = full(phone, letterbox)
    actions.attest_consent(source="a", channels=["email"], statement="on paper", by=operator)
    content = json.loads(json.dumps(queries.file_of(member)))
    person = Member.objects.get(pk=member.person_id)
    assert content["reference"] == person.reference
    assert (content["phone"], content["email"]) == (NUMBER, "li@example.com")
    assert [row["source"] for row in content["known_as"]] == ["a", "王记"]
    assert {row["name"] for row in content["known_as"]} == {NUMBER}
    assert content["birthday"] == ["lunar", 8, 15]
    assert content["quiet_hours"] == ["22:00:00", "08:00:00"]
    assert (content["time_zone"], content["time_zone_from"]) == ("Asia/Urumqi", "member")
    assert [(said["basis"], said["words"]) for said in content["consent_history"]] == [
        ("member", "yes"),
        ("attested", "on paper"),
    ]
    assert [code["kind"] for code in content["codes_sent"]] == ["phone", "email"]
    actions.erase_member(member=member, by=operator)
    content = queries.file_of(Member.objects.get(pk=member.pk))
    assert (content["phone"], content["birthday"], content["codes_sent"]) == ("", None, [])
    assert content["erased_at"] == NOON.isoformat()
    assert [act["verb"] for act in content["acts"]] == ["member.erase"]
