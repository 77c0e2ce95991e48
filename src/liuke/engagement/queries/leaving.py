"""Why members say they leave, beside what the same members really met."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from liuke.analytics.models import Source
from liuke.engagement.rules import LEAVE_REASONS

MET_WITHIN_DAYS = 90

_MET = """
WITH told AS MATERIALIZED (
    SELECT c.id, c.leave_reason, c.done_at, m.person_id FROM engagement_call c
    JOIN people_member m ON m.id = c.member_id AND m.source = %(source)s
    WHERE c.state = 'done' AND c.leave_reason <> ''
),
met AS (
    SELECT t.id, t.leave_reason,
        EXISTS (SELECT 1 FROM orders_order o WHERE o.person_id = t.person_id AND o.paid_at <= t.done_at) AS known,
        EXISTS (SELECT 1 FROM orders_order o JOIN delivery_delivery d ON d.order_id = o.id
                WHERE o.person_id = t.person_id AND d.promised_at BETWEEN t.done_at - %(within)s AND t.done_at
                AND coalesce(d.delivered_at, d.returned_at, t.done_at) > d.promised_at) AS late,
        EXISTS (SELECT 1 FROM delivery_rejection r WHERE r.person_id = t.person_id
                AND r.rejected_at BETWEEN t.done_at - %(within)s AND t.done_at
                AND r.reason IN ('does_not_work', 'already_used')) AS dead_key,
        EXISTS (SELECT 1 FROM delivery_rejection r WHERE r.person_id = t.person_id
                AND r.rejected_at BETWEEN t.done_at - %(within)s AND t.done_at
                AND r.reason NOT IN ('does_not_work', 'already_used')) AS complaint,
        EXISTS (SELECT 1 FROM delivery_rejection r WHERE r.person_id = t.person_id
                AND r.rejected_at BETWEEN t.done_at - %(within)s AND t.done_at
                AND coalesce(r.settled_at, t.done_at) > r.rejected_at + interval '24 hours') AS slow
    FROM told t
)
SELECT leave_reason, count(*), count(*) FILTER (WHERE known), count(*) FILTER (WHERE late),
       count(*) FILTER (WHERE dead_key), count(*) FILTER (WHERE complaint), count(*) FILTER (WHERE slow),
       count(*) FILTER (WHERE known AND NOT (late OR dead_key OR complaint OR slow))
FROM met GROUP BY 1
"""


@dataclass(frozen=True)
class LeaveRow:
    """A reason told in `calls`; of those `known` to have ordered here, how many met each kind of trouble before."""

    reason: str
    calls: int
    known: int
    late: int
    dead_key: int
    complaint: int
    slow: int
    nothing: int


def leave_reasons_and_troubles(source: Source) -> list[LeaveRow]:
    """Every reason that a member of the source told in a call, in the order of LEAVE_REASONS."""
    told: dict[str, Any] = {"source": source.key, "within": dt.timedelta(days=MET_WITHIN_DAYS)}
    with connection.cursor() as cursor:
        cursor.execute(_MET, told)
        rows = [LeaveRow(*row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: LEAVE_REASONS.index(row.reason))
