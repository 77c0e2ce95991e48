"""What becomes of a message in the outbox?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from liuke.base import clock
from liuke.base.outside import Accepted, Rejected, Unknown
from liuke.engagement import queries
from liuke.engagement.actions import send as sending
from liuke.engagement.actions.claim import Claim, claim_weeks
from liuke.engagement.actions.policy import (
    resume_everything,
    set_outreach_policy,
    stop_everything,
)
from liuke.engagement.actions.recover import record_outcome, recover_unfinished
from liuke.engagement.actions.runs import pause_run, resume_run, stop_run
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.trouble import raise_trouble
from liuke.engagement.channels import OUTSIDE
from liuke.engagement.errors import UnknownMessage
from liuke.engagement.models import Call, Contact, Decision, Message, Pressure, Run
from liuke.people.actions import change_consent, erase_member
from liuke.people.models import Member
from tests.engagement import make
from tests.engagement.provider import Provider

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
WEEK = dt.timedelta(hours=168)
PHONES = ("13800000001", "13800000002", "13800000003")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Takes the place of the SMS gateway."""
    stand_in = Provider()
    monkeypatch.setitem(OUTSIDE, "sms", stand_in)
    return stand_in


@pytest.fixture
def run(noon: dt.datetime, tmp_path: Path) -> Run:
    """One SMS in the outbox, at noon."""
    return queued(tmp_path, PHONES[:1])


def queued(folder: Path, names: tuple[str, ...] = PHONES, channel: str = "sms") -> Run:
    """A message for each, in the outbox; nobody is held out."""
    set_outreach_policy(by=None, holdout_permyriad=0)
    run = make.run(make.plan(make.shop(folder, names), channel=channel, subject="Hello"))
    make.decide()
    assert Message.objects.filter(state="queued").count() == len(names)
    return run


def later(by: dt.timedelta) -> Callable[[], int]:
    """Send, as if it were that much later."""

    def send() -> int:
        with clock.stopped_at(clock.now() + by):
            return send_due()

    return send


def only() -> Message:
    return Message.objects.select_related("contact", "decision", "member").get()


def the_end() -> tuple[str, int, str]:
    """State of the one message, state and reason of its decision."""
    message = only()
    return message.state, message.decision.state, message.decision.reason


def test_a_due_message_is_handed_over_once_and_its_decision_says_so(
    run: Run, provider: Provider
) -> None:
    assert send_due() == 1
    assert send_due() == 0
    message = only()
    assert [call.reference for call in provider.calls] == [message.reference]
    assert provider.calls[0].address == PHONES[0]
    assert provider.calls[0].text == message.body
    assert the_end() == ("accepted", 3, "accepted")
    assert (message.attempts, message.provider_id) == (1, f"p-{message.reference}")
    assert message.began_at == message.ended_at == clock.now()


def test_the_week_begins_when_the_message_really_goes(
    run: Run, provider: Provider, noon: dt.datetime
) -> None:
    later(3 * HOUR)()
    week = only().contact
    assert week is not None
    assert (week.during.lower, week.during.upper) == (noon, noon + 3 * HOUR + WEEK)
    assert Pressure.objects.get().taken_until == noon + 3 * HOUR + WEEK
    assert week.given_back_at is None


def test_a_definite_refusal_gives_the_week_back(
    run: Run, provider: Provider, noon: dt.datetime
) -> None:
    provider.answers = [Rejected("no such number")]
    send_due()
    assert the_end() == ("rejected", 3, "rejected")
    assert only().failure == "no such number"
    assert Contact.objects.get().given_back_at == noon
    decision = Decision.objects.get()
    other = Decision.objects.create(
        run=another(run), member=decision.member, person=decision.person
    )
    won, lost = claim_weeks(claims=[Claim(decision.person_id, other.pk)], at=noon, cap_hours=168)
    assert (list(won), lost) == ([other.pk], {})


def another(run: Run) -> Run:
    """A second run to hang decisions on."""
    plan = make.plan(run.plan.source, name="Another")
    return Run.objects.create(
        reference="ANOTHER",
        plan=plan,
        version=queries.version_in_force(plan),
        state="running",
        planned_on=clock.today(),
        started_at=clock.now(),
    )


def test_a_provider_that_cannot_be_reached_is_asked_three_times(
    run: Run, provider: Provider, noon: dt.datetime
) -> None:
    provider.answers = [Rejected("connection refused", is_passing=True)] * 3
    send_due()
    message = only()
    assert (message.state, message.attempts, message.began_at) == ("queued", 1, None)
    assert message.due_at == noon + dt.timedelta(minutes=1)
    assert message.decision.state == 2
    later(dt.timedelta(seconds=59))()
    assert len(provider.calls) == 1
    later(dt.timedelta(minutes=1))()
    assert only().due_at == noon + dt.timedelta(minutes=6)
    assert Contact.objects.get().given_back_at is None
    later(dt.timedelta(minutes=6))()
    assert len(provider.calls) == 3
    assert the_end() == ("rejected", 3, "rejected")
    assert Contact.objects.get().given_back_at == noon + dt.timedelta(minutes=6)


