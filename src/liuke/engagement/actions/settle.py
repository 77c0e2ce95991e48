"""Write down what became of messages: their last state, their decision's reason, and their week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from liuke.base.outside import Accepted, Outcome, Rejected
from liuke.engagement.actions.claim import give_back
from liuke.engagement.actions.weeks import hold_weeks

FAILURE_LETTERS = 200
PROVIDER_ID_LETTERS = 128
_NOTHING_WENT_OUT = ("rejected", "cancelled")

# Joined to '', the state is no reason to walk through all that is due: messages are found by number.
_END = """
WITH ended AS (
    UPDATE engagement_message m
    SET state = e.state, ended_at = coalesce(m.ended_at, %(at)s), provider_id = e.provider_id, failure = e.failure
    FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(provider_ids)s::text[],
                %(failures)s::text[]) AS e(id, state, reason, provider_id, failure)
    WHERE m.id = e.id AND m.id = ANY(%(ids)s) AND m.state || '' = ANY(%(before)s)
    RETURNING m.id, m.decision_id, m.contact_id, m.state, e.reason
), decided AS (
    UPDATE engagement_decision d SET state = 3, reason = ended.reason FROM ended WHERE d.id = ended.decision_id
)
SELECT id, contact_id, state FROM ended
"""


@dataclass(frozen=True)
class End:
    """The end of one message. `reason` is what its decision says from now on."""

    message_id: int
    state: str
    reason: str
    provider_id: str = ""
    failure: str = ""


def settle(ends: Sequence[End], *, before: Sequence[str], at: dt.datetime) -> set[int]:
    """End these messages if they are in a state of `before`, in the caller's transaction; the ids of those ended.

    The week of a message that definitely never went out is given back.
    """
    if not ends:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _END,
            {
                "ids": [end.message_id for end in ends],
                "states": [end.state for end in ends],
                "reasons": [end.reason for end in ends],
                "provider_ids": [end.provider_id for end in ends],
                "failures": [end.failure for end in ends],
                "before": list(before),
                "at": at,
            },
        )
        ended = cursor.fetchall()
    unused = [contact for _, contact, state in ended if contact and state in _NOTHING_WENT_OUT]
    if unused:
        hold_weeks(unused)
        give_back(unused, at)
    return {message_id for message_id, _, _ in ended}


def cancelled(message_id: int, reason: str) -> End:
    """The end of a message that is not sent after all."""
    return End(message_id, "cancelled", reason)


def told(message_id: int, outcome: Outcome) -> End:
    """The end of a message as the outside world told it."""
    if isinstance(outcome, Accepted):
        name = _fitting(outcome.provider_id, PROVIDER_ID_LETTERS)
        return End(message_id, "accepted", "accepted", provider_id=name)
    state = "rejected" if isinstance(outcome, Rejected) else "unknown"
    return End(message_id, state, state, failure=_fitting(outcome.why, FAILURE_LETTERS))


def _fitting(text: str, letters: int) -> str:
    """What a provider said, as the database can keep it: an odd answer must not undo the record of a whole batch."""
    return text.replace("\x00", "")[:letters]
