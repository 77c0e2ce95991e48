"""What was decided about whom, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from liuke.engagement.models import Decision, Run
from liuke.engagement.rules import DONE
from liuke.people.models import Member


@dataclass(frozen=True)
class DecisionRow:
    """One decision: of which plan, about whom, and its reason. `arm` is for staff, never for the member."""

    plan: str
    plan_reference: str
    run_reference: str
    planned_on: dt.date
    member_reference: str
    member_name: str
    channel: str
    purpose: str
    state: int
    arm: str
    reason: str
    decided_at: dt.datetime | None
    due_at: dt.datetime | None
    expires_at: dt.datetime | None

    @property
    def is_done(self) -> bool:
        """Whether the reason is the last word; until then it says what is waited for."""
        return self.state == DONE


@dataclass(frozen=True)
class DecisionPage:
    """One page of a run's decisions."""

    rows: list[DecisionRow]
    total: int
    page: int
    pages: int


def decisions(
    run: Run, reason: str | None = None, *, page: int = 1, per_page: int = 50
) -> DecisionPage:
    """A run's decisions, all or those with a reason; a page past the end is the last one."""
    found = Decision.objects.filter(run=run)
    if reason is not None:
        found = found.filter(reason=reason)
    total = found.count()
    pages = max(1, -(-total // per_page))
    page = min(max(page, 1), pages)
    start = (page - 1) * per_page
    chosen = found.select_related("member", "run__plan", "run__version").order_by("id")
    rows = [_row(decision) for decision in chosen[start : start + per_page]]
    return DecisionPage(rows, total, page, pages)


def decisions_about(member: Member, *, limit: int = 200) -> list[DecisionRow]:
    """Everything that was decided about a member, newest first."""
    found = Decision.objects.filter(member=member).order_by("-id")
    chosen = found.select_related("member", "run__plan", "run__version")
    return [_row(decision) for decision in chosen[:limit]]


def _row(decision: Decision) -> DecisionRow:
    run = decision.run
    return DecisionRow(
        plan=run.plan.name,
        plan_reference=run.plan.reference,
        run_reference=run.reference,
        planned_on=run.planned_on,
        member_reference=decision.member.reference,
        member_name=decision.member.name,
        channel=run.version.channel,
        purpose=run.version.purpose,
        state=decision.state,
        arm=decision.arm,
        reason=decision.reason,
        decided_at=decision.decided_at,
        due_at=decision.due_at,
        expires_at=decision.expires_at,
    )
