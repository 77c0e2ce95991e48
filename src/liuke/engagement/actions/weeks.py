"""Weeks already taken: hold them in the order everybody does, and let them end later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

# In the order of `claim_weeks`, so that workers wait for one another in a line and never in a ring.
_HOLD = """
SELECT known.person_id FROM engagement_pressure known
JOIN engagement_contact week ON week.person_id = known.person_id
WHERE week.id = ANY(%s)
ORDER BY hashint8(known.person_id), known.person_id FOR NO KEY UPDATE OF known
"""
_EXTEND = """
WITH extended AS (
    UPDATE engagement_contact SET during = tstzrange(claimed_at, %(until)s)
    WHERE id = ANY(%(contacts)s) AND upper(during) < %(until)s
    RETURNING person_id
)
UPDATE engagement_pressure known SET taken_until = %(until)s
FROM extended WHERE known.person_id = extended.person_id AND known.taken_until < %(until)s
"""


def hold_weeks(contact_ids: Sequence[int]) -> None:
    """Hold what `claim_weeks` asks first about these weeks until the transaction ends; before changing any of them."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [list(contact_ids)])


def extend_weeks(contact_ids: Sequence[int], *, until: dt.datetime) -> None:
    """Let held weeks end at `until` at the earliest: a message that leaves late is followed by a whole week."""
    with connection.cursor() as cursor:
        cursor.execute(_EXTEND, {"contacts": list(contact_ids), "until": until})
