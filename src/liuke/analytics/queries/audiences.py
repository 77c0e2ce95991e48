"""Whom does a filter mean? Filters that may be saved, and the saved ones: segments."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet

from liuke.analytics.errors import BadFilter, UnknownSegment
from liuke.analytics.models import RfmGroup, Segment, Source, Standing
from liuke.analytics.queries.lists import fits, standings
from liuke.analytics.rules import read_filter

Filter = dict[str, Any]


def checked_filter(given: Filter) -> Filter:
    """A filter as it is kept: only the keys that narrow something. Empty means everyone with an order.

    Raises:
        BadFilter: an unknown key, a value it cannot have, or two bounds that nobody can fit between.
    """
    kept = read_filter(given)
    group = kept.get("group")
    if group and not RfmGroup.objects.filter(key=group).exists():
        raise BadFilter(key="group", value=group)
    return kept


def audience(source: Source, filter: Filter) -> QuerySet[Standing]:
    """The members of a source who fit a filter now, most money first.

    Raises:
        BadFilter: as `checked_filter`.
    """
    return standings(source, **checked_filter(filter))


def segments(source: Source) -> list[Segment]:
    """The segments of a source that are in use, by name."""
    return list(Segment.objects.filter(source=source, retired_at=None).order_by("name"))


def segment_named(reference: str) -> Segment:
    """The segment of that reference, retired or not.

    Raises:
        UnknownSegment: none has it.
    """
    found = Segment.objects.filter(reference=reference).select_related("source").first()
    if found is None:
        raise UnknownSegment
    return found


def segment_size(segment: Segment) -> int:
    """How many members fit at this moment."""
    return audience(segment.source, segment.filter).count()


def segment_sizes(source: Source) -> dict[str, int]:
    """How many members fit each segment in use at this moment, by reference; one look at the standings for all."""
    found = {
        segment.reference: Count("pk", filter=fits(**read_filter(segment.filter)))
        for segment in segments(source)
    }
    return Standing.objects.filter(source=source).aggregate(**found) if found else {}
