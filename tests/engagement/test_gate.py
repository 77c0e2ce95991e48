"""Does the gate give each candidate one reason, the first in its order, and each treated one exactly one message?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.analytics.models import RfmGroup, Source, Standing
from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.policy import (
    resume_everything,
    set_outreach_policy,
    stop_everything,
)
from liuke.engagement.actions.runs import finish_runs, pause_run, resume_run
from liuke.engagement.models import Contact, Decision, HoldOut, Message, Pressure, TroubleFlag
from liuke.people.models import Member, StaffAct
from tests.engagement import make

pytestmark = pytest.mark.django_db

TREATED = (2, "treated", "")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def shop(noon: dt.datetime, tmp_path: Path) -> Source:
    """m001 to m004, silent, and everybody agreed; nobody is held out."""
    set_outreach_policy(by=None, holdout_permyriad=0)
    return make.shop(tmp_path, 4)


def change(name: str, **fields: object) -> None:
    Member.objects.filter(external_id=name).update(**fields)


def erase(name: str) -> None:
    change(name, erased_at=clock.now(), external_id=f"erased:{name}")


def flag(name: str, *, until: dt.date | None = None, closed: bool = False) -> None:
    TroubleFlag.objects.create(
        member=make.member(name),
        why="key late",
        raised_at=clock.now(),
        until=until,
        closed_at=clock.now() if closed else None,
    )


def one_person(*names: str) -> None:
    first = make.member(names[0])
    Member.objects.filter(external_id__in=names).update(person=first)


def messages() -> list[str]:
    found = Message.objects.select_related("member").order_by("id")
    return [message.member.external_id for message in found]


def test_everyone_who_agreed_gets_one_message_and_their_week_is_taken(shop: Source) -> None:
    run = make.run(make.plan(shop, subject="For {member}"))
    assert make.decide() == 4
    assert make.said(run) == dict.fromkeys(("m001", "m002", "m003", "m004"), TREATED)
    assert sorted(messages()) == ["m001", "m002", "m003", "m004"]
    message = Message.objects.get(member=make.member("m001"))
    assert (message.subject, message.body) == ("For m001", "Hello m001, 45 days")
    assert (message.state, message.purpose, message.channel) == ("queued", "marketing", "inbox")
    assert message.expires_at == clock.now() + dt.timedelta(hours=24)
    week = Contact.objects.get(pk=message.contact_id)
    assert (week.is_ghost, week.decision_id) == (False, message.decision_id)
    assert week.during.upper - week.during.lower == dt.timedelta(hours=168)
    assert Pressure.objects.get(person=week.person_id).taken_until == week.during.upper
    assert make.decide() == 0


def test_each_reason_and_the_first_one_counts(noon: dt.datetime, tmp_path: Path) -> None:
    set_outreach_policy(by=None, holdout_permyriad=0)
    names = (
        "erased",
        "no_consent",
        "said_no",
        "trouble",
        "old_trouble",
        "over",
        "left",
        "phone",
        "ok",
    )
    source = make.shop(tmp_path, names, agreed=False)
    make.say([make.member(name) for name in names if name not in ("no_consent", "said_no")], True)
    make.say([make.member("said_no")], False)
    flag("erased")
    erase("erased")
    flag("no_consent")
    flag("trouble", until=clock.today())
    flag("old_trouble", until=clock.today() - DAY)
    flag("over", closed=True)
    run = make.run(make.plan(source, channel="sms", body="{member}"))
    Standing.objects.filter(member=make.member("left")).update(stage=1)
    change("phone", phone_sealed=b"x" * 40, phone_index="p")
    assert make.decide() == 9
    assert {name: reason for name, (_, _, reason) in make.said(run).items()} == {
        "erased": "erased",
        "no_consent": "no_consent",
        "said_no": "no_consent",
        "trouble": "trouble",
        "old_trouble": "no_address",
        "over": "no_address",
        "left": "not_eligible",
        "phone": "",
        "ok": "no_address",
    }
    assert {arm for _, arm, _ in make.said(run).values()} == {"", "treated"}
    assert messages() == ["phone"]


def test_email_wants_a_confirmed_address_on_the_persons_own_row(shop: Source) -> None:
    one_person("m001", "m002")
    change("m001", email_sealed=b"e" * 40, email_index="1", email_confirmed_at=clock.now())
    change("m003", email_sealed=b"e" * 40, email_index="3")
    run = make.run(make.plan(shop, channel="email", subject="s", body="b"))
    make.decide()
    said = make.said(run)
    assert [said[name][2] for name in ("m003", "m004")] == ["no_address", "no_address"]
    assert sorted([said["m001"], said["m002"]]) == [(1, "treated", "capped"), TREATED]


def test_trouble_of_one_member_holds_for_the_whole_person(shop: Source) -> None:
    one_person("m001", "m002")
    flag("m002")
    run = make.run(make.plan(shop))
    make.decide()
    assert {name: reason for name, (_, _, reason) in make.said(run).items()} == {
        "m001": "trouble",
        "m002": "trouble",
        "m003": "",
        "m004": "",
    }


def test_service_asks_neither_yes_nor_lot_nor_week_but_hears_a_no(
    noon: dt.datetime, tmp_path: Path
) -> None:
    set_outreach_policy(by=None, holdout_permyriad=5000)
    source = make.shop(tmp_path, 4, agreed=False)
    make.say([make.member("m002")], False, ["inbox"], "service")
    flag("m003")
    one_person("m001", "m004")
    run = make.run(make.plan(source, purpose="service", body="{member}, your key"))
    make.decide()
    assert make.said(run) == {
        "m001": TREATED,
        "m002": (3, "", "no_consent"),
        "m003": TREATED,
        "m004": (3, "treated", "not_eligible"),
    }
    assert (Contact.objects.count(), HoldOut.objects.count(), Pressure.objects.count()) == (0, 0, 0)
    assert set(Message.objects.values_list("contact_id", flat=True)) == {None}


# Hold-outs and arms -------------------------------------------------------------------------------


def test_the_lot_is_drawn_once_a_person_and_kept_whatever_the_policy_says_later(
    noon: dt.datetime, tmp_path: Path
) -> None:
    set_outreach_policy(by=None, holdout_permyriad=5000)
    source = make.shop(tmp_path, 40)
    one_person("m001", "m002")
    run = make.run(make.plan(source))
    make.decide()
    held = {n for n, (_, _, reason) in make.said(run).items() if reason == "holdout"}
    assert 8 <= len(held) <= 32
    assert ("m001" in held) == ("m002" in held)
    lots = list(HoldOut.objects.order_by("person").values())
    assert len(lots) == 39
    assert all(lot["is_held_out"] == (lot["bucket"] < 5000) for lot in lots)

    set_outreach_policy(by=None, holdout_permyriad=0)
    with clock.stopped_at(noon + 40 * DAY):
        again = make.run(make.plan(source, name="Another"))
        make.decide()
    assert {n for n, (_, _, reason) in make.said(again).items() if reason == "holdout"} == held
    assert list(HoldOut.objects.order_by("person").values()) == lots


@pytest.mark.parametrize(
    "change",
    ["UPDATE engagement_hold_out SET is_held_out = false", "DELETE FROM engagement_hold_out"],
)
def test_nobody_can_redraw_a_lot(shop: Source, change: str) -> None:
    make.run(make.plan(shop))
    make.decide()
    with (
        pytest.raises(IntegrityError, match="a_hold_out_is_for_ever"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert HoldOut.objects.count() == 4


def test_no_lot_is_drawn_for_those_who_may_not_be_reached_anyway(shop: Source) -> None:
    make.say([make.member("m001")], False)
    flag("m002")
    make.run(make.plan(shop))
    make.decide()
    drawn = {lot.person.external_id for lot in HoldOut.objects.select_related("person")}
    assert drawn == {"m003", "m004"}


def test_controls_take_their_week_as_ghosts_and_get_nothing_from_any_plan(
    noon: dt.datetime, tmp_path: Path
) -> None:
    set_outreach_policy(by=None, holdout_permyriad=0)
    source = make.shop(tmp_path, 40)
    run = make.run(make.plan(source, control_permyriad=5000))
    make.decide()
    said = make.said(run)
    controls = {name for name, word in said.items() if word == (3, "control", "control")}
    assert 8 <= len(controls) <= 32
    assert {word for name, word in said.items() if name not in controls} == {TREATED}
    ghosts = {
        c.person.external_id for c in Contact.objects.filter(is_ghost=True).select_related("person")
    }
    assert ghosts == controls
    assert not controls & set(messages())

    other = make.run(make.plan(source, name="Another"))
    make.decide()
    assert set(make.said(other).values()) == {(1, "treated", "capped")}


def test_a_person_is_in_the_same_arm_each_time(noon: dt.datetime, tmp_path: Path) -> None:
    set_outreach_policy(by=None, holdout_permyriad=0)
    source = make.shop(tmp_path, 20)
    plan = make.plan(source, control_permyriad=5000, again_after_days=0)
    first = make.said(make.run(plan)) or None
    make.decide()
    run = plan.runs.get()
    first = {name: arm for name, (_, arm, _) in make.said(run).items()}
    Message.objects.update(state="accepted", ended_at=noon)
    Decision.objects.filter(state=2).update(state=3, reason="accepted")
    assert finish_runs() == 1
    with clock.stopped_at(noon + 8 * DAY):
        again = make.run(plan)
        make.decide()
    assert {name: arm for name, (_, arm, _) in make.said(again).items()} == first
    assert set(first.values()) == {"treated", "control"}


# Quiet hours --------------------------------------------------------------------------------------


def test_each_waits_for_their_own_morning(shop: Source, noon: dt.datetime) -> None:
    """It is noon in Shanghai: 5:00 in Berlin, midnight in New York."""
    change("m001", time_zone="Europe/Berlin", time_zone_from="member")
    change("m002", time_zone="America/New_York", time_zone_from="device")
    change("m003", quiet_from=dt.time(11), quiet_until=dt.time(14))
    run = make.run(make.plan(shop))
    assert make.decide() == 4
    waits = {
        d.member.external_id: (d.reason, d.due_at)
        for d in Decision.objects.filter(state=1).select_related("member")
    }
    assert waits == {
        "m001": ("quiet_hours", noon + 4 * HOUR),
        "m002": ("quiet_hours", noon + 9 * HOUR),
        "m003": ("quiet_hours", noon + 2 * HOUR),
    }
    assert messages() == ["m004"]
    with clock.stopped_at(noon + 4 * HOUR):
        assert make.decide() == 2
    assert sorted(messages()) == ["m001", "m003", "m004"]
    assert make.said(run)["m002"] == (1, "treated", "quiet_hours")


def test_a_member_who_is_always_quiet_gets_nothing(shop: Source) -> None:
    change("m001", quiet_from=dt.time(8), quiet_until=dt.time(21))
    run = make.run(make.plan(shop))
    make.decide()
    assert make.said(run)["m001"] == (3, "treated", "quiet_hours")


def test_a_morning_that_comes_too_late_is_the_end(shop: Source, noon: dt.datetime) -> None:
    set_outreach_policy(by=None, wait_hours_max=1)
    change("m001", quiet_from=dt.time(11), quiet_until=dt.time(14))
    run = make.run(make.plan(shop))
    make.decide()
    assert make.said(run)["m001"] == (3, "treated", "quiet_hours")


def test_without_a_zone_all_possible_ones_must_be_awake(shop: Source, noon: dt.datetime) -> None:
    set_outreach_policy(
        by=None, zones_when_unknown=["Asia/Shanghai", "Asia/Urumqi", "Europe/Moscow"]
    )
    change("m001", time_zone="Asia/Shanghai", time_zone_from="member")
    change("m002", time_zone="No/Where", time_zone_from="source")
    run = make.run(make.plan(shop))
    make.decide()
    assert messages() == ["m001"]
    assert set(Decision.objects.filter(run=run, state=1).values_list("due_at", flat=True)) == {
        noon + 2 * HOUR  # nine o'clock in Moscow
    }


# The week -----------------------------------------------------------------------------------------


def test_a_second_plan_waits_until_the_week_is_over_and_then_goes(
    shop: Source, noon: dt.datetime
) -> None:
    make.run(make.plan(shop))
    make.decide()
    second = make.run(make.plan(shop, name="Another", body="again"))
    assert make.decide() == 4
    assert set(make.said(second).values()) == {(1, "treated", "capped")}
    waiting = Decision.objects.filter(run=second)
    assert set(waiting.values_list("due_at", "expires_at")) == {
        (noon + 168 * HOUR, noon + 192 * HOUR)
    }
    with clock.stopped_at(noon + 168 * HOUR - dt.timedelta(seconds=1)):
        assert make.decide() == 0
    with clock.stopped_at(noon + 168 * HOUR):
        assert make.decide() == 4
    assert set(make.said(second).values()) == {TREATED}
    assert Message.objects.filter(body="again").count() == 4
    assert Contact.objects.count() == 8


def test_a_wait_that_cannot_end_in_time_ends_at_once(shop: Source) -> None:
    set_outreach_policy(by=None, wait_hours_max=100)
    make.run(make.plan(shop))
    make.decide()
    second = make.run(make.plan(shop, name="Another"))
    make.decide()
    assert set(make.said(second).values()) == {(3, "treated", "capped")}


def test_a_wait_that_was_slept_through_ends_with_what_it_waited_for(
    shop: Source, noon: dt.datetime
) -> None:
    make.run(make.plan(shop))
    make.decide()
    second = make.run(make.plan(shop, name="Another"))
    make.decide()
    with clock.stopped_at(noon + 192 * HOUR):
        assert make.decide() == 4
    assert set(make.said(second).values()) == {(3, "treated", "capped")}
    assert Contact.objects.count() == 4


def test_what_changed_while_waiting_is_seen_and_the_arm_stays(
    shop: Source, noon: dt.datetime
) -> None:
    make.run(make.plan(shop))
    make.decide()
    second = make.run(make.plan(shop, name="Another"))
    make.decide()
    erase("m001")
    make.say([make.member("m002")], False)
    flag("m003")
    Standing.objects.filter(member=make.member("m004")).update(stage=1)
    with clock.stopped_at(noon + 168 * HOUR):
        make.decide()
    assert make.said(second) == {
        "m001": (3, "treated", "erased"),
        "m002": (3, "treated", "no_consent"),
        "m003": (3, "treated", "trouble"),
        "m004": (3, "treated", "not_eligible"),
    }
    assert Contact.objects.count() == 4


def test_two_members_who_are_one_person_never_get_two_messages(
    shop: Source, noon: dt.datetime
) -> None:
    one_person("m001", "m002")
    run = make.run(make.plan(shop, again_after_days=0))
    make.decide()
    assert make.said(run) == {
        "m001": TREATED,
        "m002": (1, "treated", "capped"),
        "m003": TREATED,
        "m004": TREATED,
    }
    with clock.stopped_at(noon + 168 * HOUR):
        make.decide()
    assert make.said(run)["m002"] == (3, "treated", "not_eligible")
    assert sorted(messages()) == ["m001", "m003", "m004"]


def test_two_members_who_became_one_person_during_the_run_share_a_week(shop: Source) -> None:
    run = make.run(make.plan(shop))
    one_person("m001", "m002")
    make.decide()
    assert make.said(run)["m002"] == (1, "treated", "capped")
    persons = Decision.objects.filter(member__external_id__in=("m001", "m002"))
    assert set(persons.values_list("person_id", flat=True)) == {make.member("m001").pk}


def test_a_plan_reaches_nobody_again_before_its_time(shop: Source, noon: dt.datetime) -> None:
    plan = make.plan(shop, again_after_days=30)
    make.run(plan)
    make.decide()
    settle(["m001", "m002"], "accepted")
    settle(["m003"], "rejected")
    settle(["m004"], "unknown")
    assert finish_runs() == 1
    with clock.stopped_at(noon + 29 * DAY):
        again = make.run(plan)
        make.decide()
        assert {name: reason for name, (_, _, reason) in make.said(again).items()} == {
            "m001": "not_eligible",
            "m002": "not_eligible",
            "m003": "",
            "m004": "not_eligible",
        }
        settle(["m003"], "accepted")
        finish_runs()
    with clock.stopped_at(noon + 31 * DAY):
        later = make.run(plan)
        make.decide()
    assert make.said(later)["m001"] == TREATED
    assert make.said(later)["m003"] == (3, "", "not_eligible")


def settle(names: Iterable[str], reason: str) -> None:
    found = Decision.objects.filter(state=2, member__external_id__in=list(names))
    Message.objects.filter(decision__in=found).update(state=reason, ended_at=clock.now())
    found.update(state=3, reason=reason)


def test_the_table_has_the_last_word_when_the_quick_answer_is_wrong(
    shop: Source, noon: dt.datetime
) -> None:
    """Pressure is what is asked first; Contact is what may not be wrong."""
    make.run(make.plan(shop))
    make.decide()
    Pressure.objects.filter(person=make.member("m001")).delete()
    Pressure.objects.filter(person=make.member("m002")).update(taken_until=noon)
    second = make.run(make.plan(shop, name="Another"))
    make.decide()
    assert set(make.said(second).values()) == {(1, "treated", "capped")}
    assert Contact.objects.count() == 4
    assert set(Pressure.objects.values_list("taken_until", flat=True)) == {noon + 168 * HOUR}


# What stops the gate ------------------------------------------------------------------------------


def test_nothing_is_decided_while_everything_is_stopped_or_the_run_is_paused(shop: Source) -> None:
    run = make.run(make.plan(shop))
    stop_everything(by=None)
    assert make.decide() == 0
    resume_everything(by=None)
    pause_run(run.reference, by=None)
    assert make.decide() == 0
    assert set(make.said(run).values()) == {(0, "", "")}
    resume_run(run.reference, by=None)
    assert make.decide() == 4


def test_a_run_whose_audience_can_no_longer_be_asked_for_is_paused_and_holds_up_no_other(
    shop: Source,
) -> None:
    lost = make.run(make.plan(shop, audience={"group": "silent"}))
    other = make.run(make.plan(shop, name="Another"))
    RfmGroup.objects.filter(key="silent").update(key="gone")
    assert make.decide() == 4
    assert queries.run_named(lost.reference).state == "paused"
    act = StaffAct.objects.latest("id")
    assert (act.verb, act.detail) == ("run.hold", {"run": lost.reference, "why": "BadFilter"})
    assert set(make.said(lost).values()) == {(0, "", "")}
    assert set(make.said(other).values()) == {TREATED}


def test_a_run_goes_on_in_batches_of_any_size(shop: Source) -> None:
    from liuke.engagement.actions.decide import decide_due

    run = make.run(make.plan(shop))
    assert [decide_due(limit=3), decide_due(limit=3), decide_due(limit=3)] == [3, 1, 0]
    assert set(make.said(run).values()) == {TREATED}


def test_progress_and_the_members_story_say_what_was_decided(shop: Source) -> None:
    make.say([make.member("m001")], False)
    change("m002", quiet_from=dt.time(11), quiet_until=dt.time(14))
    run = make.run(make.plan(shop))
    make.decide()
    progress = queries.progress(run)
    assert (progress.candidates, progress.new, progress.waiting) == (4, 0, 1)
    assert (progress.claimed, progress.done, progress.done_share) == (2, 1, 0.25)
    assert progress.by_reason == {"no_consent": 1}
    assert progress.waiting_for == {"quiet_hours": 1}
    assert progress.by_arm == {"treated": 3, "control": 0}
    assert progress.next_due_at == clock.now() + 2 * HOUR
    (row,) = queries.decisions_about(make.member("m001"))
    assert (row.plan, row.run_reference, row.reason, row.is_done) == (
        "Come back",
        run.reference,
        "no_consent",
        True,
    )
    page = queries.decisions(run, reason="quiet_hours")
    assert [row.member_name for row in page.rows] == ["m002"]
    assert [r.member_name for r in queries.decisions(run, page=9, per_page=3).rows] == ["m004"]
