"""Take a person's week, and give it back when nothing went out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from psycopg.errors import ExclusionViolation

# Persons in an order that is the same for all workers, so that they wait for one another in a line and never in a
# ring; by a hash, because the index behind the constraint takes scattered persons faster than ascending ones. Who never
# had a week gets one by an insert, which costs a loser nothing but a look; who had one is held and looked at again.
_CLAIM = """
WITH wanted AS (
    SELECT DISTINCT ON (person_id) person_id, decision_id, is_ghost
    FROM unnest(%(persons)s::bigint[], %(decisions)s::bigint[], %(ghosts)s::boolean[])
         AS told (person_id, decision_id, is_ghost)
    ORDER BY person_id, decision_id
), first AS (
    INSERT INTO engagement_pressure (person_id, taken_until)
    SELECT person_id, %(until)s FROM wanted ORDER BY hashint8(person_id), person_id
    ON CONFLICT (person_id) DO NOTHING
    RETURNING person_id
), held AS MATERIALIZED (
    SELECT known.person_id FROM engagement_pressure known
    WHERE known.person_id = ANY(%(persons)s) AND known.taken_until <= %(at)s
      AND (SELECT count(*) FROM first) >= 0  -- after the inserts, in every worker
    ORDER BY hashint8(known.person_id), known.person_id
    FOR NO KEY UPDATE OF known
), again AS (
    UPDATE engagement_pressure known SET taken_until = %(until)s
    FROM held WHERE known.person_id = held.person_id
    RETURNING known.person_id
), won AS (
    SELECT person_id FROM first UNION ALL SELECT person_id FROM again
)
INSERT INTO engagement_contact (person_id, decision_id, is_ghost, claimed_at, during)
SELECT person_id, decision_id, is_ghost, %(at)s, tstzrange(%(at)s, %(until)s)
FROM won JOIN wanted USING (person_id)
ORDER BY hashint8(person_id), person_id
RETURNING decision_id, id
"""
_REMIND = """
INSERT INTO engagement_pressure AS known (person_id, taken_until)
SELECT person_id, max(upper(during)) FROM engagement_contact
WHERE given_back_at IS NULL AND person_id = ANY(%(persons)s) AND during && tstzrange(%(at)s, %(until)s)
GROUP BY person_id ORDER BY hashint8(person_id), person_id
ON CONFLICT (person_id) DO UPDATE SET taken_until = EXCLUDED.taken_until
    WHERE known.taken_until < EXCLUDED.taken_until
"""
_TAKEN_UNTIL = """
SELECT person_id, taken_until FROM engagement_pressure WHERE person_id = ANY(%s)
"""
_GIVE_BACK = """
WITH given AS (
    UPDATE engagement_contact SET given_back_at = %(at)s
    WHERE id = ANY(%(contacts)s) AND given_back_at IS NULL
    RETURNING person_id, claimed_at, upper(during) AS until
), freed AS (
    UPDATE engagement_pressure known SET taken_until = given.claimed_at
    FROM given WHERE known.person_id = given.person_id AND known.taken_until = given.until
)
SELECT count(*) FROM given
"""


@dataclass(frozen=True)
class Claim:
    """A decision that wants its person's week; a ghost takes it for a control member, with nothing sent."""

    person_id: int
    decision_id: int
    is_ghost: bool = False


def claim_weeks(
    *, claims: Sequence[Claim], at: dt.datetime, cap_hours: int
) -> tuple[dict[int, int], dict[int, dt.datetime]]:
    """Take the weeks that are free at `at`; in the caller's transaction.

    Answers the contact of each decision that won, and until when the week of each losing person is taken. Of two
    claims for one person the one with the smaller decision wins.
    """
    if not claims:
        return {}, {}
    told: dict[str, Any] = {
        "persons": [claim.person_id for claim in claims],
        "decisions": [claim.decision_id for claim in claims],
        "ghosts": [claim.is_ghost for claim in claims],
        "at": at,
        "until": at + dt.timedelta(hours=cap_hours),
    }
    won = _claim(told)
    lost = {claim.person_id for claim in claims if claim.decision_id not in won}
    return won, _taken_until(lost)


def _claim(told: dict[str, Any]) -> dict[int, int]:
    """`Pressure` is asked first and `Contact` has the last word: when they differ, remind the one and ask again."""
    with connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute(_CLAIM, told)
                return dict(cursor.fetchall())
        except IntegrityError as refused:
            if not isinstance(refused.__cause__, ExclusionViolation):
                raise
        cursor.execute(_REMIND, told)
        cursor.execute(_CLAIM, told)
        return dict(cursor.fetchall())


def _taken_until(persons: set[int]) -> dict[int, dt.datetime]:
    if not persons:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_UNTIL, [sorted(persons)])
        return dict(cursor.fetchall())


def give_back(contact_ids: Sequence[int], at: dt.datetime) -> int:
    """Free the weeks of messages that definitely reached nobody; how many were still taken."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, {"contacts": list(contact_ids), "at": at})
        (given,) = cursor.fetchone()
    return int(given)
