"""Write down what was done, and forget it.

Who writes holds a lock that all writers share; who forgets holds it alone: so nothing of somebody who was erased, or
who said no, is written after them by a note that was on its way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.conf import settings
from django.db import connection, transaction

from liuke.analytics.actions.note_shown import forget_shown
from liuke.analytics.behaviour import COUNTED_AS, Did, plain_text
from liuke.base import clock, ids
from liuke.orders.models import Line
from liuke.people.queries import may_be_noted

__all__ = ["Did", "forget_behaviour", "note_behaviour", "note_behaviours", "note_bought"]

_BESIDE_OTHERS = "SELECT pg_advisory_xact_lock_shared(hashtext('analytics.behaviour'))"
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('analytics.behaviour'))"
_COLUMNS = "batch, position, at, kind, person_id, visitor, product, variant, text, came_from"
_COUNTS = ", ".join(COUNTED_AS.values())
_COUNTED = ", ".join(f"count(*) FILTER (WHERE kind = '{kind}')" for kind in COUNTED_AS)
_ADDED = ", ".join(f"{name} = kept.{name} + excluded.{name}" for name in COUNTED_AS.values())
# Persons in order: two writers wait for each other's rows in one direction only.
_KEEP = f"""
WITH fresh AS (
    INSERT INTO analytics_behaviour ({_COLUMNS})
    SELECT * FROM {{told}} ON CONFLICT DO NOTHING RETURNING person_id, at, kind
), counted AS (
    INSERT INTO analytics_behaviour_day AS kept (person_id, "on", {_COUNTS})
    SELECT person_id, (at AT TIME ZONE %s)::date, {_COUNTED} FROM fresh
    WHERE person_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (person_id, "on") DO UPDATE SET {_ADDED}
)
SELECT count(*) FROM fresh
"""
# Of few rows arrays are told; many are copied first, which costs us a third.
_FEW = 50
_ARRAYS = (
    "unnest(%s::text[], %s::int[], %s::timestamptz[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],"
    " %s::text[], %s::text[])"
)
_TABLE = """
CREATE TEMP TABLE analytics_telling (batch text, position int, at timestamptz, kind text, person_id bigint,
    visitor text, product text, variant text, text text, came_from text) ON COMMIT DROP
"""
_FORGET = """
WITH days AS (DELETE FROM analytics_behaviour_day WHERE person_id = %(person)s)
DELETE FROM analytics_behaviour WHERE person_id = %(person)s
"""


@transaction.atomic
def note_behaviours(rows: Sequence[Did]) -> int:
    """Keep what is new of these, and count it by person and day; how many that were.

    What is told again changes nothing. Rows of persons who said no, or are erased, are left out, and so is what in
    their words looks like a number, an address or a key.
    """
    persons = {row.person_id for row in rows if row.person_id is not None}
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE_OTHERS)
        known = may_be_noted(persons) if persons else set()
        kept = [_plain(row) for row in rows if row.person_id is None or row.person_id in known]
        if not kept:
            return 0
        return _keep_many(kept) if len(kept) > _FEW else _keep_few(kept)


def _keep_few(rows: Sequence[Did]) -> int:
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP.format(told=_ARRAYS), [*columns, settings.TIME_ZONE])
        return int(cursor.fetchone()[0])


def _keep_many(rows: Sequence[Did]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        with cursor.copy("COPY analytics_telling FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(_KEEP.format(told="analytics_telling"), [settings.TIME_ZONE])
        count = int(cursor.fetchone()[0])
        cursor.execute("DROP TABLE analytics_telling")
        return count


def _plain(row: Did) -> Did:
    if not row.text and not row.came_from:
        return row
    return row._replace(text=plain_text(row.text), came_from=plain_text(row.came_from))


def note_behaviour(
    *,
    person_id: int,
    kind: str,
    product: str = "",
    variant: str = "",
    at: dt.datetime | None = None,
) -> bool:
    """Keep one thing that a person did, in the caller's transaction; False when they said that nothing may be kept."""
    row = Did(
        batch=ids.new_reference(),
        position=0,
        at=at or clock.now(),
        kind=kind,
        person_id=person_id,
        product=product,
        variant=variant,
    )
    return note_behaviours([row]) == 1


def note_bought(*, order_ids: Collection[int]) -> int:
    """Keep what members bought by these orders, line by line, gifts apart; how many are new. Again changes nothing."""
    lines = Line.objects.filter(
        order__in=order_ids, order__guest_index=None, is_gift=False
    ).values_list(
        "order__reference",
        "number",
        "order__paid_at",
        "order__person_id",
        "product__reference",
        "variant__reference",
    )
    return note_behaviours(
        [
            Did(f"buy:{order}", number, at, "buy", person_id, product=product, variant=variant)
            for order, number, at, person_id, product, variant in lines
            if at is not None
        ]
    )


@transaction.atomic
def forget_behaviour(*, person_id: int) -> int:
    """Delete all that is kept of what a person did here and was shown; how many things they did. Notes on their way
    wait for us.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        cursor.execute(_FORGET, {"person": person_id})
        gone = int(cursor.rowcount)
    forget_shown(person_ids=[person_id])
    return gone