@pytest.mark.parametrize("broken", [TimeoutError("13800000001"), Unknown("read timed out")])
def test_an_unknown_outcome_keeps_the_week_and_is_never_sent_again(
    run: Run, provider: Provider, broken: Exception | Unknown
) -> None:
    provider.answers = [broken]
    send_due()
    assert the_end() == ("unknown", 3, "unknown")
    assert only().failure in ("TimeoutError", "read timed out")
    assert Contact.objects.get().given_back_at is None
    assert later(2 * HOUR)() == 0
    assert recover_unfinished() == 0
    assert len(provider.calls) == 1


def test_the_truth_may_come_late_and_twice(run: Run, provider: Provider) -> None:
    provider.answers = [Unknown("timed out")]
    send_due()
    reference = only().reference
    assert record_outcome(message_reference=reference, outcome=Accepted("late")) is True
    assert record_outcome(message_reference=reference, outcome=Accepted("late")) is False
    assert the_end() == ("accepted", 3, "accepted")
    assert (only().provider_id, only().failure) == ("late", "")
    for lie in (Rejected("no"), Unknown("?")):
        assert record_outcome(message_reference=reference, outcome=lie) is False
    assert the_end() == ("accepted", 3, "accepted")


def test_a_late_refusal_gives_the_week_back(run: Run, provider: Provider) -> None:
    provider.answers = [Unknown("timed out")]
    send_due()
    assert record_outcome(message_reference=only().reference, outcome=Rejected("expired there"))
    assert the_end() == ("rejected", 3, "rejected")
    assert Contact.objects.get().given_back_at is not None


def test_an_outcome_of_no_message_is_refused(db: None) -> None:
    with pytest.raises(UnknownMessage):
        record_outcome(message_reference="222222222222", outcome=Accepted())


def test_two_messages_to_which_the_provider_gives_one_name_are_both_accepted(
    noon: dt.datetime, tmp_path: Path, provider: Provider
) -> None:
    queued(tmp_path)
    provider.answers = [Accepted("same"), Accepted("same"), Accepted("other")]
    assert send_due() == 3
    assert set(Message.objects.values_list("state", "decision__reason")) == {
        ("accepted", "accepted")
    }


def test_an_odd_answer_of_one_provider_does_not_undo_the_others(
    noon: dt.datetime, tmp_path: Path, provider: Provider
) -> None:
    queued(tmp_path)
    provider.answers = [Accepted("x" * 1_000), Rejected("a\x00b" * 500), Accepted("\x00")]
    assert send_due() == 3
    states = Message.objects.values_list("state", flat=True)
    assert sorted(states) == ["accepted", "accepted", "rejected"]


def withdraw(member: Member) -> None:
    change_consent(
        person_id=member.person_id,
        channel="sms",
        purpose="marketing",
        is_given=False,
        basis="member",
    )


def erase(member: Member) -> None:
    erase_member(member=member, by=None)


def flag(member: Member) -> None:
    raise_trouble(member, why="key did not work", until=None, by=None)


