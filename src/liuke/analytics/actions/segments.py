"""Give a filter a name, another name, or take it out of use."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from liuke.analytics import queries
from liuke.analytics.errors import BadSegmentName, SegmentNameTaken
from liuke.analytics.models import Segment, Source
from liuke.base import clock, ids
from liuke.people.actions import record_act
from liuke.people.models import Login

NAME_LETTERS = 80


def save_segment(*, source: Source, name: str, filter: dict[str, Any], by: Login | None) -> Segment:
    """Keep a filter under a name; who fits is asked anew each time.

    Raises:
        BadFilter: the filter is none.
        BadSegmentName: empty or too long.
        SegmentNameTaken: a segment of the source that is in use has this name.
    """
    name, kept = _read_name(name), queries.checked_filter(filter)
    segment = Segment(
        reference=ids.new_reference(),
        source=source,
        name=name,
        filter=kept,
        made_at=clock.now(),
        by=by,
    )
    with transaction.atomic():
        _store(segment, force_insert=True)
        record_act(by=by, verb="segment.save", about=segment.reference, name=name, filter=kept)
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


def retire_segment(*, reference: str, by: Login | None) -> None:
    """Take a segment out of use: lists no longer show it, its name is free, plans that name it keep their audience.

    Retiring it again changes nothing.

    Raises:
        UnknownSegment: none has this reference.
    """
    segment = queries.segment_named(reference)
    in_use = Segment.objects.filter(pk=segment.pk, retired_at=None)
    with transaction.atomic():
        if in_use.update(retired_at=clock.now()):
            record_act(by=by, verb="segment.retire", about=reference, name=segment.name)


def _read_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= NAME_LETTERS or "\x00" in name:
        raise BadSegmentName(letters=NAME_LETTERS)
    return name


def _store(segment: Segment, **how: Any) -> None:
    try:
        with transaction.atomic():
            segment.save(**how)
    except IntegrityError as refused:
        raise SegmentNameTaken(name=segment.name) from refused
