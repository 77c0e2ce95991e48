"""See who is in each segment: of everyone when standings or a rule are new, of a few when something of theirs changed
or when time may have moved them.

All of a source's refreshing takes turns. What changes meanwhile leaves its news behind and is judged next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import F, Q

from liuke.analytics import queries
from liuke.analytics.models import Segment, Source
from liuke.analytics.segment_models import CHANGES
from liuke.analytics.segments import grammar, sql
from liuke.analytics.segments.grammar import Node
from liuke.analytics.segments.nesting import levels
from liuke.base import clock
from liuke.base.jobs import enqueue
from liuke.people.rules import SITE_SOURCE

AT_ONCE = 20_000
KEEP_MOVES_DAYS = 400

_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtext('analytics.segments'), %s::int)"
_TELL = """
INSERT INTO analytics_segment_news (member_id, changed)
SELECT DISTINCT member_id, %(changed)s FROM unnest(%(members)s::bigint[]) AS told (member_id)
WHERE EXISTS (SELECT 1 FROM analytics_segment g WHERE g.retired_at IS NULL AND g.reads && %(reads)s::varchar[])
"""
_TAKE_NEWS = """
DELETE FROM analytics_segment_news WHERE id IN (
    SELECT id FROM analytics_segment_news ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING member_id, changed
"""
# Once a day, so there is no index: it would have to follow every change. Whom no rule waits for any more stays without.
_TAKE_DUE = """
UPDATE analytics_member_segments SET next_on = NULL WHERE member_id IN (
    SELECT member_id FROM analytics_member_segments WHERE next_on <= %s LIMIT %s)
RETURNING member_id
"""
# `was` is all that is kept of a member; `inside` and `outside` are of the segments that are asked. A look that is due
# too early does no harm, so it stays where it is: an order puts most of them off, and nothing has to be written.
_APPLY = """
WITH judged AS MATERIALIZED ({judgements}), kept AS (
    SELECT member_id, inside, since_on, next_on FROM analytics_member_segments {which}
), compared AS (
    SELECT member_id, k.inside IS NULL AS is_new,
           coalesce(k.inside, '{{}}') AS was, coalesce(k.since_on, '{{}}') AS since_was,
           coalesce(j.inside, '{{}}') AS inside, coalesce(j.outside, %(segments)s::bigint[]) AS outside,
           k.next_on AS next_was, least(k.next_on, {next_on}) AS next_on
    FROM judged j FULL JOIN kept k USING (member_id)
    WHERE j.member_id IS NOT NULL OR k.inside && %(segments)s::bigint[]
), changed AS MATERIALIZED (
    SELECT * FROM compared
    WHERE NOT was @> inside OR was && outside OR next_on IS DISTINCT FROM next_was
), written AS MATERIALIZED (
    SELECT c.is_new, c.member_id, coalesce(now.ids, '{{}}') AS inside, coalesce(now.days, '{{}}') AS since_on, c.next_on
    FROM changed c CROSS JOIN LATERAL (
        SELECT array_agg(id ORDER BY id) AS ids, array_agg(since_on ORDER BY id) AS days FROM (
            SELECT * FROM unnest(c.was, c.since_was) AS stays (id, since_on) WHERE id <> ALL(c.outside)
            UNION ALL
            SELECT id, %(today)s FROM unnest(c.inside) AS comes (id) WHERE id <> ALL(c.was)) each_one) now
), stored AS (
    UPDATE analytics_member_segments m SET inside = w.inside, since_on = w.since_on, next_on = w.next_on
    FROM written w WHERE m.member_id = w.member_id AND NOT w.is_new
), added AS (
    INSERT INTO analytics_member_segments (member_id, inside, since_on, next_on)
    SELECT member_id, inside, since_on, next_on FROM written WHERE is_new ORDER BY member_id
), steps AS MATERIALIZED (
    SELECT id AS segment_id, member_id, true AS is_entry FROM changed, unnest(inside) AS id WHERE id <> ALL(was)
    UNION ALL
    SELECT id, member_id, false FROM changed, unnest(was) AS id WHERE id = ANY(outside)
), moved AS (
    INSERT INTO analytics_segment_move (segment_id, member_id, at, is_entry)
    SELECT segment_id, member_id, %(at)s, is_entry FROM steps WHERE segment_id = ANY(%(dated)s)
)
SELECT segment_id, sum(CASE WHEN is_entry THEN 1 ELSE -1 END) FROM steps GROUP BY segment_id
"""
_FORGET = """
UPDATE analytics_member_segments SET inside = array_remove(inside, %(segment)s), since_on = ARRAY(
    SELECT day FROM unnest(inside, since_on) AS each_one (id, day) WHERE id <> %(segment)s ORDER BY id)
WHERE inside @> ARRAY[%(segment)s::bigint]
"""
_FORGET_MOVES = """
DELETE FROM analytics_segment_move mv USING analytics_segment g
WHERE g.id = mv.segment_id AND g.source_id = %s AND mv.at < %s
"""
_LAST = "date '9000-01-01'"  # what comes later comes never


def take_turns(source: Source) -> None:
    """Wait until nobody else refreshes the segments of a source, and keep the others waiting to the end."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS, [source.pk])


def tell_changed(*, member_ids: Collection[int], changed: str) -> None:
    """Something of these members is new (`orders` or `logins`): the segments that read it will look at them soon."""
    told: dict[str, Any] = {
        "members": list(member_ids),
        "changed": changed,
        "reads": list(CHANGES[changed]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TELL, told)
        if cursor.rowcount:
            enqueue("analytics.refresh_segments", once="analytics.refresh_segments")


def refresh_changed() -> int:
    """Judge whoever has news or is due, a transaction for each lot of them; about how many."""
    done = 0
    while some := _refresh_some():
        done += some
    return done


@transaction.atomic
def refresh_source(source: Source) -> None:
    """Judge everyone of a source by all its rules: after an evaluation."""
    take_turns(source)
    in_use = queries.segments(source)
    for level in _levels(in_use):
        _fill(level, dated=[each for each in level if each.filled_at is not None])
    oldest = clock.now() - dt.timedelta(days=KEEP_MOVES_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_MOVES, [source.pk, oldest])
        if in_use:
            cursor.execute("ANALYZE analytics_member_segments")


@transaction.atomic
def refresh_reading(source: Source, what: str) -> None:
    """Judge everyone of a source by the rules that read `what`, and by those that name such a segment."""
    take_turns(source)
    for level in _asked(queries.segments(source), lambda segment: what in segment.reads):
        _fill(level, dated=[each for each in level if each.filled_at is not None])


def fill(segment: Segment) -> None:
    """Judge everyone by a new rule; nobody enters or leaves by that. Then by the rules that name the segment."""
    _fill([segment], dated=[])
    for level in _asked(queries.segments(segment.source), lambda each: each == segment):
        others = [each for each in level if each != segment]
        if others:
            _fill(others, dated=others)


def forget(segment: Segment) -> None:
    """Nobody is kept as a member of it any more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"segment": segment.pk})


def bring_up_to_date(source: Source, filter: dict[str, Any]) -> None:
    """See that the stored membership on which an audience depends is that of this moment."""
    below = queries.segments_below(source, filter)
    if not below:
        return
    refresh_changed()
    retired = Segment.objects.filter(reference__in=below, retired_at__isnull=False)
    with transaction.atomic():
        take_turns(source)
        for level in _levels(list(retired.select_related("source"))):
            _fill(level, dated=[])


@transaction.atomic
def _refresh_some() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_NEWS, [AT_ONCE])
        news = cursor.fetchall()
    day = _day_to_look_at()
    if not news and day is None:
        return 0
    in_use = Segment.objects.filter(retired_at=None, filled_at__isnull=False)
    asked = Q(pk__in=in_use.values("source_id")) | Q(key=SITE_SOURCE)
    sources = list(Source.objects.filter(asked).order_by("pk"))
    for source in sources:
        take_turns(source)
    due = _take_due(day) if day else []
    members = sorted({member for member, _ in news} | set(due))
    changed = {kind for _, what in news for kind in CHANGES[what]}
    for source in sources:
        _judge_some(source, members, changed, is_due=bool(due))
    return len(members)


def _day_to_look_at() -> dt.date | None:
    """The day in the shop, as long as some whom it may move were not looked at; in imported logs time stands still."""
    site = Source.objects.filter(key=SITE_SOURCE).first()
    if site is None:
        return None
    day = queries.day_of(site)
    return None if site.segments_on == day else day


def _take_due(day: dt.date) -> list[int]:
    """Some of those whom a day may move."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_DUE, [day, AT_ONCE])
        due = [member for (member,) in cursor.fetchall()]
    if len(due) < AT_ONCE:
        Source.objects.filter(key=SITE_SOURCE).update(segments_on=day)
    return due


def _judge_some(source: Source, members: Sequence[int], changed: set[str], *, is_due: bool) -> None:
    """Judge some members by the rules that read what changed, or time, and by those that name such a segment."""
    filled = [each for each in queries.segments(source) if each.filled_at is not None]

    def is_read(segment: Segment) -> bool:
        is_moved = is_due and grammar.is_timed(_rule(segment))
        return is_moved or not changed.isdisjoint(segment.reads)

    for asked in _asked(filled, is_read):
        _apply(source, asked, dated=asked, members=members)


def _fill(segments: Sequence[Segment], *, dated: Sequence[Segment]) -> None:
    """Judge everyone of a source by these rules, none of which names another of them."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")  # a million rows are joined
    _apply(segments[0].source, segments, dated=dated)
    for segment in segments:
        if segment not in dated:
            segment.filled_at = clock.now()
            segment.save(update_fields=["filled_at"])


def _apply(
    source: Source,
    segments: Sequence[Segment],
    *,
    dated: Sequence[Segment],
    members: Sequence[int] | None = None,
) -> None:
    """Bring the stored membership of these segments to what their rules say now, of everyone or of some."""
    frame = queries.frame_of(source, for_all=members is None)
    rules = {segment.pk: _rule(segment) for segment in segments}
    some = "" if members is None else "member_id = ANY(%(members)s)"
    statement = _APPLY.format(
        judgements=sql.judgements(rules, frame, which=f"AND s.{some}" if some else ""),
        which=f"WHERE {some}" if some else "",
        next_on=_next_on(source),
    )
    told: dict[str, Any] = {
        "segments": list(rules),
        "dated": [segment.pk for segment in dated],
        "members": list(members or ()),
        "today": clock.local_date(clock.now(), ZoneInfo(source.time_zone)),
        "at": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, told)
        moved = cursor.fetchall()
    for segment_id, more in moved:
        Segment.objects.filter(pk=segment_id).update(members=F("members") + more)


def _next_on(source: Source) -> str:
    """The day on which a membership may change; where the day stands still, none."""
    if not queries.is_living(source):
        return "NULL::date"
    return f"CASE WHEN j.next_on < {_LAST} THEN j.next_on END"


def _asked(
    segments: Sequence[Segment], is_asked: Callable[[Segment], bool]
) -> Iterator[list[Segment]]:
    """Level by level, those that are asked anew and those whose rules name one of them."""
    touched: set[str] = set()
    for level in _levels(segments):
        found = [each for each in level if is_asked(each) or grammar.nested(_rule(each)) & touched]
        touched |= {each.reference for each in found}
        if found:
            yield found


def _levels(segments: Sequence[Segment]) -> list[list[Segment]]:
    by_reference = {segment.reference: segment for segment in segments}
    named = {reference: grammar.nested(_rule(each)) for reference, each in by_reference.items()}
    return [[by_reference[reference] for reference in level] for level in levels(named)]


def _rule(segment: Segment) -> Node:
    return grammar.read(segment.rule)