def lose_number(member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(phone_sealed=None, phone_index=None)


def overlap(member: Member) -> None:
    """By hand, as nobody should: a week that begins before the one in the outbox would end."""
    decision = Decision.objects.create(
        run=another(Run.objects.get()), member=member, person=member.person
    )
    start = clock.now() + WEEK
    Contact.objects.create(
        person=member, decision=decision, claimed_at=start, during=(start, start + WEEK)
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (withdraw, "opted_out"),
        (erase, "erased"),
        (flag, "trouble"),
        (lose_number, "no_address"),
        (overlap, "capped"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_changed_since_the_plan_is_seen_before_it_goes(
    run: Run, provider: Provider, change: Callable[[Member], None], reason: str
) -> None:
    change(only().member)
    assert later(HOUR)() == 1
    assert provider.calls == []
    assert the_end() == ("cancelled", 3, reason)
    assert only().contact.given_back_at == clock.now() + HOUR  # type: ignore[union-attr]


def test_a_message_whose_time_is_over_is_cancelled_even_in_a_paused_run(
    run: Run, provider: Provider
) -> None:
    pause_run(run.reference, by=None)
    assert later(23 * HOUR)() == 0
    assert later(24 * HOUR)() == 1
    assert the_end() == ("cancelled", 3, "expired")
    assert Contact.objects.get().given_back_at is not None
    assert provider.calls == []


def test_a_paused_run_waits_and_goes_on(run: Run, provider: Provider) -> None:
    pause_run(run.reference, by=None)
    assert send_due() == 0
    resume_run(run.reference, by=None)
    assert send_due() == 1
    assert the_end() == ("accepted", 3, "accepted")


def test_a_stopped_run_sends_nothing(run: Run, provider: Provider) -> None:
    stop_run(run.reference, by=None)
    assert send_due() == 0
    assert provider.calls == []
    assert the_end() == ("cancelled", 3, "stopped")


def test_the_kill_switch_stops_sending_and_nothing_is_lost(run: Run, provider: Provider) -> None:
    stop_everything(by=None)
    assert send_due() == 0
    assert only().state == "queued"
    resume_everything(by=None)
    assert send_due() == 1
    assert len(provider.calls) == 1


def test_in_the_evening_a_message_waits_for_the_morning_and_holds_its_week(
    run: Run, provider: Provider, noon: dt.datetime
) -> None:
    evening = 9 * HOUR  # 21:00 in Shanghai
    assert later(evening)() == 1
    morning = noon + 21 * HOUR  # 9:00
    assert (only().state, only().due_at) == ("queued", morning)
    assert Contact.objects.get().given_back_at is None
    assert later(evening + HOUR)() == 0
    assert later(21 * HOUR)() == 1
    assert the_end() == ("accepted", 3, "accepted")


def test_a_morning_that_comes_too_late_ends_it(
    run: Run, provider: Provider, noon: dt.datetime
) -> None:
    Message.objects.update(expires_at=noon + 20 * HOUR)
    later(9 * HOUR)()
    assert the_end() == ("cancelled", 3, "quiet_hours")
    assert Contact.objects.get().given_back_at == noon + 9 * HOUR
    assert provider.calls == []


def test_a_members_own_quiet_hours_hold_at_the_moment_of_sending(
    run: Run, provider: Provider, noon: dt.datetime
) -> None:
    Member.objects.filter(pk=only().member_id).update(
        quiet_from=dt.time(11), quiet_until=dt.time(14)
    )
    assert send_due() == 1
    assert only().due_at == noon + 2 * HOUR
    assert provider.calls == []


def test_a_number_sealed_with_another_key_is_refused_and_nothing_stops(
    noon: dt.datetime, tmp_path: Path, provider: Provider
) -> None:
    queued(tmp_path)
    first = Message.objects.earliest("id")
    Member.objects.filter(pk=first.member_id).update(phone_sealed=b"\x01" + bytes(60))
    send_due()
    states = list(Message.objects.order_by("id").values_list("state", flat=True))
    assert states == ["rejected", "accepted", "accepted"]


def test_the_limit_bounds_what_goes_outside(
    noon: dt.datetime, tmp_path: Path, provider: Provider
) -> None:
    queued(tmp_path)
    assert send_due(limit=2) == 2
    assert len(provider.calls) == 2


def test_an_inbox_message_is_there_as_soon_as_it_is_sent(noon: dt.datetime, tmp_path: Path) -> None:
    queued(tmp_path, ("ann", "bob"), channel="inbox")
    assert send_due() == 2
    assert the_ends() == {("accepted", "accepted")}
    assert [item.subject for item in queries.inbox(make.member("ann").pk)] == ["Hello"]


def test_a_message_of_the_call_list_becomes_one_open_call(
    noon: dt.datetime, tmp_path: Path
) -> None:
    queued(tmp_path, ("ann", "bob"), channel="list")
    assert send_due() == 2
    assert send_due() == 0
    assert the_ends() == {("accepted", "accepted")}
    calls = Call.objects.order_by("id")
    assert [(c.member.external_id, c.kind, c.state) for c in calls] == [
        ("ann", "recall", "open"),
        ("bob", "recall", "open"),
    ]
    assert [c.message_id for c in calls] == list(
        Message.objects.order_by("id").values_list("id", flat=True)
    )


def the_ends() -> set[tuple[str, str]]:
    return set(Message.objects.values_list("state", "decision__reason"))


def test_service_goes_without_a_yes_but_never_against_a_no(
    noon: dt.datetime, tmp_path: Path, provider: Provider
) -> None:
    set_outreach_policy(by=None, holdout_permyriad=0)
    source = make.shop(tmp_path, PHONES[:2], agreed=False)
    make.run(make.plan(source, channel="sms", purpose="service"))
    make.decide()
    first = Message.objects.earliest("id")
    make.say([first.member], False, ("sms",), "service")
    send_due()
    assert list(Message.objects.order_by("id").values_list("state", flat=True)) == [
        "cancelled",
        "accepted",
    ]
    assert provider.calls[0].opt_out_link == ""


def test_no_more_are_marked_than_are_being_handed_over(
    noon: dt.datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash leaves no more than these in doubt."""
    queued(tmp_path, tuple(f"138000001{n:02}" for n in range(40)))
    marked: list[int] = []

    def count(*_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM engagement_message WHERE state = 'sending'")
            marked.append(cursor.fetchone()[0])

    monkeypatch.setattr("liuke.engagement.actions.send._record", count)
    monkeypatch.setitem(OUTSIDE, "sms", Provider())
    monkeypatch.setattr(sending, "HANDS", 16)
    send_due(limit=16)
    assert marked == [16]
    assert Message.objects.filter(state="queued").count() == 24
