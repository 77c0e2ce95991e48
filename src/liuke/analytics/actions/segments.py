"""Give a rule a name, another name or another rule, or take it out of use; see that a source has the shipped ones."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from liuke.analytics import queries
from liuke.analytics.actions.segment_members import fill, forget, take_turns
from liuke.analytics.errors import (
    BadFilter,
    BadSegmentName,
    SegmentInUse,
    SegmentNameTaken,
)
from liuke.analytics.models import Segment, SegmentMove, Source
from liuke.analytics.segments import grammar
from liuke.analytics.segments.nesting import Circle, levels
from liuke.analytics.segments.presets import ACTIONS, SHIPPED
from liuke.base import clock, ids
from liuke.people.actions import record_act
from liuke.people.models import Login

NAME_LETTERS = 80


@transaction.atomic
def save_segment(
    *, source: Source, name: str, filter: dict[str, Any], by: Login | None, action: str = ""
) -> Segment:
    """Keep a flat filter or a rule under a name, and see who is in. `action` is what to do for them.

    Raises:
        BadFilter: the filter is none.
        BadSegmentName: empty or too long.
        SegmentNameTaken: a segment of the source that is in use has this name.
    """
    name = _read_name(name)
    take_turns(source)
    rule = _read_rule(source, filter)
    segment = Segment(
        reference=ids.new_reference(),
        source=source,
        name=name,
        rule=rule,
        reads=_reads(rule),
        action=_read_action(action),
        made_at=clock.now(),
        by=by,
    )
    _check_circles(segment)
    _store(segment, force_insert=True)
    fill(segment)
    record_act(
        by=by, verb="segment.save", about=segment.reference, name=name, filter=segment.filter
    )
    return segment


@transaction.atomic
def change_segment(
    *, reference: str, filter: dict[str, Any], by: Login | None, action: str | None = None
) -> Segment:
    """Give a segment another rule: who is in is counted from the start. Plans made from it keep their audience.

    Raises:
        UnknownSegment: none has this reference.
        BadFilter: the filter is none, or names, in the end, the segment itself.
    """
    segment = queries.segment_named(reference)
    take_turns(segment.source)
    segment.refresh_from_db(fields=["rule", "action"])
    before = (segment.rule, segment.action)
    segment.rule = _read_rule(segment.source, filter)
    segment.action = segment.action if action is None else _read_action(action)
    if (segment.rule, segment.action) == before:
        return segment
    _check_circles(segment)
    segment.reads = _reads(segment.rule)
    segment.save(update_fields=["rule", "reads", "action"])
    if segment.rule != before[0]:
        SegmentMove.objects.filter(segment=segment).delete()
        fill(segment)
    record_act(by=by, verb="segment.change", about=reference, filter=segment.filter)
    return segment


def rename_segment(*, reference: str, name: str, by: Login | None) -> Segment:
    """Give a segment another name; plans that use it do not notice.

    Raises:
        UnknownSegment: none has this reference.
        BadSegmentName: empty or too long.
        SegmentNameTaken: another segment in use has this name.
    """
    segment = queries.segment_named(reference)
    before, segment.name = segment.name, _read_name(name)
    if segment.name != before:
        with transaction.atomic():
            _store(segment, update_fields=["name"])
            record_act(
                by=by, verb="segment.rename", about=reference, before=before, name=segment.name
            )
    return segment


@transaction.atomic
def retire_segment(*, reference: str, by: Login | None) -> None:
    """Take a segment out of use: lists no longer show it, its name is free, plans that name it keep their audience.

    Retiring it again changes nothing.

    Raises:
        UnknownSegment: none has this reference.
        SegmentInUse: the rule of another segment in use names it.
    """
    segment = queries.segment_named(reference)
    take_turns(segment.source)
    for other in queries.segments(segment.source):
        if reference in grammar.nested(grammar.read(other.rule)):
            raise SegmentInUse(name=other.name or other.shipped)
    in_use = Segment.objects.filter(pk=segment.pk, retired_at=None)
    if in_use.update(retired_at=clock.now(), members=0, filled_at=None):
        forget(segment)
        record_act(by=by, verb="segment.retire", about=reference, name=segment.name)


def ship_segments(source: Source) -> None:
    """See that a source has had the segments it starts with; what the operator made of them stays as it is."""
    if Segment.objects.filter(source=source).exclude(shipped="").exists():
        return
    Segment.objects.bulk_create(
        Segment(
            reference=ids.new_reference(),
            source=source,
            rule=grammar.write(each.rule),
            reads=sorted(grammar.reads(each.rule)),
            action=each.action,
            shipped=each.key,
            made_at=clock.now(),
        )
        for each in SHIPPED
    )


def _read_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= NAME_LETTERS or "\x00" in name:
        raise BadSegmentName(letters=NAME_LETTERS)
    return name


def _read_action(key: str) -> str:
    if key and key not in ACTIONS:
        raise BadFilter(key="action", value=key)
    return key


def _read_rule(source: Source, filter: dict[str, Any]) -> dict[str, Any]:
    node = queries.rule_of(filter, source=source)
    retired = Segment.objects.filter(reference__in=grammar.nested(node), retired_at__isnull=False)
    for reference in retired.values_list("reference", flat=True):
        raise BadFilter(key="segment", value=reference)
    return grammar.write(node)


def _reads(rule: dict[str, Any]) -> list[str]:
    return sorted(grammar.reads(grammar.read(rule)))


def _check_circles(segment: Segment) -> None:
    named = queries.named_by(segment.source)
    named[segment.reference] = grammar.nested(grammar.read(segment.rule))
    try:
        levels(named)
    except Circle as circle:
        raise BadFilter(key="segment", value=circle.segment) from circle


def _store(segment: Segment, **how: Any) -> None:
    try:
        with transaction.atomic():
            segment.save(**how)
    except IntegrityError as refused:
        raise SegmentNameTaken(name=segment.name) from refused
