"""A member with trouble gets care, not offers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.calls import take_call
from liuke.engagement.actions.policy import set_outreach_policy
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.trouble import close_trouble, raise_trouble
from liuke.engagement.errors import UnknownFlag, WhyMissing
from liuke.engagement.models import Call, Contact, Message, TroubleFlag
from liuke.people.models import Login, Member, StaffAct
from tests.engagement import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(noon: dt.datetime, tmp_path: Path) -> Member:
    """With an inbox message still to be sent."""
    set_outreach_policy(by=None, holdout_permyriad=0)
    make.run(make.plan(make.shop(tmp_path, ["ann"])))
    make.decide()
    return make.member("ann")


def test_a_flag_stops_what_is_in_the_outbox_and_asks_for_a_call(
    member: Member, operator: Login
) -> None:
    flag = raise_trouble(member, why=" key did not work ", until=None, by=operator)
    assert (flag.why, flag.raised_at, flag.by) == ("key did not work", clock.now(), operator)
    send_due()
    message = Message.objects.get()
    assert (message.state, message.decision.reason) == ("cancelled", "trouble")
    assert Contact.objects.get().given_back_at == clock.now()
    call = Call.objects.get()
    assert (call.kind, call.state, call.trouble, call.member) == ("care", "open", flag, member)
    assert queries.open_troubles(member) == [flag]
    act = StaffAct.objects.get(verb="trouble.raise")
    assert (act.by, act.about) == (operator, member.reference)


def test_a_flag_without_a_call_makes_none(member: Member) -> None:
    raise_trouble(member, why="asked for peace", until=None, by=None, wants_call=False)
    assert Call.objects.count() == 0


def test_a_closed_flag_holds_no_more_and_its_care_call_lapses(member: Member) -> None:
    flag = raise_trouble(member, why="late", until=None, by=None)
    close_trouble(flag.pk, by=None)
    assert queries.open_troubles(member) == []
    assert Call.objects.get().outcome == "lapsed"
    send_due()
    assert Message.objects.get().state == "accepted"


def test_a_care_call_that_is_being_made_goes_on(member: Member, operator: Login) -> None:
    flag = raise_trouble(member, why="late", until=None, by=None)
    take_call(Call.objects.get().reference, by=operator)
    close_trouble(flag.pk, by=operator)
    assert Call.objects.get().state == "taken"


def test_a_flag_ends_by_itself_after_its_last_day(member: Member, noon: dt.datetime) -> None:
    raise_trouble(member, why="late", until=clock.today(), by=None)
    assert len(queries.open_troubles(member)) == 1
    with clock.stopped_at(noon + dt.timedelta(hours=23)):  # 11:00 the next day
        assert queries.open_troubles(member) == []
        send_due()
    assert Message.objects.get().state == "accepted"


def test_it_holds_for_the_person_whatever_shop_they_are_known_from(
    member: Member, tmp_path: Path
) -> None:
    make.shop(tmp_path, ["ann"], source="second")
    other = make.member("ann", "second")
    Member.objects.filter(pk=other.pk).update(person=member)
    flag = raise_trouble(other, why="late", until=None, by=None)
    assert queries.open_troubles(member) == [flag]
    send_due()
    assert Message.objects.get().decision.reason == "trouble"


def test_a_flag_without_a_reason_is_refused(member: Member) -> None:
    with pytest.raises(WhyMissing):
        raise_trouble(member, why="  ", until=None, by=None)
    assert (TroubleFlag.objects.count(), Call.objects.count()) == (0, 0)


def test_a_flag_is_closed_once(member: Member) -> None:
    flag = raise_trouble(member, why="late", until=None, by=None)
    close_trouble(flag.pk, by=None)
    for number in (flag.pk, flag.pk + 1):
        with pytest.raises(UnknownFlag):
            close_trouble(number, by=None)
    assert StaffAct.objects.filter(verb="trouble.close").count() == 1
