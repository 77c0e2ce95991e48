"""Keep what a person has completed, and the level it gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction

from liuke.events.actions import publish_many
from liuke.events.facts import Happened
from liuke.membership.events import LevelChanged

_ADD = """
INSERT INTO membership_spend AS kept (person_id, orders, spent_fen) VALUES (%(person)s, %(orders)s, %(fen)s)
ON CONFLICT (person_id) DO UPDATE
SET orders = kept.orders + EXCLUDED.orders, spent_fen = kept.spent_fen + EXCLUDED.spent_fen
"""
_TAKE_BACK = """
UPDATE membership_spend SET orders = orders - %(orders)s, spent_fen = spent_fen - %(fen)s WHERE person_id = %(person)s
"""
# Rows are locked in the order of persons, so that two batches do not wait in a ring.
_SETTLE = """
WITH spenders AS (
    SELECT s.* FROM membership_spend s
    WHERE %(persons)s::bigint[] IS NULL OR s.person_id = ANY(%(persons)s) ORDER BY s.person_id FOR NO KEY UPDATE
), fitting AS (
    SELECT s.person_id, s.orders, s.spent_fen, s.level_id AS previous_id, (
        SELECT l.id FROM membership_level l JOIN membership_ladder d ON d.key = l.ladder_id AND d.is_active
        WHERE l.spent_from_fen <= s.spent_fen AND l.orders_from <= s.orders
        ORDER BY l.position DESC LIMIT 1) AS level_id
    FROM spenders s
), moved AS (
    UPDATE membership_spend s SET level_id = f.level_id FROM fitting f
    WHERE s.person_id = f.person_id AND f.level_id IS DISTINCT FROM f.previous_id
    RETURNING f.*
), told AS (
    INSERT INTO membership_level_move (person_id, level_id, previous_id, orders, spent_fen, at)
    SELECT person_id, level_id, previous_id, orders, spent_fen, %(at)s FROM moved ORDER BY person_id
)
SELECT m.person_id, l.ladder_id, l.key, p.key FROM moved m JOIN membership_level l ON l.id = m.level_id
LEFT JOIN membership_level p ON p.id = m.previous_id ORDER BY m.person_id
"""


@transaction.atomic
def add_spend(*, person_id: int, amount_fen: int, at: dt.datetime) -> None:
    """Count one completed order. Told by `OrderCompleted`, whose dispatcher sees to it that it is told once."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"person": person_id, "orders": 1, "fen": amount_fen})
    settle_levels(person_ids=[person_id], at=at)


@transaction.atomic
def take_spend_back(*, person_id: int, amount_fen: int, is_whole: bool, at: dt.datetime) -> None:
    """Give back what a completed order counted; with `is_whole`, the order too.

    The database refuses less than nothing: a refund told before its order is told again later.
    """
    orders = 1 if is_whole else 0
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, {"person": person_id, "orders": orders, "fen": amount_fen})
        if not cursor.rowcount:  # nothing was counted yet: the row that CHECK refuses
            cursor.execute(_ADD, {"person": person_id, "orders": -orders, "fen": -amount_fen})
    settle_levels(person_ids=[person_id], at=at)


@transaction.atomic
def settle_levels(*, person_ids: Sequence[int] | None = None, at: dt.datetime) -> int:
    """Put persons (everyone, unless told) on the level of the ladder that they reach; how many moved."""
    persons = None if person_ids is None else list(person_ids)
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"persons": persons, "at": at})
        moves = cursor.fetchall()
    publish_many(
        Happened(LevelChanged(person, ladder, level, previous), person, at)
        for person, ladder, level, previous in moves
    )
    return len(moves)
