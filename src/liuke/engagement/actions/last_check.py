"""May this message still go, at this moment? Asked of every message in the transaction that marks it as sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection

from liuke.base import clock, sealing
from liuke.engagement.gate import HAS_TROUBLE, hours_for
from liuke.engagement.models import OutreachPolicy
from liuke.people.rules import EMAIL_PURPOSE, PHONE_PURPOSE

_ADDRESS_PURPOSES = {"sms": PHONE_PURPOSE, "email": EMAIL_PURPOSE}

# What is due is locked first, unless the kill switch is on; then the reasons not to send it: the first one counts.
_CHECK = f"""
WITH due AS MATERIALIZED (
    SELECT msg.id, r.state AS run_state
    FROM engagement_message msg
    JOIN engagement_decision d ON d.id = msg.decision_id
    JOIN engagement_run r ON r.id = d.run_id
    WHERE msg.state = 'queued' AND msg.due_at <= %(at)s AND msg.channel = %(channel)s
      AND (r.state <> 'paused' OR msg.expires_at <= %(at)s)
      AND NOT (SELECT is_stopped FROM engagement_switch)
    ORDER BY msg.due_at LIMIT %(limit)s
    FOR NO KEY UPDATE OF msg SKIP LOCKED
), checked AS (
    SELECT msg.*, due.run_state, p.time_zone, p.quiet_from, p.quiet_until,
        m.erased_at IS NOT NULL OR p.erased_at IS NOT NULL AS is_erased,
        CASE msg.purpose WHEN 'marketing' THEN c.is_given IS TRUE ELSE c.is_given IS NOT FALSE END AS is_agreed,
        msg.purpose = 'marketing' AND {HAS_TROUBLE} AS has_trouble,
        CASE msg.channel WHEN 'sms' THEN m.phone_sealed
            WHEN 'email' THEN CASE WHEN p.email_confirmed_at IS NOT NULL THEN p.email_sealed END END AS sealed,
        week.given_back_at IS NOT NULL OR EXISTS (
            SELECT 1 FROM engagement_contact other
            WHERE other.person_id = week.person_id AND other.id <> week.id AND other.given_back_at IS NULL
              AND other.during && tstzrange(lower(week.during), %(until)s)) AS is_capped
    FROM due
    JOIN engagement_message msg ON msg.id = due.id
    JOIN people_member m ON m.id = msg.member_id
    JOIN people_member p ON p.id = m.person_id
    LEFT JOIN engagement_contact week ON week.id = msg.contact_id
    LEFT JOIN people_consent c
        ON c.person_id = m.person_id AND c.channel = msg.channel AND c.purpose = msg.purpose
)
SELECT id, reference, channel, purpose, contact_id, subject, body, attempts, expires_at, sealed,
    time_zone, quiet_from, quiet_until,
    CASE WHEN is_erased THEN 'erased' WHEN NOT is_agreed THEN 'opted_out' WHEN has_trouble THEN 'trouble'
        WHEN channel IN ('sms', 'email') AND sealed IS NULL THEN 'no_address'
        WHEN run_state = 'stopped' THEN 'stopped' WHEN expires_at <= %(at)s THEN 'expired'
        WHEN is_capped THEN 'capped' ELSE '' END AS problem
FROM checked
"""
_PUT_OFF = """
UPDATE engagement_message m SET due_at = later.at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS later(id, at) WHERE m.id = later.id
"""


@dataclass(frozen=True)
class Due:
    """A locked message, and what stands between it and the member: a `problem` that ends it, or a `later` moment."""

    id: int
    reference: str
    channel: str
    purpose: str
    contact_id: int | None
    subject: str
    body: str
    attempts: int
    sealed_address: bytes | None
    problem: str
    later: dt.datetime | None

    def address(self) -> str:
        """The number or e-mail address in plain.

        Raises:
            cryptography.exceptions.InvalidTag: sealed with another key.
        """
        return sealing.unseal(self.sealed_address or b"", _ADDRESS_PURPOSES[self.channel])


def check_due(
    *,
    channel: str,
    limit: int,
    at: dt.datetime,
    until: dt.datetime,
    policy: OutreachPolicy,
) -> list[Due]:
    """Lock up to `limit` due messages of a channel and say of each whether it may go, in the caller's transaction.

    `until` is when the member's week would end if it went now.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CHECK,
            {
                "channel": channel,
                "limit": limit,
                "at": at,
                "until": until,
                "today": clock.local_date(at),
            },
        )
        rows = cursor.fetchall()

    @cache  # most members share a zone and no habit of their own
    def morning(*habit: Any) -> dt.datetime | None:
        return hours_for(policy, *habit).next_allowed(at)

    return [_due(row, at, morning) for row in rows]


def _due(row: Sequence[Any], at: dt.datetime, morning: Callable[..., dt.datetime | None]) -> Due:
    (message_id, reference, channel, purpose, contact_id, subject, body, attempts, expires_at) = (
        row[:9]
    )
    sealed, *habit, problem = row[9:]
    later = None
    if not problem:
        allowed = morning(*habit)
        if allowed is None or allowed >= expires_at:
            problem = "quiet_hours"
        elif allowed > at:
            later = allowed
    return Due(
        id=message_id,
        reference=reference,
        channel=channel,
        purpose=purpose,
        contact_id=contact_id,
        subject=subject,
        body=body,
        attempts=attempts,
        sealed_address=bytes(sealed) if sealed is not None else None,
        problem=problem,
        later=later,
    )


def put_off(moments: Mapping[int, dt.datetime]) -> None:
    """Let messages wait until the member's next allowed moment; their weeks stay taken."""
    if not moments:
        return
    with connection.cursor() as cursor:
        cursor.execute(_PUT_OFF, [list(moments), list(moments.values())])
