"""What outreach may do, and the switch that stops all of it."""

from __future__ import annotations

from typing import Any

from django.db import DataError, IntegrityError, transaction

from liuke.base import clock
from liuke.base.jobs import enqueue
from liuke.engagement import gate
from liuke.engagement.errors import BadOutreachPolicy, broken_rule
from liuke.engagement.hours import zone_or
from liuke.engagement.models import OutreachPolicy, Switch
from liuke.people.actions.acts import record_act
from liuke.people.models import Login


def set_outreach_policy(*, by: Login | None, **fields: Any) -> OutreachPolicy:
    """Put a new version in force: the present one with `fields` changed. Weeks already taken stay as long as they are.

    Raises:
        BadOutreachPolicy: an unknown field or zone, a cap below a week, or zones that leave no hour of the day.
    """
    current = OutreachPolicy.objects.latest("version")
    kept = {
        field.name: getattr(current, field.name)
        for field in OutreachPolicy._meta.concrete_fields
        if field.name not in ("version", "set_at")
    }
    if unknown := fields.keys() - kept.keys():
        raise BadOutreachPolicy(reason=", ".join(sorted(unknown)))
    policy = OutreachPolicy(**{**kept, **fields}, set_at=clock.now())
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
            _check_hours(policy)
            about = f"outreach policy {policy.version}"
            record_act(
                by=by, verb="policy.outreach", about=about, **{k: str(v) for k, v in fields.items()}
            )
    except (IntegrityError, DataError) as refused:
        raise BadOutreachPolicy(reason=broken_rule(refused)) from refused
    return policy


def _check_hours(policy: OutreachPolicy) -> None:
    for name in policy.zones_when_unknown:
        if not zone_or(name, ""):
            raise BadOutreachPolicy(reason=name)
    if gate.hours_for(policy, "").next_allowed(policy.set_at) is None:
        raise BadOutreachPolicy(reason=" ∩ ".join(policy.zones_when_unknown))


def stop_everything(*, by: Login | None) -> None:
    """The kill switch: from now on nothing is decided, claimed or sent. What a provider already holds goes out."""
    _switch(is_stopped=True, by=by, verb="outreach.stop")


def resume_everything(*, by: Login | None) -> None:
    """Switch outreach on again; what waits goes on where it was."""
    _switch(is_stopped=False, by=by, verb="outreach.resume")
    enqueue("engagement.carry_out", once="engagement.carry_out")


@transaction.atomic
def _switch(*, is_stopped: bool, by: Login | None, verb: str) -> None:
    found = Switch.objects.select_for_update(no_key=True).get(pk=1)
    if found.is_stopped != is_stopped:
        found.is_stopped, found.since, found.by = is_stopped, clock.now(), by
        found.save(update_fields=["is_stopped", "since", "by"])
        record_act(by=by, verb=verb)
