"""Plans are made, edited, run, held and ended; what cannot be is refused and changes nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from liuke.analytics.actions.segments import save_segment
from liuke.analytics.errors import BadFilter
from liuke.analytics.models import Source
from liuke.base import clock
from liuke.base.errors import Refusal
from liuke.engagement import queries
from liuke.engagement.actions.plans import (
    activate_daily,
    edit_plan,
    end_daily,
    make_plan,
    retire_plan,
)
from liuke.engagement.actions.policy import (
    resume_everything,
    set_outreach_policy,
    stop_everything,
)
from liuke.engagement.actions.runs import (
    finish_runs,
    pause_run,
    resume_run,
    run_due_plans,
    start_run,
    stop_run,
)
from liuke.engagement.errors import (
    AlreadyRanToday,
    BadOutreachPolicy,
    BadPlan,
    ConsentNotAsked,
    EverythingIsStopped,
    NeedsFallback,
    NobodyInAudience,
    PlanIsRetired,
    PlanIsRunning,
    RunIsNot,
    TooManyMembers,
    UnknownPlan,
    UnknownRun,
    UnknownTemplate,
    UnknownVariable,
)
from liuke.engagement.models import (
    Contact,
    Decision,
    Message,
    OutreachPolicy,
    Plan,
    PlanVersion,
    Pressure,
    Run,
)
from liuke.events.models import Event
from liuke.people.models import Login, StaffAct
from tests.analytics import make as analytics
from tests.engagement import make

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(noon: dt.datetime, tmp_path: Path) -> Source:
    """m001 to m004, silent, and everybody agreed; nobody is held out, and the brake is open."""
    set_outreach_policy(by=None, holdout_permyriad=0, brake_permille=1000)
    return make.shop(tmp_path, 4)


def acts() -> list[str]:
    return list(StaffAct.objects.order_by("id").values_list("verb", flat=True))


def facts() -> list[str]:
    found = Event.objects.filter(name__startswith="engagement.").order_by("id")
    return list(found.values_list("name", flat=True))


# Making and editing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template", ["seven_days", "return_pack", "leaving_calls", "at_risk_calls"]
)
def test_a_plan_starts_from_a_template(shop: Source, template: str) -> None:
    (chosen,) = [each for each in queries.templates() if each.key == template]
    plan = make_plan(source=shop, name="Mine", template=template, by=None)
    version = queries.version_in_force(plan)
    assert (plan.state, plan.rhythm, version.number, version.template) == (
        "draft",
        "once",
        1,
        template,
    )
    assert version.audience == dict(chosen.audience)
    assert (version.channel, version.purpose) == (chosen.channel, "marketing")
    assert (version.subject, version.body) == (str(chosen.subject), str(chosen.body))
    assert (version.offer, version.offer_worth_fen) == (str(chosen.offer), chosen.offer_worth_fen)
    assert (version.window_days, version.again_after_days) == (30, 30)
    assert version.control_permyriad == 2000


def test_a_large_audience_leaves_out_a_tenth(noon: dt.datetime) -> None:
    source = make.crowd(5_000)
    said: dict[str, Any] = {"source": source, "template": "return_pack", "by": None}
    assert queries.version_in_force(make_plan(name="a", **said)).control_permyriad == 1000
    given = make_plan(name="b", control_permyriad=500, **said)
    assert queries.version_in_force(given).control_permyriad == 500


def test_an_edit_makes_the_next_version_and_versions_never_change(
    shop: Source, operator: Login
) -> None:
    plan = make.plan(shop)
    first = queries.version_in_force(plan)
    second = edit_plan(
        plan.reference, by=operator, name="Renamed", body="Other words", offer="50 off"
    )
    assert (second.number, second.body, second.offer) == (2, "Other words", "50 off")
    assert (first.audience, second.audience) == ({"stage": "silent"}, {"stage": "silent"})
    assert Plan.objects.get().name == "Renamed"
    assert edit_plan(plan.reference, by=operator, body="Other words") == second
    assert PlanVersion.objects.count() == 2
    act = StaffAct.objects.latest("id")
    assert (act.by, act.verb, act.about, act.detail) == (
        operator,
        "plan.edit",
        plan.reference,
        {"changed": ["body", "offer"]},
    )
    for change in (
        "UPDATE engagement_plan_version SET body = 'x'",
        "DELETE FROM engagement_plan_version",
    ):
        with (
            pytest.raises(IntegrityError, match="a_plan_version_is_never_changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)


def test_a_segment_brings_its_filter_and_another_audience_drops_it(shop: Source) -> None:
    segment = save_segment(
        source=shop, name="Quiet", filter={"stage": "silent", "orders_min": 2}, by=None
    )
    plan = make_plan(source=shop, name="p", segment=segment, body="b", by=None)
    version = queries.version_in_force(plan)
    assert (version.segment, version.audience) == (segment, {"stage": "silent", "orders_min": 2})
    assert edit_plan(plan.reference, by=None, body="c").segment == segment
    edited = edit_plan(plan.reference, by=None, audience={"stage": "churned"})
    assert (edited.segment, edited.audience) == (None, {"stage": "churned"})
    again = edit_plan(plan.reference, by=None, segment=segment)
    assert (again.segment, again.audience) == (segment, segment.filter)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"body": "Hi {naem}"}, UnknownVariable),
        ({"subject": "{last_item}"}, NeedsFallback),
        ({"body": "{offer}"}, NeedsFallback),
        ({"channel": "pigeon"}, BadPlan),
        ({"purpose": "fun"}, BadPlan),
        ({"control_permyriad": 9001}, BadPlan),
        ({"window_days": 0}, BadPlan),
        ({"window_days": "soon"}, BadPlan),
        ({"again_after_days": -1}, BadPlan),
        ({"offer_worth_fen": -1}, BadPlan),
        ({"cost_each_fen": 2**70}, BadPlan),
        ({"name": " "}, BadPlan),
        ({"body": "a\x00b"}, BadPlan),
        ({"colour": "red"}, BadPlan),
        ({"audience": {"shoe_size": 43}}, BadFilter),
        ({"audience": {"stage": "asleep"}}, BadFilter),
        ({"template": "nothing"}, UnknownTemplate),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_saved(
    shop: Source, fields: dict[str, Any], refused: type[Refusal]
) -> None:
    with pytest.raises(refused):
        make.plan(shop, **fields)
    assert (Plan.objects.count(), PlanVersion.objects.count()) == (0, 0)
    plan = make.plan(shop)
    if "template" not in fields:
        with pytest.raises(refused):
            edit_plan(plan.reference, by=None, **fields)
    assert queries.version_in_force(plan).number == 1
    assert acts()[-1] == "plan.make"


def test_a_retired_plan_is_kept_and_does_nothing(shop: Source) -> None:
    plan = make.plan(shop)
    run = make.run(plan)
    with pytest.raises(PlanIsRunning):
        retire_plan(plan.reference, by=None)
    stop_run(run.reference, by=None)
    retire_plan(plan.reference, by=None)
    for act in (
        lambda: start_run(plan.reference, by=None),
        lambda: edit_plan(plan.reference, by=None, body="x"),
        lambda: activate_daily(plan.reference, by=None),
    ):
        with pytest.raises(PlanIsRetired):
            act()
    assert queries.plans(shop) == []
    assert [row.run for row in queries.plans(shop, retired=True)] == [run]


def test_what_does_not_exist_is_not_found(db: None) -> None:
    with pytest.raises(UnknownPlan):
        start_run("NOSUCHPLAN", by=None)
    with pytest.raises(UnknownPlan):
        queries.plan_named("NOSUCHPLAN")
    with pytest.raises(UnknownRun):
        stop_run("NOSUCHRUN", by=None)
    with pytest.raises(UnknownRun):
        queries.run_named("NOSUCHRUN")


# Starting -----------------------------------------------------------------------------------------


def test_a_run_takes_everyone_in_the_audience_as_candidates(shop: Source, operator: Login) -> None:
    plan = make.plan(shop)
    run = start_run(plan.reference, by=operator)
    assert (run.state, run.candidates, run.planned_on, run.by) == (
        "running",
        4,
        clock.today(),
        operator,
    )
    assert set(make.said(run).values()) == {(0, "", "")}
    assert set(make.said(run)) == {"m001", "m002", "m003", "m004"}
    assert Plan.objects.get().state == "active"
    assert facts() == ["engagement.RunStarted"]
    assert acts()[-1] == "run.start"


def test_a_second_click_gets_the_same_run_and_the_day_has_only_one(shop: Source) -> None:
    plan = make.plan(shop)
    run = start_run(plan.reference, by=None)
    assert start_run(plan.reference, by=None) == run
    stop_run(run.reference, by=None)
    with pytest.raises(AlreadyRanToday):
        start_run(plan.reference, by=None)
    assert Run.objects.count() == 1


def test_nothing_starts_for_nobody(shop: Source) -> None:
    plan = make.plan(shop, audience={"stage": "churned"})
    with pytest.raises(NobodyInAudience):
        start_run(plan.reference, by=None)
    assert (Run.objects.count(), facts()) == (0, [])


def test_nothing_starts_before_anyone_was_asked(noon: dt.datetime, tmp_path: Path) -> None:
    set_outreach_policy(by=None, brake_permille=1000, holdout_permyriad=0)
    source = make.shop(tmp_path, 3, agreed=False)
    plan = make.plan(source)
    assert queries.preview(queries.version_in_force(plan)).is_consent_missing
    with pytest.raises(ConsentNotAsked):
        start_run(plan.reference, by=None)
    service = make.plan(source, name="Service", purpose="service")
    assert start_run(service.reference, by=None).candidates == 3
    make.say([make.member("m001")], True)
    run = start_run(plan.reference, by=None)
    make.decide()
    assert [reason for _, _, reason in make.said(run).values()] == ["", "no_consent", "no_consent"]


def test_the_brake_holds_a_plan_for_everyone_until_the_number_is_confirmed(
    noon: dt.datetime, tmp_path: Path
) -> None:
    source = make.shop(
        tmp_path, 9
    )  # ten members with the one who ordered today; the brake is at 30 %
    set_outreach_policy(by=None, holdout_permyriad=0)
    plan = make.plan(source, audience={}, cost_each_fen=5, offer_worth_fen=500, offer="5 off")
    preview = queries.preview(queries.version_in_force(plan))
    assert (preview.audience, preview.treated, preview.brake_members) == (10, 10, 3)
    assert (preview.messages_cost_fen, preview.offers_cost_fen) == (50, 5000)
    assert preview.is_above_brake
    for confirmed in (None, 9, 11):
        with pytest.raises(TooManyMembers) as told:
            start_run(plan.reference, by=None, confirmed=confirmed)
        assert told.value.params == {"treated": 10, "most": 3}
    assert Run.objects.count() == 0
    assert start_run(plan.reference, by=None, confirmed=10).candidates == 10


def test_nothing_starts_or_goes_on_while_everything_is_stopped(shop: Source) -> None:
    plan = make.plan(shop)
    stop_everything(by=None)
    with pytest.raises(EverythingIsStopped):
        start_run(plan.reference, by=None)
    resume_everything(by=None)
    run = start_run(plan.reference, by=None)
    pause_run(run.reference, by=None)
    stop_everything(by=None)
    with pytest.raises(EverythingIsStopped):
        resume_run(run.reference, by=None)
    assert Run.objects.get().state == "paused"
    assert acts()[-5:] == [
        "outreach.stop",
        "outreach.resume",
        "run.start",
        "run.pause",
        "outreach.stop",
    ]


def test_an_edit_does_not_touch_the_run_that_is_under_way(shop: Source) -> None:
    plan = make.plan(shop, body="first")
    run = make.run(plan)
    edit_plan(plan.reference, by=None, body="second", control_permyriad=9000)
    make.decide()
    assert set(Message.objects.values_list("body", flat=True)) == {"first"}
    assert Message.objects.count() == 4
    assert queries.run_named(run.reference).version.number == 1


# Holding and ending -------------------------------------------------------------------------------


def test_a_run_is_paused_and_resumed_once(shop: Source) -> None:
    run = make.run(make.plan(shop))
    with pytest.raises(RunIsNot):
        resume_run(run.reference, by=None)
    assert pause_run(run.reference, by=None).state == "paused"
    with pytest.raises(RunIsNot):
        pause_run(run.reference, by=None)
    assert resume_run(run.reference, by=None).state == "running"


def test_stopping_gives_everyone_left_a_reason_and_their_week_back(
    shop: Source, noon: dt.datetime
) -> None:
    run = make.run(make.plan(shop))
    from liuke.engagement.actions.decide import decide_due

    decide_due(limit=3)
    first, second, third = Message.objects.order_by("id")
    Message.objects.filter(pk=first.pk).update(state="sending", began_at=noon)
    Message.objects.filter(pk=second.pk).update(state="accepted", ended_at=noon)
    Decision.objects.filter(pk=second.decision_id).update(state=3, reason="accepted")

    stopped = stop_run(run.reference, by=None)
    assert (stopped.state, stopped.ended_at) == ("stopped", noon)
    assert sorted(make.said(run).values()) == [
        (2, "treated", ""),  # is being handed over: its own reason follows
        (3, "", "stopped"),
        (3, "treated", "accepted"),
        (3, "treated", "stopped"),
    ]
    third.refresh_from_db()
    assert (third.state, third.ended_at) == ("cancelled", noon)
    back = Contact.objects.get(pk=third.contact_id)
    assert back.given_back_at == noon
    assert Contact.objects.filter(given_back_at=None).count() == 2
    assert facts() == ["engagement.RunStarted", "engagement.RunFinished"]
    with pytest.raises(RunIsNot):
        stop_run(run.reference, by=None)

    other = make.run(make.plan(shop, name="Another"))
    make.decide()
    said = make.said(other)
    free = {back.person.external_id} | (
        set(said) - {m.member.external_id for m in Message.objects.exclude(decision__run=other)}
    )
    assert {name for name, word in said.items() if word == (2, "treated", "")} == free
    assert len(free) == 2


def test_a_run_is_finished_when_every_candidate_has_a_reason(shop: Source) -> None:
    run = make.run(make.plan(shop))
    assert finish_runs() == 0
    make.decide()
    assert finish_runs() == 0
    Decision.objects.update(state=3, reason="accepted")
    assert finish_runs() == 1
    assert finish_runs() == 0
    done = queries.run_named(run.reference)
    assert (done.state, done.ended_at) == ("finished", clock.now())
    assert facts() == ["engagement.RunStarted", "engagement.RunFinished"]


# Each day -----------------------------------------------------------------------------------------


def test_a_daily_plan_runs_once_a_day_after_the_sites_day_has_opened(
    shop: Source, noon: dt.datetime
) -> None:
    plan = make.plan(shop, again_after_days=0)
    activate_daily(plan.reference, by=None)
    assert Plan.objects.get().next_run_at == noon - dt.timedelta(hours=3)  # nine in Shanghai
    assert (run_due_plans(), run_due_plans()) == (1, 0)
    assert Plan.objects.get().next_run_at == noon + dt.timedelta(hours=21)
    with clock.stopped_at(noon + dt.timedelta(hours=20)):
        assert run_due_plans() == 0
    finish()
    with clock.stopped_at(noon + DAY):
        assert run_due_plans() == 1
        finish()
    with clock.stopped_at(noon + 5 * DAY):  # the worker slept: one run, not four
        assert (run_due_plans(), run_due_plans()) == (1, 0)
    assert list(Run.objects.order_by("id").values_list("planned_on", flat=True)) == [
        clock.today(),
        clock.today() + DAY,
        clock.today() + 5 * DAY,
    ]


def finish() -> None:
    Decision.objects.update(state=3, reason="erased")
    finish_runs()


def test_a_daily_plan_waits_for_its_own_open_run(shop: Source, noon: dt.datetime) -> None:
    plan = make.plan(shop)
    activate_daily(plan.reference, by=None)
    assert run_due_plans() == 1
    with clock.stopped_at(noon + DAY):
        assert run_due_plans() == 0
    assert Run.objects.count() == 1


def test_a_daily_plan_that_cannot_start_says_why_and_comes_again(
    shop: Source, noon: dt.datetime
) -> None:
    plan = make.plan(shop, audience={"stage": "churned"})
    activate_daily(plan.reference, by=None)
    assert run_due_plans() == 0
    act = StaffAct.objects.latest("id")
    assert (act.verb, act.about, act.detail) == (
        "plan.skip",
        plan.reference,
        {"why": "NobodyInAudience"},
    )
    assert Plan.objects.get().next_run_at == noon + dt.timedelta(hours=21)


def test_a_daily_plan_above_the_brake_is_opened_paused(shop: Source) -> None:
    set_outreach_policy(by=None, brake_permille=100)
    plan = make.plan(shop)
    activate_daily(plan.reference, by=None)
    assert run_due_plans() == 1
    run = Run.objects.get()
    assert (run.state, run.candidates, make.decide()) == ("paused", 4, 0)
    resume_run(run.reference, by=None)
    assert make.decide() == 4


def test_daily_plans_wait_while_everything_is_stopped_and_can_be_ended(shop: Source) -> None:
    plan = make.plan(shop)
    activate_daily(plan.reference, by=None)
    stop_everything(by=None)
    assert run_due_plans() == 0
    resume_everything(by=None)
    end_daily(plan.reference, by=None)
    assert run_due_plans() == 0
    assert Plan.objects.get().next_run_at is None


# What outreach may do -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"cap_hours": 167},
        {"cap_hours": 10_000},
        {"holdout_permyriad": 5001},
        {"allowed_from": dt.time(21), "allowed_until": dt.time(9)},
        {"brake_permille": 0},
        {"wait_hours_max": 0},
        {"send_within_hours": 161},
        {"zones_when_unknown": ["Mars/Base"]},
        {"zones_when_unknown": ["Asia/Shanghai", "America/New_York"]},
        {"colour": "red"},
        {"version": 1},
    ],
)
def test_a_policy_that_cannot_be_is_refused(shop: Source, fields: dict[str, Any]) -> None:
    before = queries.policy().version
    with pytest.raises(BadOutreachPolicy):
        set_outreach_policy(by=None, **fields)
    assert queries.policy().version == before
    assert acts()[-1] == "policy.outreach"  # the fixture's


def test_a_policy_is_a_new_version(shop: Source, operator: Login) -> None:
    before = OutreachPolicy.objects.count()
    policy = set_outreach_policy(by=operator, cap_hours=336, allowed_from=dt.time(10))
    assert queries.policy() == policy
    assert (policy.cap_hours, policy.allowed_from, policy.brake_permille) == (
        336,
        dt.time(10),
        1000,
    )
    assert OutreachPolicy.objects.count() == before + 1
    act = StaffAct.objects.latest("id")
    assert (act.by, act.detail) == (operator, {"cap_hours": "336", "allowed_from": "10:00:00"})


def test_a_longer_cap_counts_from_the_next_contact_on(shop: Source, noon: dt.datetime) -> None:
    make.run(make.plan(shop))
    make.decide()
    set_outreach_policy(by=None, cap_hours=336)
    second = make.run(make.plan(shop, name="Another"))
    make.decide()
    with clock.stopped_at(noon + dt.timedelta(hours=168)):
        make.decide()
    assert set(make.said(second).values()) == {(2, "treated", "")}
    assert set(Pressure.objects.values_list("taken_until", flat=True)) == {
        noon + dt.timedelta(hours=168 + 336)
    }


def test_an_order_in_between_takes_a_member_out_of_the_audience(
    shop: Source, tmp_path: Path
) -> None:
    from liuke.analytics.actions.evaluate import evaluate

    run = make.run(make.plan(shop))
    analytics.orders(tmp_path, f"m002,{clock.today()} 10:00:00,5.00,late,Card,1")
    evaluate(source=shop)
    make.decide()
    assert make.said(run)["m002"] == (3, "", "not_eligible")
    assert make.said(run)["m001"] == (2, "treated", "")
