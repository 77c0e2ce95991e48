"""See who is in each segment: of everyone when standings or a rule are new, of a few when something of theirs changed
or when time may have moved them.

All of a source's refreshing takes turns. What changes meanwhile leaves its news behind and is judged next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from liuke.analytics import queries
from liuke.analytics.models import Segment, Source
from liuke.analytics.segment_models import CHANGES
from liuke.analytics.segments import grammar, sql
from liuke.analytics.segments.grammar import Node
from liuke.analytics.segments.nesting import levels
from liuke.base import clock
from liuke.base.jobs import enqueue

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
_DUE = """
SELECT DISTINCT member_id FROM (
    SELECT m.member_id FROM analytics_segment_member m
    JOIN analytics_segment g ON g.id = m.segment_id AND g.retired_at IS NULL
    WHERE m.next_eval_at <= %s ORDER BY m.next_eval_at LIMIT %s) due
"""
# Rows of `judged` are those who are in or wait for a day; whoever is kept and not among them is out. A look that is
# due too early does no harm, so it stays where it is: an order puts most of them off, and nothing has to be written.
_APPLY = """
WITH judged AS MATERIALIZED ({judgements}), kept AS (
    SELECT segment_id, member_id, since, next_eval_at FROM analytics_segment_member
    WHERE segment_id = ANY(%(segments)s) {which}
), told AS (
    SELECT rule_id AS segment_id, member_id, is_in, {moment} AS next_at FROM judged
), compared AS (
    SELECT segment_id, member_id, coalesce(told.is_in, false) AS is_in, kept.since IS NOT NULL AS was_in, kept.since,
           kept.next_eval_at, CASE
               WHEN kept.next_eval_at > %(at)s AND (told.next_at IS NULL OR kept.next_eval_at <= told.next_at)
               THEN kept.next_eval_at ELSE told.next_at END AS next_at
    FROM told FULL JOIN kept USING (segment_id, member_id)
), changed AS MATERIALIZED (
    SELECT * FROM compared WHERE is_in <> was_in OR next_at IS DISTINCT FROM next_eval_at
), gone AS (
    DELETE FROM analytics_segment_member m USING changed c
    WHERE m.member_id = c.member_id AND m.segment_id = c.segment_id AND NOT c.is_in AND c.next_at IS NULL
), stored AS (
    INSERT INTO analytics_segment_member (member_id, segment_id, since, next_eval_at)
    SELECT member_id, segment_id, CASE WHEN is_in THEN coalesce(since, %(at)s) END, next_at FROM changed
    WHERE is_in OR next_at IS NOT NULL ORDER BY segment_id, member_id
    ON CONFLICT (segment_id, member_id) DO UPDATE SET since = excluded.since, next_eval_at = excluded.next_eval_at
), moved AS (
    INSERT INTO analytics_segment_move (segment_id, member_id, at, is_entry)
    SELECT segment_id, member_id, %(at)s, is_in FROM changed WHERE is_in <> was_in AND segment_id = ANY(%(dated)s)
)
SELECT segment_id, count(*) FILTER (WHERE is_in) - count(*) FILTER (WHERE was_in)
FROM changed WHERE is_in <> was_in GROUP BY segment_id
"""
_FORGET_MOVES = """
DELETE FROM analytics_segment_move mv USING analytics_segment g
WHERE g.id = mv.segment_id AND g.source_id = %s AND mv.at < %s
"""
_SOME = "AND {alias}member_id = ANY(%(members)s)"
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
    in_use = {segment.reference: segment for segment in queries.segments(source)}
    for level in _levels(list(in_use.values())):
        for segment in level:
            _fill(segment, is_dated=segment.filled_at is not None)
    oldest = clock.now() - dt.timedelta(days=KEEP_MOVES_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_MOVES, [source.pk, oldest])
        if in_use:
            cursor.execute("ANALYZE analytics_segment_member")


@transaction.atomic
def refresh_reading(source: Source, what: str) -> None:
    """Judge everyone of a source by the rules that read `what`, and by those that name such a segment."""
    take_turns(source)
    for level in _asked(queries.segments(source), lambda segment: what in segment.reads):
        for segment in level:
            _fill(segment, is_dated=segment.filled_at is not None)


def fill(segment: Segment) -> None:
    """Judge everyone by a new rule; nobody enters or leaves by that. Then by the rules that name the segment."""
    _fill(segment, is_dated=False)
    for level in _asked(queries.segments(segment.source), lambda each: each == segment):
        for other in level:
            if other != segment:
                _fill(other, is_dated=True)


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
            for segment in level:
                _fill(segment, is_dated=False)


@transaction.atomic
def _refresh_some() -> int:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_NEWS, [AT_ONCE])
        news = cursor.fetchall()
        cursor.execute(_DUE, [now, AT_ONCE])
        due = [member for (member,) in cursor.fetchall()]
    members = sorted({member for member, _ in news} | set(due))
    if not members:
        return 0
    changed = {kind for _, what in news for kind in CHANGES[what]}
    in_use = Segment.objects.filter(retired_at=None, filled_at__isnull=False)
    for source in Source.objects.filter(pk__in=in_use.values("source_id")).order_by("pk"):
        _judge_some(source, members, changed, is_due=bool(due))
    return len(members)


def _judge_some(source: Source, members: Sequence[int], changed: set[str], *, is_due: bool) -> None:
    """Judge some members by the rules that read what changed, or time, and by those that name such a segment."""
    take_turns(source)
    filled = [each for each in queries.segments(source) if each.filled_at is not None]

    def is_read(segment: Segment) -> bool:
        is_moved = is_due and grammar.is_timed(_rule(segment))
        return is_moved or not changed.isdisjoint(segment.reads)

    for asked in _asked(filled, is_read):
        _apply(source, asked, dated=asked, members=members)


def _fill(segment: Segment, *, is_dated: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")  # a million rows are joined
    _apply(segment.source, [segment], dated=[segment] if is_dated else [])
    if segment.filled_at is None or not is_dated:
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
    which = "" if members is None else _SOME
    statement = _APPLY.format(
        judgements=sql.judgements(rules, frame, which=which.format(alias="s.")),
        which=which.format(alias=""),
        moment=_moment(source),
    )
    told: dict[str, Any] = {
        "segments": list(rules),
        "dated": [segment.pk for segment in dated],
        "members": list(members or ()),
        "zone": source.time_zone,
        "at": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, told)
        moved = cursor.fetchall()
    for segment_id, more in moved:
        Segment.objects.filter(pk=segment_id).update(members=F("members") + more)


def _moment(source: Source) -> str:
    """The beginning of the day on which a membership may change; where the day stands still, none."""
    if not queries.is_living(source):
        return "NULL::timestamptz"
    return f"CASE WHEN next_on < {_LAST} THEN next_on::timestamp AT TIME ZONE %(zone)s END"


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
