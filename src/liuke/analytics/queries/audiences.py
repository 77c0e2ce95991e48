"""Whom does a filter or a rule mean? Audiences, and the saved ones: segments."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL

from liuke.analytics.errors import BadFilter, UnknownSegment
from liuke.analytics.models import (
    Evaluation,
    MemberSegments,
    RfmGroup,
    Segment,
    SegmentMove,
    Source,
    Standing,
)
from liuke.analytics.queries.lists import standings
from liuke.analytics.rules import read_filter
from liuke.analytics.segments import grammar, sql
from liuke.analytics.segments.flat import flat_part, from_flat, to_flat
from liuke.analytics.segments.grammar import BadRule, Node
from liuke.analytics.segments.nesting import all_below
from liuke.base import clock
from liuke.people.rules import SITE_SOURCE

Filter = dict[str, Any]


@dataclass(frozen=True)
class Growth:
    """How many entered a segment and left it, in the last week and month, while its rule stayed the same."""

    entered_7: int
    left_7: int
    entered_30: int
    left_30: int


def checked_filter(given: Filter, *, source: Source | None = None) -> Filter:
    """A flat filter or a rule as it is kept, flat where that can be said; {} is everyone with an order.

    Raises:
        BadFilter: what `rule_of` refuses.
    """
    node = rule_of(given, source=source)
    found = to_flat(node)
    return grammar.write(node) if found is None else read_filter(found)


def rule_of(given: Filter, *, source: Source | None = None) -> Node:
    """A flat filter or a rule as a tree whose groups and segments exist.

    Raises:
        BadFilter: an unknown key, a value it cannot have, or two bounds that nobody can fit between; of a rule, the
            place in it.
    """
    if grammar.is_rule(given):
        try:
            node = grammar.read(given)
        except BadRule as bad:
            raise BadFilter(key=bad.place, value=bad.value) from bad
    else:
        node = from_flat(read_filter(given))
    _check_groups(node)
    named = grammar.nested(node)
    known = Segment.objects.filter(reference__in=named)
    if source is not None:
        known = known.filter(source=source)
    for missing in sorted(named - set(known.values_list("reference", flat=True))):
        raise BadFilter(key="segment", value=missing)
    return node


def audience(source: Source, filter: Filter, *, for_some: bool = False) -> QuerySet[Standing]:
    """The members of a source who fit a flat filter or a rule now, most money first.

    Of segments that it names, the stored membership counts. `for_some`: the caller narrows it to a few members.

    Raises:
        BadFilter: as `rule_of`.
    """
    node = rule_of(filter, source=source)
    found = to_flat(node)
    if found is not None:
        return standings(source, **found)
    inside = sql.members(node, frame_of(source, for_all=not for_some))
    return standings(source).filter(pk__in=RawSQL(inside, ()))


def audience_size(source: Source, filter: Filter) -> int:
    """How many members an `audience` has.

    Raises:
        BadFilter: as `rule_of`.
    """
    node = rule_of(filter, source=source)
    found = to_flat(node)
    if found is not None:
        return standings(source, **found).count()
    with connection.cursor() as cursor:
        inside = sql.members(node, frame_of(source))
        cursor.execute(f"SELECT count(*) FROM ({inside}) inside")
        return int(cursor.fetchone()[0])


def frame_of(source: Source, *, for_all: bool = True) -> sql.Frame:
    """What rules are asked within: the source's day, and which segments may be nested."""
    named = Segment.objects.filter(source=source).values_list("reference", "id")
    return sql.Frame(source.pk, day_of(source), dict(named), for_all)


def day_of(source: Source) -> dt.date:
    """The day whose end windows and waits are counted from: today in the shop itself, which lives; the as-of day of
    the last evaluation for an imported log, which ends somewhere.
    """
    today = clock.local_date(clock.now(), ZoneInfo(source.time_zone))
    if source.key == SITE_SOURCE:
        return today
    found = Evaluation.objects.filter(source=source).values_list("as_of", flat=True).first()
    return found or today


def is_living(source: Source) -> bool:
    """Whether time alone moves the source's day."""
    return source.key == SITE_SOURCE


def segments(source: Source) -> list[Segment]:
    """The segments of a source that are in use: the shipped ones as they came, then by name."""
    found = Segment.objects.filter(source=source, retired_at=None).select_related("source", "by")
    return list(found.order_by("name", "id"))


def segment_named(reference: str) -> Segment:
    """The segment of that reference, retired or not.

    Raises:
        UnknownSegment: none has it.
    """
    found = Segment.objects.filter(reference=reference).select_related("source", "by").first()
    if found is None:
        raise UnknownSegment
    return found


def segment_size(segment: Segment) -> int:
    """How many members are in, by the stored membership."""
    return MemberSegments.objects.filter(inside__contains=[segment.pk]).count()


def segment_sizes(source: Source) -> dict[str, int]:
    """How many members are in each segment in use, by reference, as kept by the refreshing."""
    return {segment.reference: segment.members for segment in segments(source)}


def segment_growth(source: Source) -> dict[int, Growth]:
    """Who entered and who left each segment of a source, by id; segments where nobody moved are left out."""
    now = clock.now()
    week, month = now - dt.timedelta(days=7), now - dt.timedelta(days=30)
    counted = (
        SegmentMove.objects.filter(segment__source=source, at__gt=month, at__lte=now)
        .values_list("segment_id")
        .annotate(
            entered_7=Count("id", filter=Q(is_entry=True, at__gt=week)),
            left_7=Count("id", filter=Q(is_entry=False, at__gt=week)),
            entered_30=Count("id", filter=Q(is_entry=True)),
            left_30=Count("id", filter=Q(is_entry=False)),
        )
        .order_by()
    )
    return {segment_id: Growth(*figures) for segment_id, *figures in counted}


def named_by(source: Source) -> dict[str, frozenset[str]]:
    """For each segment of a source, in use or not, the segments its rule names."""
    rows = Segment.objects.filter(source=source).values_list("reference", "rule")
    return {reference: grammar.nested(grammar.read(rule)) for reference, rule in rows}


def segments_below(source: Source, filter: Filter) -> frozenset[str]:
    """The segments whose membership an audience, in the end, depends on."""
    named = grammar.nested(rule_of(filter, source=source))
    return all_below(named, named_by(source)) if named else frozenset()


def told_part(filter: Filter) -> Filter:
    """What of an audience a flat filter can say of everybody in it; `within` stands for what it cannot."""
    return {"within": "", **flat_part(grammar.read(filter))} if grammar.is_rule(filter) else filter


def _check_groups(node: Node) -> None:
    asked = {
        key
        for each in grammar.walk(node)
        if isinstance(each, grammar.Choice) and each.fact == "group"
        for key in each.among
    }
    known = RfmGroup.objects.filter(key__in=asked).values_list("key", flat=True)
    for missing in sorted(asked - set(known)):
        raise BadFilter(key="group", value=missing)
