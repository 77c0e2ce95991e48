"""A member was erased: what is left of what we said to them?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from liuke.base import clock
from liuke.base.audit import check
from liuke.engagement import queries
from liuke.engagement.actions.calls import record_call, take_call
from liuke.engagement.actions.forget import forget_member
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.trouble import raise_trouble
from liuke.engagement.models import Call, Contact, Decision, Message, TroubleFlag
from liuke.engagement.sending_promises import promises
from liuke.events.dispatcher import dispatch_pending
from liuke.people.actions import erase_member
from liuke.people.models import Login, Member
from tests.engagement import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(noon: dt.datetime, tmp_path: Path, operator: Login) -> Member:
    """Rung once, flagged, with an SMS still in the outbox; beside a second member with the same."""
    set_outreach_policy(by=None, holdout_permyriad=0)
    source = make.shop(tmp_path, ["13800000001", "13800000002"])
    make.run(make.plan(source, channel="list", purpose="service", name="Ask"))
    make.decide()
    send_due()
    for call in Call.objects.all():
        take_call(call.reference, by=operator)
        record_call(call.reference, by=operator, outcome="reached", note="is ill")
    make.run(make.plan(source, channel="sms"))
    make.decide()
    members = sorted(Member.objects.exclude(phone_index=None), key=Member.phone)
    for each in members:
        raise_trouble(each, why="key is late", until=None, by=operator)
    return members[0]


def broken() -> list[str]:
    """Promises of sending that are broken two hours later."""
    with clock.stopped_at(clock.now() + dt.timedelta(hours=2)):
        return [each.name for each in promises() if check(each).violations]


def test_erasing_cancels_what_is_queued_and_blanks_what_was_said(member: Member) -> None:
    other = Message.objects.exclude(member=member)
    kept = list(other.order_by("id").values())
    facts = (Decision.objects.count(), Contact.objects.count(), Message.objects.count())
    erase_member(member=member, by=None)
    assert broken() == ["engagement.erased_members_are_forgotten"]
    dispatch_pending()
    assert broken() == []
    told, queued = Message.objects.filter(member=member).order_by("id")
    assert (told.state, told.subject, told.body) == ("accepted", "", "")
    assert (queued.state, queued.body, queued.decision.reason) == ("cancelled", "", "erased")
    assert Contact.objects.get(pk=queued.contact_id).given_back_at == clock.now()
    calls = Call.objects.filter(member=member).order_by("id")
    assert [(c.kind, c.state, c.outcome, c.note) for c in calls] == [
        ("recall", "done", "reached", ""),
        ("care", "done", "lapsed", ""),
    ]
    flag = TroubleFlag.objects.get(member=member)
    assert (flag.why, flag.closed_at) == ("", clock.now())
    assert (Decision.objects.count(), Contact.objects.count(), Message.objects.count()) == facts
    assert list(other.order_by("id").values()) == kept


def test_forgetting_twice_changes_nothing(member: Member, noon: dt.datetime) -> None:
    forget_member(member_id=member.pk)
    before = [list(model.objects.order_by("pk").values()) for model in (Message, Call, TroubleFlag)]
    with clock.stopped_at(noon + dt.timedelta(hours=1)):
        forget_member(member_id=member.pk)
    after = [list(model.objects.order_by("pk").values()) for model in (Message, Call, TroubleFlag)]
    assert after == before


def test_the_file_of_a_member_tells_all_and_only_theirs(member: Member) -> None:
    file = queries.file_of(member)
    assert [(m["plan"], m["channel"], m["state"]) for m in file["messages"]] == [
        ("Ask", "list", "accepted"),
        ("Come back", "sms", "queued"),
    ]
    assert file["messages"][1]["body"] == "Hello 138****0001, 45 days"
    assert [d["reason"] for d in file["decisions"]] == ["accepted", ""]
    assert len(file["contacts"]) == 1
    assert [(c["kind"], c["note"]) for c in file["calls"]] == [("recall", "is ill"), ("care", "")]
    assert [flag["why"] for flag in file["trouble"]] == ["key is late"]
    assert "arm" not in str(file)
