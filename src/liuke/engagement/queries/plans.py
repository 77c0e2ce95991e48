"""Plans, their runs, and what outreach may do."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef

from liuke.analytics.models import Source
from liuke.base import clock
from liuke.engagement import templates as shipped
from liuke.engagement import texts
from liuke.engagement.errors import UnknownPlan, UnknownRun
from liuke.engagement.models import (
    Decision,
    Message,
    OutreachPolicy,
    Plan,
    PlanVersion,
    Run,
    Switch,
)
from liuke.engagement.rules import DONE, NEW, REASONS, WAITING
from liuke.engagement.templates import PlanTemplate
from liuke.engagement.texts import Variable


@dataclass(frozen=True)
class PlanRow:
    """A plan as lists show it: what is in force, and its last run."""

    plan: Plan
    version: PlanVersion
    run: Run | None


@dataclass(frozen=True)
class Progress:
    """How far a run is: its candidates by state (new, waiting, claimed, done), by arm and by reason."""

    candidates: int
    new: int
    waiting: int
    claimed: int
    done: int
    by_reason: dict[str, int]
    waiting_for: dict[str, int]
    by_arm: dict[str, int]
    next_due_at: dt.datetime | None

    @property
    def done_share(self) -> float:
        """0 to 1; a run without candidates is done."""
        return self.done / self.candidates if self.candidates else 1.0


def policy() -> OutreachPolicy:
    """What outreach may do, in force."""
    return OutreachPolicy.objects.latest("version")


def switch() -> Switch:
    """The kill switch."""
    return Switch.objects.get(pk=1)


def templates() -> list[PlanTemplate]:
    """What a new plan can start from."""
    return shipped.templates()


def variables() -> list[Variable]:
    """What a text may name in braces."""
    return list(texts.VARIABLES.values())


def plans(source: Source, *, retired: bool = False) -> list[PlanRow]:
    """The plans of a source, newest first; retired ones only when asked for."""
    found = Plan.objects.filter(source=source).select_related("source").order_by("-id")
    chosen = list(found if retired else found.exclude(state="retired"))
    versions = {
        version.plan_id: version
        for version in PlanVersion.objects.filter(plan__in=chosen).order_by("number")
    }
    last = {run.plan_id: run for run in Run.objects.filter(plan__in=chosen).order_by("id")}
    return [PlanRow(plan, versions[plan.pk], last.get(plan.pk)) for plan in chosen]


def plan_named(reference: str) -> Plan:
    """The plan of that reference.

    Raises:
        UnknownPlan: there is none.
    """
    plan = Plan.objects.select_related("source").filter(reference=reference).first()
    if plan is None:
        raise UnknownPlan
    return plan


def version_in_force(plan: Plan) -> PlanVersion:
    """What the plan says now; its next run keeps it."""
    return plan.versions.select_related("plan__source", "segment").latest("number")


def is_ruled(version: PlanVersion) -> bool:
    """Whether the audience is a rule that no flat filter can say."""
    return "rule" in version.audience


def run_named(reference: str) -> Run:
    """The run of that reference, with its plan and version.

    Raises:
        UnknownRun: there is none.
    """
    found = Run.objects.select_related("plan__source", "version__plan__source", "version__segment")
    run = found.filter(reference=reference).first()
    if run is None:
        raise UnknownRun
    return run


def runs(plan: Plan) -> list[Run]:
    """A plan's runs, newest first."""
    return list(plan.runs.select_related("version").order_by("-id"))


def due_runs() -> list[int]:
    """The runs with a candidate to decide about at this moment, oldest first."""
    candidates = Decision.objects.filter(run=OuterRef("pk"))
    due = candidates.filter(state=WAITING, due_at__lte=clock.now())
    found = Run.objects.filter(Exists(candidates.filter(state=NEW)) | Exists(due), state="running")
    return list(found.order_by("id").values_list("id", flat=True))


def has_work() -> bool:
    """Whether anything can be decided or sent at this moment: cheap, asked each minute."""
    if switch().is_stopped:
        return False
    queued = Message.objects.filter(state="queued", due_at__lte=clock.now())
    return bool(due_runs()) or queued.exists()


def progress(run: Run) -> Progress:
    """How far a run is."""
    counted = Decision.objects.filter(run=run).values_list("state", "arm", "reason")
    by_state, by_arm = [0, 0, 0, 0], {"treated": 0, "control": 0}
    by_reason: dict[str, int] = dict.fromkeys(REASONS, 0)
    waiting_for: dict[str, int] = {}
    for state, arm, reason, count in counted.annotate(count=Count("id")).order_by():
        by_state[state] += count
        if arm:
            by_arm[arm] += count
        if state == DONE:
            by_reason[reason] += count
        elif reason:
            waiting_for[reason] = waiting_for.get(reason, 0) + count
    due = Decision.objects.filter(run=run, state=WAITING).order_by("due_at").values_list("due_at")
    new, waiting, claimed, done = by_state
    return Progress(
        candidates=sum(by_state),
        new=new,
        waiting=waiting,
        claimed=claimed,
        done=done,
        by_reason={reason: count for reason, count in by_reason.items() if count},
        waiting_for=waiting_for,
        by_arm=by_arm,
        next_due_at=next((at for (at,) in due[:1]), None),
    )
