"""Carry a plan out: start a run, hold it, go on, end it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction

from liuke.analytics.actions.segment_members import bring_up_to_date
from liuke.base import clock, ids
from liuke.base.errors import Refusal
from liuke.base.jobs import enqueue
from liuke.engagement import gate, queries
from liuke.engagement.actions.claim import give_back
from liuke.engagement.actions.plans import locked, opening
from liuke.engagement.actions.weeks import hold_weeks
from liuke.engagement.errors import (
    AlreadyRanToday,
    ConsentNotAsked,
    EverythingIsStopped,
    NobodyInAudience,
    PlanIsRetired,
    RunIsNot,
    TooManyMembers,
    UnknownRun,
)
from liuke.engagement.events import RunFinished, RunStarted
from liuke.engagement.models import Plan, PlanVersion, Run
from liuke.events.actions import publish
from liuke.people.actions.acts import record_act
from liuke.people.models import Login

ANALYSE_FROM = 1_000

_CANDIDATES = """
INSERT INTO engagement_decision (run_id, member_id, person_id)
SELECT %(run)s, m.id, m.person_id FROM people_member m
WHERE m.id IN (SELECT member_id FROM ({audience}) fits)
ORDER BY m.id
"""
_STOP_DECISIONS = """
UPDATE engagement_decision SET state = 3, reason = 'stopped', decided_at = %(at)s
WHERE run_id = %(run)s AND state IN (0, 1)
"""
# A message that is being handed over keeps its state; what is still ours goes nowhere.
_STOP_MESSAGES = """
WITH cancelled AS (
    UPDATE engagement_message SET state = 'cancelled', ended_at = %(at)s
    WHERE state = 'queued'
      AND decision_id IN (SELECT id FROM engagement_decision WHERE run_id = %(run)s AND state = 2)
    RETURNING decision_id, contact_id
), ended AS (
    UPDATE engagement_decision SET state = 3, reason = 'stopped'
    WHERE id IN (SELECT decision_id FROM cancelled)
)
SELECT contact_id FROM cancelled WHERE contact_id IS NOT NULL
"""
_FINISH = """
UPDATE engagement_run r SET state = 'finished', ended_at = %(at)s
WHERE r.state = 'running'
  AND NOT EXISTS (SELECT 1 FROM engagement_decision d WHERE d.run_id = r.id AND d.state < 3)
