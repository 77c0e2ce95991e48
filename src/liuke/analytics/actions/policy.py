"""Change the thresholds and the named groups.

Each change of the thresholds is a new version, so that history keeps the rule it was made by. Every source is
evaluated again soon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from liuke.analytics import queries
from liuke.analytics.errors import BadPolicy, UncoveredMembers
from liuke.analytics.models import RetentionPolicy, RfmGroup
from liuke.analytics.rules import GROUP_BOUNDS
from liuke.base import clock
from liuke.base.jobs import enqueue
from liuke.people.actions import record_act
from liuke.people.models import Login
from liuke.science.errors import InvalidInput

_CHANGEABLE = {"name", "priority", "action", *GROUP_BOUNDS}
_ASIDE = 1_000_000


def set_policy(*, by: Login | None = None, **thresholds: int) -> RetentionPolicy:
    """Put a new version in force: the present one with `thresholds` changed. The present one when nothing differs.

    Raises:
        BadPolicy: an unknown name, or thresholds that contradict each other.
    """
    current = queries.policy()
    kept = {
        field.name: getattr(current, field.name)
        for field in RetentionPolicy._meta.concrete_fields
        if field.name not in ("version", "set_at")
    }
    _refuse_unknown(thresholds.keys() - kept.keys())
    changed = {name: new for name, new in thresholds.items() if new != kept[name]}
    if not changed:
        return current
    try:
        with transaction.atomic():
            fresh = RetentionPolicy(**{**kept, **changed}, set_at=clock.now())
            fresh.clean_fields(exclude=["version"])
            fresh.save(force_insert=True)
            record_act(by=by, verb="policy.set", about=f"policy {fresh.version}", **changed)
            _evaluate_soon()
    except (IntegrityError, ValidationError) as refused:
        raise BadPolicy(reason=_why(refused)) from refused
    return fresh


def set_group(*, key: str, by: Login | None = None, **changes: Any) -> RfmGroup:
    """Change one named group's bounds, name, priority or action.

    Raises:
        BadPolicy: as for `set_groups`.
    """
    set_groups(changes={key: changes}, by=by)
    return RfmGroup.objects.get(key=key)


def set_groups(*, changes: Mapping[str, Mapping[str, Any]], by: Login | None = None) -> list[str]:
    """Change several named groups at once (their order, and bounds that meet); the keys of those that now differ.

    Raises:
        BadPolicy: no such group, a value it cannot have, or a priority that is taken.
        UncoveredMembers: some member would be left without a group.
    """
    _refuse_unknown({name for given in changes.values() for name in given} - _CHANGEABLE)
    try:
        with transaction.atomic():
            groups = RfmGroup.objects.select_for_update().in_bulk(list(changes))
            _refuse_unknown(changes.keys() - groups.keys())
            different = {
                key: fresh
                for key, given in changes.items()
                if (fresh := {n: v for n, v in given.items() if v != getattr(groups[key], n)})
            }
            _make_room(key for key, fresh in different.items() if "priority" in fresh)
            for key, fresh in different.items():
                _change(groups[key], fresh, by)
            if different:
                _check_coverage()
                _evaluate_soon()
    except (IntegrityError, ValidationError) as refused:
        raise BadPolicy(reason=_why(refused)) from refused
    return list(different)


def _make_room(keys: Iterable[str]) -> None:
    """Priorities are unique at every moment: those about to trade places step aside first."""
    RfmGroup.objects.filter(key__in=list(keys)).update(priority=F("priority") + _ASIDE)


def _change(group: RfmGroup, fresh: Mapping[str, Any], by: Login | None) -> None:
    for name, value in fresh.items():
        setattr(group, name, value)
    open_ends = [name for name in GROUP_BOUNDS if getattr(group, name) is None]
    group.clean_fields(exclude=open_ends)
    group.save(update_fields=list(fresh))
    record_act(by=by, verb="group.set", about=group.key, **fresh)


def _refuse_unknown(names: set[str]) -> None:
    if names:
        raise BadPolicy(reason=", ".join(sorted(names)))


def _check_coverage() -> None:
    """The arithmetic is loaded here, when it is needed: the web process does without it."""
    group_rule = import_module("liuke.analytics.assessment").group_rule
    coverage = import_module("liuke.science.groups").coverage
    try:
        found = coverage([group_rule(group) for group in queries.groups()])
    except InvalidInput as refused:
        raise BadPolicy(reason=str(refused)) from refused
    if found.gap is not None:
        raise UncoveredMembers(**found.gap)


def _evaluate_soon() -> None:
    for source in queries.sources():
        enqueue("analytics.evaluate", once=f"analytics.evaluate:{source.pk}", source_id=source.pk)


def _why(refused: IntegrityError | ValidationError) -> str:
    if isinstance(refused, ValidationError):
        return "; ".join(f"{name}: {' '.join(said)}" for name, said in refused.message_dict.items())
    name = getattr(getattr(refused.__cause__, "diag", None), "constraint_name", None)
    return str(name or "").replace("_", " ")
