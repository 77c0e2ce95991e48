"""Whom to ring, who rings, and what came of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from liuke.analytics.models import Source, Standing
from liuke.base import clock, sealing
from liuke.engagement import queries
from liuke.engagement.actions.calls import (
    export_calls,
    record_call,
    release_call,
    take_call,
    tidy_calls,
)
from liuke.engagement.actions.policy import set_outreach_policy, stop_everything
from liuke.engagement.actions.runs import pause_run, stop_run
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.trouble import raise_trouble
from liuke.engagement.errors import (
    BadCallOutcome,
    BadNextTry,
    CallIsNotYours,
    CallIsOff,
    CallTaken,
    EverythingIsStopped,
    TooEarlyToRing,
    UnknownCall,
)
from liuke.engagement.models import Call, Contact, Run
from liuke.engagement.rules import LEAVE_REASONS
from liuke.people.actions import open_login, set_quiet_hours, set_time_zone
from liuke.people.models import Consent, Login, Member, StaffAct
from liuke.people.rules import CHANNELS, PHONE_PURPOSE
from tests.conftest import PASSWORD
from tests.engagement import make

pytestmark = pytest.mark.django_db
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
PHONES = ("13800000001", "13800000002", "13800000003")


@pytest.fixture
def source(noon: dt.datetime, tmp_path: Path) -> Source:
    """Three members on the call list, the second with most money at stake."""
    set_outreach_policy(by=None, holdout_permyriad=0)
    source = make.shop(tmp_path, PHONES)
    for phone, at_stake_fen in zip(PHONES, (100, 900, 500), strict=True):
        Standing.objects.filter(member=rung(phone)).update(at_stake_fen=at_stake_fen)
    make.run(make.plan(source, channel="list", body="Ask {member}"))
    make.decide()
    assert send_due() == 3
    return source


@pytest.fixture
def ann(source: Source) -> Login:
    return open_login(name="ann", password=PASSWORD, role="agent")


@pytest.fixture
def ben(source: Source) -> Login:
    return open_login(name="ben", password=PASSWORD, role="agent")


def rung(phone: str = PHONES[0]) -> Member:
    return Member.objects.get(phone_index=sealing.blind_index(phone, PHONE_PURPOSE))


def first() -> str:
    """The recall of the first number."""
    return recall(PHONES[0]).reference


def recall(phone: str) -> Call:
    return Call.objects.select_related("member", "message__contact").get(
        kind="recall", member=rung(phone)
    )


def in_queue(state: str = "open") -> list[str]:
    """`recall 2` for the second number, in the order of the queue."""
    return [
        f"{row.call.kind} {PHONES.index(row.member.phone()) + 1}"
        for row in queries.calls(state=state).rows
    ]


def test_nobody_is_rung_in_their_quiet_hours(source: Source, ann: Login, noon: dt.datetime) -> None:
    call = Call.objects.get(member=rung())
    set_quiet_hours(member=call.member, from_=dt.time(11), until=dt.time(14, 30))
    set_time_zone(member=call.member, zone="Asia/Shanghai", origin="member")
    weeks = list(Contact.objects.values_list("person_id", "during").order_by("id"))
    with pytest.raises(TooEarlyToRing) as told:
        take_call(call.reference, by=ann)
    assert told.value.params["when"].endswith(" 14:30")
    call.refresh_from_db()
    assert (call.state, call.taken_by) == ("open", None)
    assert list(Contact.objects.values_list("person_id", "during").order_by("id")) == weeks
    with clock.stopped_at(noon + 3 * HOUR):
        assert take_call(call.reference, by=ann).taken_by == ann


def test_most_money_at_stake_comes_first_and_care_before_it(source: Source) -> None:
    assert in_queue() == ["recall 2", "recall 3", "recall 1"]
    raise_trouble(rung(), why="key is late", until=None, by=None)
    # The first member's recall waits until the trouble is over; their care call leads.
    assert in_queue() == ["care 1", "recall 2", "recall 3"]
    page = queries.calls(kind="care")
    assert (page.total, page.rows[0].says, page.rows[0].plan_name) == (1, "key is late", "")
    row = queries.calls(kind="recall").rows[0]
    assert (row.says, row.plan_name) == ("Ask 138****0002", "Come back")
    assert row.standing is not None
    assert row.standing.at_stake_fen == 900


def test_one_of_two_agents_gets_the_call(ann: Login, ben: Login) -> None:
    call = take_call(first(), by=ann)
    assert (call.state, call.taken_by, call.taken_at) == ("taken", ann, clock.now())
    with pytest.raises(CallTaken):
        take_call(first(), by=ben)
    assert take_call(first(), by=ann).taken_by == ann
    assert in_queue() == ["recall 2", "recall 3"]
    assert in_queue("taken") == ["recall 1"]
    assert StaffAct.objects.filter(verb="call.take", by=ann).count() == 1


def test_the_number_is_shown_to_who_has_taken_the_call_only(ann: Login, ben: Login) -> None:
    open_call = queries.call_named(first()).call
    assert queries.phone_to_ring(open_call, ann) == ""
    taken = take_call(first(), by=ann)
    assert queries.phone_to_ring(taken, ann) == PHONES[0]
    assert queries.phone_to_ring(taken, ben) == ""


def test_ringing_begins_a_new_week(ann: Login, noon: dt.datetime) -> None:
    with clock.stopped_at(noon + 3 * DAY):
        take_call(first(), by=ann)
    week = recall(PHONES[0]).message.contact.during  # type: ignore[union-attr]
    assert (week.lower, week.upper) == (noon, noon + 10 * DAY)


def test_a_call_whose_week_is_past_is_off(ann: Login, noon: dt.datetime) -> None:
    with clock.stopped_at(noon + 7 * DAY):
        assert in_queue() == []
        with pytest.raises(CallIsOff):
            take_call(first(), by=ann)
        assert Call.objects.filter(state="open").count() == 3
        assert tidy_calls() == 3
    assert set(Call.objects.values_list("state", "outcome")) == {("done", "lapsed")}


def test_nobody_is_rung_against_their_word(ann: Login) -> None:
    make.say([rung()], False, ["list"])
    assert in_queue() == ["recall 2", "recall 3"]
    with pytest.raises(CallIsOff):
        take_call(first(), by=ann)
    assert tidy_calls() == 1


def test_a_paused_run_waits_and_a_stopped_one_lapses(ann: Login) -> None:
    run = Run.objects.get()
    pause_run(run.reference, by=None)
    assert in_queue() == []
    with pytest.raises(CallIsOff):
        take_call(first(), by=ann)
    assert tidy_calls() == 0
    stop_run(run.reference, by=None)
    assert tidy_calls() == 3


def test_the_kill_switch_stops_recalls_but_not_care(ann: Login) -> None:
    raise_trouble(rung(), why="key is late", until=None, by=ann)
    stop_everything(by=None)
    with pytest.raises(EverythingIsStopped):
        take_call(first(), by=ann)
    care = Call.objects.get(kind="care")
    assert take_call(care.reference, by=ann).state == "taken"


def test_a_call_may_be_put_back_by_its_agent_or_an_operator(
    ann: Login, ben: Login, operator: Login
) -> None:
    take_call(first(), by=ann)
    with pytest.raises(CallIsNotYours):
        release_call(first(), by=ben)
    release_call(first(), by=ann)
    assert in_queue() == ["recall 2", "recall 3", "recall 1"]
    take_call(first(), by=ben)
    release_call(first(), by=operator)
    with pytest.raises(CallIsNotYours):
        release_call(first(), by=operator)


def test_reached_with_a_reason_is_done_and_counted(ann: Login, source: Source) -> None:
    take_call(first(), by=ann)
    call = record_call(
        first(), by=ann, outcome="reached", leave_reason="late_keys", note=" waited 3 days "
    )
    assert (call.state, call.outcome, call.leave_reason) == ("done", "reached", "late_keys")
    assert (call.note, call.tries, call.done_at) == ("waited 3 days", 1, clock.now())
    assert in_queue("done") == ["recall 1"]
    reasons = queries.leave_reasons(source)
    assert reasons.counts == {**dict.fromkeys(LEAVE_REASONS, 0), "late_keys": 1}
    assert (reasons.told, reasons.reached) == (1, 1)


def test_nobody_answers_three_times_and_it_lapses(ann: Login, noon: dt.datetime) -> None:
    for day, tries in ((0, 1), (1, 2)):
        with clock.stopped_at(noon + day * DAY):
            take_call(first(), by=ann)
            call = record_call(first(), by=ann, outcome="no_answer")
            assert (call.state, call.tries, call.again_at) == (
                "open",
                tries,
                noon + (day + 1) * DAY,
            )
            assert in_queue() == ["recall 2", "recall 3"]
            assert in_queue("later") == ["recall 1"]
    with clock.stopped_at(noon + 2 * DAY):
        assert in_queue() == ["recall 2", "recall 3", "recall 1"]
        take_call(first(), by=ann)
        record_call(first(), by=ann, outcome="no_answer")
    assert queries.call_named(first()).call.outcome == "lapsed"


def test_the_next_try_may_be_set_within_the_week(ann: Login, noon: dt.datetime) -> None:
    take_call(first(), by=ann)
    for wrong in (noon, noon - HOUR, noon + 6 * DAY + HOUR):
        with pytest.raises(BadNextTry):
            record_call(first(), by=ann, outcome="no_answer", again_at=wrong)
    call = record_call(first(), by=ann, outcome="no_answer", again_at=noon + 2 * DAY)
    assert call.again_at == noon + 2 * DAY


def test_refused_withdraws_consent_to_calls_or_to_everything(ann: Login) -> None:
    calls = [recall(phone) for phone in PHONES]
    for call, everything in zip(calls, (False, True), strict=False):
        take_call(call.reference, by=ann)
        record_call(call.reference, by=ann, outcome="refused", everything=everything)
    given = Consent.objects.filter(purpose="marketing", is_given=True)
    assert [
        set(given.filter(person=call.member.person_id).values_list("channel", flat=True))
        for call in calls
    ] == [set(CHANNELS) - {"list"}, set(), set(CHANNELS)]
    change = Consent.objects.get(person=calls[0].member.person_id, channel="list").change
    assert (change.basis, change.by, change.words) == ("agent", ann, f"call {calls[0].reference}")


@pytest.mark.parametrize(
    "said",
    [
        {"outcome": "lapsed"},
        {"outcome": ""},
        {"outcome": "sold"},
        {"outcome": "reached", "leave_reason": "weather"},
    ],
    ids=str,
)
def test_words_nobody_knows_are_refused(ann: Login, said: dict[str, str]) -> None:
    take_call(first(), by=ann)
    with pytest.raises(BadCallOutcome):
        record_call(first(), by=ann, **said)
    assert queries.call_named(first()).call.state == "taken"


def test_only_who_has_taken_it_writes_it_down(ann: Login, ben: Login) -> None:
    with pytest.raises(CallIsNotYours):
        record_call(first(), by=ann, outcome="reached")
    take_call(first(), by=ann)
    with pytest.raises(CallIsNotYours):
        record_call(first(), by=ben, outcome="reached")
    for nowhere in (take_call, release_call):
        with pytest.raises(UnknownCall):
            nowhere("222222222222", by=ann)
    with pytest.raises(UnknownCall):
        queries.call_named("222222222222")


def test_a_forgotten_call_comes_back_after_a_day(ann: Login, noon: dt.datetime) -> None:
    take_call(first(), by=ann)
    with clock.stopped_at(noon + DAY - HOUR):
        assert tidy_calls() == 0
    with clock.stopped_at(noon + DAY):
        assert tidy_calls() == 1
        assert in_queue() == ["recall 2", "recall 3", "recall 1"]


def test_a_list_taken_elsewhere_has_numbers_and_is_written_down(
    operator: Login, source: Source
) -> None:
    run = Run.objects.get()
    rows = export_calls(run=run, by=operator)
    assert [row.phone for row in rows] == [PHONES[1], PHONES[2], PHONES[0]]
    assert (rows[0].name, rows[0].orders, rows[0].days_since_last_order) == ("138****0002", 2, 45)
    act = StaffAct.objects.get(verb="calls.export")
    assert (act.by, act.about, act.detail) == (operator, run.reference, {"calls": 3})
    assert Contact.objects.count() == 3