RETURNING r.id, r.plan_id
"""


@transaction.atomic
def start_run(plan_reference: str, *, by: Login | None, confirmed: int | None = None) -> Run:
    """Take everyone in the plan's audience as candidates and let the gate decide about each. A second click gets
    the run that is open. Above the brake `confirmed` has to be the number of treated the preview tells.

    Raises:
        UnknownPlan, PlanIsRetired, EverythingIsStopped, AlreadyRanToday, NobodyInAudience, ConsentNotAsked: it cannot.
        TooManyMembers: more than the brake lets through, or the number has changed since it was confirmed.
    """
    plan = locked(plan_reference)
    open_run = Run.objects.filter(plan=plan, ended_at=None).first()
    if open_run is not None:
        return open_run
    version = _checked(plan)
    foreseen = queries.preview(version, samples=0)
    if foreseen.is_above_brake and confirmed != foreseen.treated:
        raise TooManyMembers(treated=foreseen.treated, most=foreseen.brake_members)
    run = _open(plan, version, by, state="running")
    enqueue("engagement.carry_out", once="engagement.carry_out")
    return run


def _checked(plan: Plan) -> PlanVersion:
    """What the plan says now, once nothing forbids to start it."""
    if queries.switch().is_stopped:
        raise EverythingIsStopped
    if Run.objects.filter(plan=plan, planned_on=clock.today()).exists():
        raise AlreadyRanToday
    version = queries.version_in_force(plan)
    bring_up_to_date(plan.source, version.audience)
    fits = gate.audience(version)
    if not fits.exists():
        raise NobodyInAudience
    if version.purpose == "marketing" and not gate.has_consent(version):
        raise ConsentNotAsked(source=plan.source.title)
    return version


def _open(plan: Plan, version: PlanVersion, by: Login | None, *, state: str) -> Run:
    run = Run.objects.create(
        reference=ids.new_reference(),
        plan=plan,
        version=version,
        state=state,
        planned_on=clock.today(),
        started_at=clock.now(),
        by=by,
    )
    sql, params = gate.named_sql(gate.audience(version).order_by().values("member_id"))
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES.format(audience=sql), {**params, "run": run.pk})
        run.candidates = cursor.rowcount
        if run.candidates >= ANALYSE_FROM:
            cursor.execute("ANALYZE engagement_decision")
    run.save(update_fields=["candidates"])
    if plan.state == "draft":
        plan.state = "active"
        plan.save(update_fields=["state"])
    publish(RunStarted(run_id=run.pk, plan_id=plan.pk, candidates=run.candidates))
    record_act(
        by=by, verb="run.start", about=plan.reference, run=run.reference, candidates=run.candidates
    )
    return run


@transaction.atomic
def pause_run(run_reference: str, *, by: Login | None) -> Run:
    """Decide and send nothing more of this run until it is resumed.

    Raises:
        UnknownRun, RunIsNot: it is not running.
    """
    return _move(run_reference, "running", "paused", by=by, verb="run.pause")


@transaction.atomic
def resume_run(run_reference: str, *, by: Login | None) -> Run:
    """Go on with a paused run.

    Raises:
        UnknownRun, RunIsNot: it is not paused.
        EverythingIsStopped: the kill switch is on.
    """
    if queries.switch().is_stopped:
        raise EverythingIsStopped
    run = _move(run_reference, "paused", "running", by=by, verb="run.resume")
    enqueue("engagement.carry_out", once="engagement.carry_out")
    return run


@transaction.atomic
def stop_run(run_reference: str, *, by: Login | None) -> Run:
    """End a run: who is undecided or waits gets the reason "stopped", what is queued is cancelled and its week given
    back, because nothing was sent. What is being handed over at this moment still gets its own reason.

    Raises:
        UnknownRun, RunIsNot: it has ended.
    """
    run = _held(run_reference)
    if run.ended_at is not None:
        raise RunIsNot
    run.state, run.ended_at = "stopped", clock.now()
    run.save(update_fields=["state", "ended_at"])
    told: dict[str, Any] = {"run": run.pk, "at": run.ended_at}
    with connection.cursor() as cursor:
        cursor.execute(_STOP_DECISIONS, told)
        cursor.execute(_STOP_MESSAGES, told)
        contacts = [contact for (contact,) in cursor.fetchall()]
    hold_weeks(contacts)
    give_back(contacts, run.ended_at)
    publish(RunFinished(run_id=run.pk, plan_id=run.plan_id, state="stopped"))
    record_act(by=by, verb="run.stop", about=run.plan.reference, run=run.reference)
    return run


@transaction.atomic
def hold_run(run_id: int, *, why: str) -> None:
    """Pause a run that cannot go on, and say why among the acts."""
    run = Run.objects.select_related("plan").get(pk=run_id)
    if Run.objects.filter(pk=run_id, state="running").update(state="paused"):
        record_act(by=None, verb="run.hold", about=run.plan.reference, run=run.reference, why=why)


def _move(run_reference: str, before: str, after: str, *, by: Login | None, verb: str) -> Run:
    run = _held(run_reference)
    if run.state != before:
        raise RunIsNot
    run.state = after
    run.save(update_fields=["state"])
    record_act(by=by, verb=verb, about=run.plan.reference, run=run.reference)
    return run


def _held(run_reference: str) -> Run:
    found = Run.objects.select_for_update(no_key=True, of=("self",)).select_related("plan")
    run = found.filter(reference=run_reference).first()
    if run is None:
        raise UnknownRun
    return run


@transaction.atomic
def finish_runs() -> int:
    """Close the running runs in which every candidate has a reason; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, {"at": clock.now()})
        finished = cursor.fetchall()
    for run_id, plan_id in finished:
        publish(RunFinished(run_id=run_id, plan_id=plan_id, state="finished"))
    return len(finished)


def run_due_plans() -> int:
    """Start the daily plans whose hour has come, each in a transaction of its own; how many started.

    A plan that cannot start today says why among the acts and comes again tomorrow. One that would reach more than the
    brake lets through is opened as paused: resuming it is the confirmation.
    """
    if queries.switch().is_stopped:
        return 0
    due = Plan.objects.filter(next_run_at__lte=clock.now()).order_by("next_run_at")
    return sum(_run_due(reference) for (reference,) in due.values_list("reference"))


@transaction.atomic
def _run_due(plan_reference: str) -> bool:
    try:
        plan = locked(plan_reference)
    except PlanIsRetired:
        return False
    if plan.next_run_at is None or plan.next_run_at > clock.now():
        return False  # another worker was here
    plan.next_run_at = opening(clock.today() + dt.timedelta(days=1))
    plan.save(update_fields=["next_run_at"])
    if Run.objects.filter(plan=plan, ended_at=None).exists():
        return False
    try:
        version = _checked(plan)
    except Refusal as refused:
        record_act(by=None, verb="plan.skip", about=plan.reference, why=refused.code)
        return False
    is_held = queries.preview(version, samples=0).is_above_brake
    _open(plan, version, None, state="paused" if is_held else "running")
    return True
