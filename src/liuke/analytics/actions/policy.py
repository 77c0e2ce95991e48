"""Change the thresholds: a new version each time, so that history keeps the rule it was made by."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from liuke.analytics import queries
from liuke.analytics.assessment import group_rule
from liuke.analytics.errors import BadPolicy
from liuke.analytics.models import RetentionPolicy, RfmGroup
from liuke.base import clock
from liuke.science.errors import InvalidInput
from liuke.science.groups import coverage


def set_policy(**thresholds: int) -> RetentionPolicy:
    """Put a new version in force: the present one with `thresholds` changed.

    Raises:
        BadPolicy: an unknown name, or thresholds that contradict each other.
    """
    current = RetentionPolicy.objects.latest("version")
    kept = {
        field.name: getattr(current, field.name)
        for field in RetentionPolicy._meta.concrete_fields
        if field.name not in ("version", "set_at")
    }
    unknown = thresholds.keys() - kept.keys()
    if unknown:
        raise BadPolicy(reason=", ".join(sorted(unknown)))
    return _create(**{**kept, **thresholds})


def _create(**thresholds: int) -> RetentionPolicy:
    try:
        with transaction.atomic():
            return RetentionPolicy.objects.create(**thresholds, set_at=clock.now())
    except IntegrityError as refused:
        raise BadPolicy(reason=_constraint(refused)) from refused


def set_group(*, key: str, **changes: Any) -> RfmGroup:
    """Change one named group's bounds, name, priority or action.

    Raises:
        BadPolicy: no such group, its priority is taken, or some member would be left without a group.
    """
    try:
        with transaction.atomic():
            if not RfmGroup.objects.filter(key=key).update(**changes):
                raise BadPolicy(reason=key)
            _check_coverage()
    except IntegrityError as refused:
        raise BadPolicy(reason=_constraint(refused)) from refused
    return RfmGroup.objects.get(key=key)


def _check_coverage() -> None:
    try:
        found = coverage([group_rule(group) for group in queries.groups()])
    except InvalidInput as refused:
        raise BadPolicy(reason=str(refused)) from refused
    if found.gap is not None:
        raise BadPolicy(reason=", ".join(f"{name}={value}" for name, value in found.gap.items()))


def _constraint(refused: IntegrityError) -> str:
    cause = refused.__cause__
    name = getattr(getattr(cause, "diag", None), "constraint_name", None)
    return str(name or "").replace("_", " ")
