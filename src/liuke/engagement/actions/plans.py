"""Make a plan, edit it, let it run each day, put it away."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import DataError, IntegrityError, transaction

from liuke.analytics import queries as analytics
from liuke.analytics.models import Segment, Source
from liuke.base import clock, ids
from liuke.engagement import queries, texts
from liuke.engagement.errors import (
    BadPlan,
    PlanIsRetired,
    PlanIsRunning,
    UnknownPlan,
    broken_rule,
)
from liuke.engagement.models import Plan, PlanVersion, Run
from liuke.engagement.rules import control_share
from liuke.engagement.templates import PlanTemplate
from liuke.engagement.templates import template as template_of
from liuke.people.actions.acts import record_act
from liuke.people.models import Login

# What a version says; audience and segment come besides.
FIELDS = {
    "purpose": "marketing",
    "channel": "inbox",
    "subject": "",
    "body": "",
    "offer": "",
    "offer_worth_fen": 0,
    "cost_each_fen": 0,
    "control_permyriad": None,
    "window_days": 30,
    "again_after_days": 30,
}


@transaction.atomic
def make_plan(
    *,
    source: Source,
    name: str,
    template: str | None = None,
    audience: dict[str, Any] | None = None,
    segment: Segment | None = None,
    by: Login | None,
    **fields: Any,
) -> Plan:
    """Open a plan with its first version: what the template says, with `fields` changed.

    `audience` is a filter as `analytics.queries.audience` takes it; a segment brings its own. Without a control
    share a fifth of a small audience and a tenth of a large one is left out to compare with.

    Raises:
        UnknownTemplate, BadFilter, BadText, BadPlan: what cannot be.
    """
    now = clock.now()
    start = _of_template(template_of(template)) if template else dict(FIELDS, audience={})
    plan = Plan.objects.create(
        reference=ids.new_reference(),
        source=source,
        name=_name(name),
        state="draft",
        rhythm="once",
        made_at=now,
        by=by,
    )
    start["template"], start["segment"] = template or "", segment
    if audience is not None or segment is not None:
        start["audience"] = segment.filter if segment else audience
    _add_version(plan, 1, {**start, **_known(fields)}, by)
    record_act(by=by, verb="plan.make", about=plan.reference, name=plan.name)
    return plan


@transaction.atomic
def edit_plan(plan_reference: str, *, by: Login | None, **fields: Any) -> PlanVersion:
    """Change what a plan says: the next version, unless nothing changed. An open run keeps its own.

    Raises:
        UnknownPlan, PlanIsRetired, BadFilter, BadText, BadPlan: what cannot be.
    """
    plan = locked(plan_reference)
    if "name" in fields:
        plan.name = _name(fields.pop("name"))
        plan.save(update_fields=["name"])
    before = queries.version_in_force(plan)
    said = {key: getattr(before, key) for key in (*FIELDS, "audience", "segment", "template")}
    if fields.get("segment") is not None:
        fields["audience"] = fields["segment"].filter
    elif "audience" in fields and fields["audience"] != before.audience:
        fields["segment"] = None
    after = {**said, **_known(fields, "audience", "segment")}
    if after == said:
        return before
    version = _add_version(plan, before.number + 1, after, by)
    changed = sorted(key for key in after if after[key] != said[key])
    record_act(by=by, verb="plan.edit", about=plan.reference, changed=changed)
    return version


@transaction.atomic
def retire_plan(plan_reference: str, *, by: Login | None) -> None:
    """Put a plan away for good; what it did stays.

    Raises:
        UnknownPlan, PlanIsRetired, PlanIsRunning: it has an open run.
    """
    plan = locked(plan_reference)
    if Run.objects.filter(plan=plan, ended_at=None).exists():
        raise PlanIsRunning
    plan.state, plan.rhythm, plan.next_run_at = "retired", "once", None
    plan.save(update_fields=["state", "rhythm", "next_run_at"])
    record_act(by=by, verb="plan.retire", about=plan.reference)


@transaction.atomic
def activate_daily(plan_reference: str, *, by: Login | None) -> Plan:
    """Let a plan run by itself: today as soon as the site's day is open, then each day at that hour.

    Raises:
        UnknownPlan, PlanIsRetired: it cannot.
    """
    plan = locked(plan_reference)
    plan.state, plan.rhythm = "active", "daily"
    ran_today = Run.objects.filter(plan=plan, planned_on=clock.today()).exists()
    plan.next_run_at = opening(clock.today() + dt.timedelta(days=1 if ran_today else 0))
    plan.save(update_fields=["state", "rhythm", "next_run_at"])
    record_act(by=by, verb="plan.daily", about=plan.reference)
    return plan


@transaction.atomic
def end_daily(plan_reference: str, *, by: Login | None) -> Plan:
    """Let a plan run only by hand again.

    Raises:
        UnknownPlan, PlanIsRetired: it cannot.
    """
    plan = locked(plan_reference)
    plan.rhythm, plan.next_run_at = "once", None
    plan.save(update_fields=["rhythm", "next_run_at"])
    record_act(by=by, verb="plan.by_hand", about=plan.reference)
    return plan


def opening(on: dt.date) -> dt.datetime:
    """When the site's day opens for outreach."""
    clock_time = queries.policy().allowed_from
    return dt.datetime.combine(on, clock_time, clock.site_zone()).astimezone(dt.UTC)


def locked(plan_reference: str) -> Plan:
    """The plan, held until the transaction ends, so that two changes of it take turns."""
    found = Plan.objects.select_for_update(no_key=True, of=("self",)).select_related("source")
    plan = found.filter(reference=plan_reference).first()
    if plan is None:
        raise UnknownPlan
    if plan.state == "retired":
        raise PlanIsRetired
    return plan


def _of_template(chosen: PlanTemplate) -> dict[str, Any]:
    said = {key: getattr(chosen, key, default) for key, default in FIELDS.items()}
    texts_now = {key: str(said[key]) for key in ("subject", "body", "offer")}
    return {**said, **texts_now, "audience": dict(chosen.audience)}


def _known(fields: dict[str, Any], *more: str) -> dict[str, Any]:
    if unknown := fields.keys() - FIELDS.keys() - set(more):
        raise BadPlan(reason=", ".join(sorted(unknown)))
    return fields


def _name(name: str) -> str:
    if not name.strip():
        raise BadPlan(reason="name")
    return name.strip()[:120]


def _add_version(plan: Plan, number: int, said: dict[str, Any], by: Login | None) -> PlanVersion:
    texts.check_message(
        channel=said["channel"], subject=said["subject"], body=said["body"], offer=said["offer"]
    )
    fits = analytics.audience(plan.source, said["audience"])
    if said["control_permyriad"] is None:
        said["control_permyriad"] = control_share(fits.count())
    version = PlanVersion(plan=plan, number=number, made_at=clock.now(), by=by, **said)
    try:
        with transaction.atomic():
            version.save(force_insert=True)
    except (IntegrityError, DataError, ValueError) as refused:
        raise BadPlan(reason=broken_rule(refused)) from refused
    return version
