"""Send what is due: mark it, call the channel outside any transaction, record what came of it (decision 0030).

What is marked `sending` is being handed over at this moment, never more than HANDS messages in a process; a process
killed there leaves them to `recover_unfinished`, and none is ever sent a second time.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import IntegrityError, connection, transaction

from liuke.base import clock
from liuke.base.outside import Accepted, Outcome, Rejected, Unknown
from liuke.engagement.actions.last_check import Due, check_due, put_off
from liuke.engagement.actions.settle import End, cancelled, settle, told
from liuke.engagement.actions.weeks import extend_weeks, hold_weeks
from liuke.engagement.channels import OUTSIDE, OWN, Outgoing
from liuke.engagement.models import OutreachPolicy
from liuke.engagement.queries.messages import unsubscribe_token
from liuke.engagement.queries.plans import policy

HANDS = 32
OWN_AT_ONCE = 2_000
BACK_OFF = (dt.timedelta(minutes=1), dt.timedelta(minutes=5))  # three tries in all
RECORD_PAUSES_SECONDS = (0.1, 1.0, 5.0)

_log = logging.getLogger("liuke.engagement")

_MARK = """
UPDATE engagement_message SET state = 'sending', began_at = %(at)s, attempts = attempts + 1
WHERE id = ANY(%(messages)s)
"""
# It definitely did not reach anybody: its turn comes again, and its week stays taken.
_AGAIN = """
UPDATE engagement_message m SET state = 'queued', began_at = NULL, due_at = later.at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS later(id, at) WHERE m.id = later.id AND m.state = 'sending'
"""


def send_due(limit: int = 200) -> int:
    """Send up to `limit` due messages through outside channels, and a set of those of our own tables.

    Answers how many messages were looked at: sent, cancelled, or put off until the member's morning. 0 means that
    nothing is due. Call it outside any transaction, from as many processes as you like.
    """
    in_force = policy()
    seen = _send_own(in_force)
    outside = 0
    with ThreadPoolExecutor(HANDS) as hands:
        while outside < limit:
            some = _send_outside(in_force, hands, min(HANDS, limit - outside))
            if not some:
                break
            outside += some
    return seen + outside


def _send_own(in_force: OutreachPolicy) -> int:
    """The channels that are tables of ours: effect and record in one transaction."""
    with transaction.atomic():
        at = clock.now()
        seen, going = _take(tuple(OWN), OWN_AT_ONCE, in_force, at)
        for key, channel in OWN.items():
            ours = [due.id for due in going if due.channel == key]
            if ours:
                channel.put(ours, at=at)
                settle([told(found, Accepted("")) for found in ours], before=("sending",), at=at)
    return seen


def _send_outside(in_force: OutreachPolicy, hands: ThreadPoolExecutor, limit: int) -> int:
    with transaction.atomic():
        seen, going = _take(tuple(OUTSIDE), limit, in_force, clock.now())
    outcomes = list(hands.map(_hand_over, going))
    if going:
        _record(going, outcomes)
    return seen


def _take(
    channels: Sequence[str], limit: int, in_force: OutreachPolicy, at: dt.datetime
) -> tuple[int, list[Due]]:
    """Lock what is due, end what may not go, put off what must wait, mark the rest; (how many seen, the rest)."""
    until = at + dt.timedelta(hours=in_force.cap_hours)
    found = check_due(channels=channels, limit=limit, at=at, until=until, policy=in_force)
    if not found:
        return 0, []
    hold_weeks([due.contact_id for due in found if due.contact_id])
    settle([cancelled(d.id, d.problem) for d in found if d.problem], before=("queued",), at=at)
    put_off({d.id: d.later for d in found if d.later})
    going = [due for due in found if not due.problem and not due.later]
    if going:
        with connection.cursor() as cursor:
            cursor.execute(_MARK, {"messages": [due.id for due in going], "at": at})
        # The week counts from now, so that two real contacts are never closer than that.
        extend_weeks([due.contact_id for due in going if due.contact_id], until=until)
    return len(found), going


def _hand_over(due: Due) -> Outcome:
    """Call the channel. Runs in a thread, and touches no table."""
    try:
        address = due.address()
    except InvalidTag:
        return Rejected("the address cannot be unsealed with this key")
    try:
        return OUTSIDE[due.channel].send(
            Outgoing(due.reference, address, due.subject, due.body, _opt_out_link(due))
        )
    except Exception as error:
        # Only the kind: what a provider says may repeat the address.
        return Unknown(type(error).__name__)


def _opt_out_link(due: Due) -> str:
    if due.purpose == "service":
        return ""
    return f"{settings.LIUKE_SITE_URL}/u/{unsubscribe_token(due)}"


def _record(going: Sequence[Due], outcomes: Sequence[Outcome]) -> None:
    """Write down what came of it. A lost database is waited for a little: nobody else knows these outcomes."""
    for pause in RECORD_PAUSES_SECONDS:
        try:
            return _record_once(going, outcomes)
        except DatabaseTrouble as lost:
            _log.warning("recording what was sent: %s", type(lost).__name__)
            connection.close()
            time.sleep(pause)
    return _record_once(going, outcomes)


def _record_once(going: Sequence[Due], outcomes: Sequence[Outcome]) -> None:
    at = clock.now()
    ends: list[End] = []
    again: dict[int, dt.datetime] = {}
    for due, outcome in zip(going, outcomes, strict=True):
        if isinstance(outcome, Rejected) and outcome.is_passing and due.attempts < len(BACK_OFF):
            again[due.id] = at + BACK_OFF[due.attempts]
        else:
            ends.append(told(due.id, outcome))
    try:
        with transaction.atomic():
            _queue_again(again)
            settle(ends, before=("sending", "unknown"), at=at)
    except IntegrityError:  # a provider's name for a message that is another message's already
        with transaction.atomic():
            _queue_again(again)
            settle([replace(end, provider_id="") for end in ends], before=("sending",), at=at)


def _queue_again(moments: Mapping[int, dt.datetime]) -> None:
    if not moments:
        return
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, [list(moments), list(moments.values())])
