"""What a member sees of what was sent to them, and what the audit sees."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.base.audit import check
from liuke.base.outside import Rejected, Unknown
from liuke.engagement import queries
from liuke.engagement.actions.inbox import open_message
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.channels import OUTSIDE
from liuke.engagement.errors import UnknownMessage
from liuke.engagement.models import Message
from liuke.engagement.sending_promises import promises
from liuke.people.models import Member
from tests.engagement import make
from tests.engagement.provider import Provider

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def source(noon: dt.datetime, tmp_path: Path) -> Source:
    set_outreach_policy(by=None, holdout_permyriad=0)
    return make.shop(tmp_path, ["13800000001", "13800000002"])


@pytest.fixture
def member(source: Source) -> Member:
    return Member.objects.exclude(phone_index=None).earliest("id")


def send(source: Source, **fields: object) -> None:
    make.run(make.plan(source, **fields))
    make.decide()
    send_due()


def test_the_inbox_keeps_when_a_message_was_first_opened(
    source: Source, member: Member, noon: dt.datetime
) -> None:
    send(source, subject="Hi", name="Come back")
    (item,) = queries.inbox(member.pk)
    assert (item.subject, item.plan_name, item.at, item.opened_at) == (
        "Hi",
        "Come back",
        noon,
        None,
    )
    assert item.why == queries.Why({"stage": "silent"}, 45)
    assert queries.unread(member.pk) == 1
    open_message(item.reference, person_id=member.pk)
    with clock.stopped_at(noon + DAY):
        assert open_message(item.reference, person_id=member.pk).opened_at == noon
    assert queries.unread(member.pk) == 0


def test_nobody_opens_the_message_of_somebody_else(source: Source, member: Member) -> None:
    send(source)
    other = Message.objects.exclude(member=member).get()
    with pytest.raises(UnknownMessage):
        open_message(other.reference, person_id=member.pk)
    other.refresh_from_db()
    assert other.opened_at is None
    assert queries.message_named(other.reference) == other
    with pytest.raises(UnknownMessage):
        queries.message_named("222222222222")


def test_the_ledger_tells_what_came_and_when_the_next_may(
    source: Source, member: Member, noon: dt.datetime
) -> None:
    assert queries.ledger(member.pk) == queries.Ledger([], None)
    send(source, name="Service", purpose="service")
    assert queries.ledger(member.pk).next_possible_at is None
    with clock.stopped_at(noon + DAY):
        send(source, name="Come back", channel="list")
        ledger = queries.ledger(member.pk)
        assert ledger.next_possible_at == noon + 8 * DAY
    rows = [(r.plan_name, r.channel, r.purpose, r.at, r.call_outcome) for r in ledger.rows]
    assert rows == [
        ("Come back", "list", "marketing", noon + DAY, ""),
        ("Service", "inbox", "service", noon, ""),
    ]
    assert ledger.rows[0].why.days_since_last_order == 46
    with clock.stopped_at(noon + 8 * DAY):
        assert queries.ledger(member.pk).next_possible_at is None


def test_the_ledger_tells_what_may_have_come_and_not_what_did_not(
    source: Source, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OUTSIDE, "sms", Provider(Unknown("timeout"), Rejected("no")))
    send(source, channel="sms")
    states = [
        [row.state for row in queries.ledger(person).rows]
        for person in Message.objects.order_by("id").values_list("person_id", flat=True)
    ]
    assert sorted(states) == [[], ["unknown"]]


BREAK = {
    "engagement.weeks_follow_what_went_out": (
        "UPDATE engagement_message SET began_at = began_at + interval '1 second'"
    ),
    "engagement.the_call_list_is_complete": "DELETE FROM engagement_call",
    "engagement.sending_ends": (
        "UPDATE engagement_message SET state = 'sending', ended_at = NULL,"
        " began_at = began_at - interval '2 hours' WHERE purpose = 'service'"
    ),
    "engagement.erased_members_are_forgotten": (
        "UPDATE people_member SET erased_at = '2026-01-01', phone_sealed = NULL, phone_index = NULL,"
        " external_id = 'erased:' || id"
    ),
}


@pytest.mark.parametrize("name", BREAK)
def test_a_broken_promise_is_noticed(source: Source, name: str) -> None:
    send(source, channel="list")
    send(source, name="Service", purpose="service")
    assert [each.name for each in promises() if check(each).violations] == []
    with connection.cursor() as cursor:
        cursor.execute(BREAK[name])
    found = {each.name: check(each).violations for each in promises()}
    assert found.keys() == BREAK.keys()
    assert found[name] > 0
