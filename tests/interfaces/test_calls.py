"""The agents' queue: take, ring, write down, next; the number is for whoever took the call."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from django.test import Client

from liuke.base import clock
from liuke.engagement.actions.send import send_due
from liuke.engagement.actions.trouble import raise_trouble
from liuke.engagement.models import Call, Run
from liuke.people.models import Consent, Login, StaffAct
from tests.engagement import make

PHONES = ["13800138000", "13800138001", "13800138002"]


@pytest.fixture
def listed(db: None, tmp_path: Path, noon: dt.datetime, nobody_held_out: None) -> Run:
    """Three members known by phone, on the call list."""
    source = make.shop(tmp_path, PHONES)
    run = make.run(make.plan(source, channel="list", body="Ask {member} why"))
    make.decide()
    send_due()
    assert Call.objects.filter(state="open").count() == 3
    return run


@pytest.fixture
def taken(listed: Run, answering: Client) -> Call:
    answering.post("/calls/next/")
    return Call.objects.get(state="taken")


def shows(client: Client, path: str, number: str) -> bool:
    """Whether a page has the number; the goods of these members are named after them, which does not count."""
    page = client.get(path).content.decode()
    return number in page.replace(f"Card of {number}", "").replace(f"{number}-", "")


def write_down(client: Client, call: Call, **given: str) -> str:
    answer = client.post(f"/calls/{call.reference}/record/", given, follow=True)
    call.refresh_from_db()
    return answer.content.decode()


def test_care_comes_before_recall(answering: Client, listed: Run, agent: Login) -> None:
    member = Call.objects.order_by("-id")[0].member
    raise_trouble(member=member, why="the key was dead", until=None, by=agent)
    rows = answering.get("/calls/").context["page"].rows
    # The recall of the member in trouble waits until the trouble is over.
    assert [row.call.kind for row in rows] == ["care", "recall", "recall"]
    answer = answering.post("/calls/next/", follow=True)
    assert "the key was dead" in answer.content.decode()
    assert Call.objects.get(state="taken").kind == "care"


def test_the_number_is_shown_only_to_who_took_the_call(
    visitor: Client, answering: Client, taken: Call, agent: Login
) -> None:
    number = taken.member.phone()
    assert number in PHONES
    path = f"/calls/{taken.reference}/"
    assert shows(answering, path, number)
    assert not shows(visitor, path, number)  # not even to the operator
    assert "客服小林 has this call" in visitor.get(path).content.decode()
    for queue in ("open", "taken", "later", "done"):
        assert not shows(answering, f"/calls/?state={queue}", number)
    assert not shows(answering, f"/members/{taken.member.reference}/", number)
    acts = StaffAct.objects.filter(verb="call.take")
    assert [(act.by, act.about, act.detail["call"]) for act in acts] == [
        (agent, taken.member.reference, taken.reference)
    ]


def test_an_open_call_shows_no_number(answering: Client, listed: Run) -> None:
    call = Call.objects.filter(state="open")[0]
    assert not shows(answering, f"/calls/{call.reference}/", call.member.phone())
    page = answering.get(f"/calls/{call.reference}/").content.decode()
    assert "Take this call" in page
    assert 'name="outcome"' not in page


def test_two_agents_never_have_one_call(visitor: Client, answering: Client, taken: Call) -> None:
    answer = visitor.post(f"/calls/{taken.reference}/take/", follow=True)
    assert "Somebody else has taken this call." in answer.content.decode()
    visitor.post("/calls/next/")
    assert Call.objects.filter(state="taken").values("taken_by").distinct().count() == 2
    assert Call.objects.filter(state="open").count() == 1
    answering.post(f"/calls/{taken.reference}/take/")  # one's own again
    assert StaffAct.objects.filter(verb="call.take", detail__call=taken.reference).count() == 1


def test_reached_with_a_reason_is_done_and_counted(answering: Client, taken: Call) -> None:
    page = write_down(answering, taken, outcome="reached", leave_reason="late_keys", note="sorry")
    assert (taken.state, taken.outcome, taken.leave_reason, taken.note) == (
        "done", "reached", "late_keys", "sorry",
    )  # fmt: skip
    assert "Keys came late" in page  # the tally beside the queue
    assert not shows(answering, f"/calls/{taken.reference}/", taken.member.phone())


def test_saved_twice_changes_nothing(answering: Client, taken: Call) -> None:
    write_down(answering, taken, outcome="reached", note="first")
    page = write_down(answering, taken, outcome="refused", note="second")
    assert "Take this call first." in page
    assert (taken.outcome, taken.note) == ("reached", "first")
    assert StaffAct.objects.filter(verb="call.record").count() == 1


def test_save_and_next_leads_to_another_call(answering: Client, taken: Call) -> None:
    answer = answering.post(
        f"/calls/{taken.reference}/record/", {"outcome": "reached", "then": "next"}
    )
    following = Call.objects.get(state="taken")
    assert following != taken
    assert answer["Location"] == f"/calls/{following.reference}/"


@pytest.mark.parametrize(("again", "hours"), [("", 24), ("3h", 3), ("4d", 96)])
def test_nobody_answered_comes_again(
    again: str, hours: int, answering: Client, taken: Call, noon: dt.datetime
) -> None:
    write_down(answering, taken, outcome="no_answer", again=again)
    assert (taken.state, taken.taken_by, taken.tries) == ("open", None, 1)
    assert taken.again_at == noon + dt.timedelta(hours=hours)
    rows = answering.get("/calls/?state=later").context["page"].rows
    assert [row.call for row in rows] == [taken]


def test_whoever_wants_no_calls_gets_none(answering: Client, taken: Call) -> None:
    write_down(answering, taken, outcome="refused")
    said = Consent.objects.filter(person=taken.member.person_id, purpose="marketing")
    assert {one.channel: one.is_given for one in said} == {
        "list": False, "inbox": True, "sms": True, "email": True,
    }  # fmt: skip


def test_no_marketing_on_any_channel_when_they_say_so(answering: Client, taken: Call) -> None:
    write_down(answering, taken, outcome="refused", everything="1")
    said = Consent.objects.filter(person=taken.member.person_id, purpose="marketing")
    assert {one.is_given for one in said} == {False}


@pytest.mark.parametrize(
    "given", [{}, {"outcome": "lapsed"}, {"outcome": "reached", "leave_reason": "moon"}]
)
def test_nonsense_is_refused_and_the_call_stays_taken(
    given: dict[str, str], answering: Client, taken: Call
) -> None:
    assert "cannot be written down" in write_down(answering, taken, **given)
    assert (taken.state, taken.tries) == ("taken", 0)


def test_put_back_by_its_agent_or_an_operator_but_nobody_else(
    visitor: Client, answering: Client, taken: Call
) -> None:
    other = Call.objects.filter(state="open")[0]
    answer = answering.post(f"/calls/{other.reference}/release/", follow=True)
    assert "Take this call first." in answer.content.decode()
    visitor.post(f"/calls/{taken.reference}/release/")
    taken.refresh_from_db()
    assert (taken.state, taken.taken_by) == ("open", None)


def test_a_call_nobody_may_make_any_more_is_off(answering: Client, listed: Run) -> None:
    call = Call.objects.filter(state="open")[0]
    make.say([call.member], False, ("list",))
    assert call.reference not in answering.get("/calls/").content.decode()
    answer = answering.post(f"/calls/{call.reference}/take/", follow=True)
    assert "This call is off" in answer.content.decode()
    call.refresh_from_db()
    assert call.state == "open"


def test_the_kill_switch_leaves_care_calls(
    visitor: Client, answering: Client, listed: Run, agent: Login
) -> None:
    visitor.post("/outreach/stop/")
    answer = answering.post("/calls/next/", follow=True)
    assert "All outreach is stopped." in answer.content.decode()
    assert not Call.objects.filter(state="taken").exists()
    raise_trouble(member=Call.objects.all()[0].member, why="late", until=None, by=agent)
    answering.post("/calls/next/")
    assert Call.objects.get(state="taken").kind == "care"


def test_only_operators_take_the_list_with_numbers(
    visitor: Client, answering: Client, listed: Run
) -> None:
    path = f"/runs/{listed.reference}/calls/"
    assert answering.post(path).status_code == 403
    assert visitor.get(path).status_code == 405
    assert not StaffAct.objects.filter(verb="calls.export").exists()
    text = b"".join(visitor.post(path)).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["Phone"] for row in rows) == PHONES
    assert {row["What to say"] for row in rows} == {f"Ask {row['Member']} why" for row in rows}
    assert StaffAct.objects.get(verb="calls.export").about == listed.reference


def test_an_empty_queue_says_where_calls_come_from(answering: Client, db: None) -> None:
    page = answering.get("/calls/").content.decode()
    assert "Nobody to ring now" in page
    answer = answering.post("/calls/next/", follow=True)
    assert "Nobody is left to ring now." in answer.content.decode()


def test_strangers_and_unknown_calls(answering: Client, listed: Run) -> None:
    call = Call.objects.all()[0]
    assert Client().get("/calls/")["Location"].startswith("/login/")
    assert Client().post(f"/calls/{call.reference}/take/")["Location"].startswith("/login/")
    for path in ("/calls/23456789ABCD/", "/calls/nonsense/"):
        assert answering.get(path).status_code == 404
    assert answering.post("/calls/23456789ABCD/take/").status_code == 404
    assert Call.objects.filter(state="open").count() == 3


def test_the_clock_of_a_queue_is_ours(answering: Client, taken: Call) -> None:
    write_down(answering, taken, outcome="no_answer")
    with clock.stopped_at(clock.now() + dt.timedelta(hours=25)):
        rows = answering.get("/calls/").context["page"].rows
    assert taken in [row.call for row in rows]
