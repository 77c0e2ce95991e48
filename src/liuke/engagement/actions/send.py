"""Send what is due: mark it, call the channel outside any transaction, record what came of it (decision 0030).

What is marked `sending` is being handed over at this moment, never more than HANDS messages in a process; a process
killed there leaves them to `recover_unfinished`, and none is ever sent a second time.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
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
_OPEN = ("sending", "unknown")  # unknown: somebody gave this worker up, too soon

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
    """Send what is due: of each outside channel up to `limit` messages, of each table of ours a set.

    Answers how many messages were looked at: sent, cancelled, or put off until the member's morning. 0 means that
    nothing is due. Call it outside any transaction, from as many processes as you like.
    """
    in_force = policy()
    seen = sum(_send_own(key, in_force) for key in OWN)
    with ThreadPoolExecutor(HANDS) as hands:
        return seen + sum(_send_outside(key, in_force, hands, limit) for key in OUTSIDE)


def _send_own(key: str, in_force: OutreachPolicy) -> int:
    """A channel that is a table of ours: effect and record in one transaction."""
    at = clock.now()
    with transaction.atomic():
        seen, going = _take(key, OWN_AT_ONCE, in_force, at)
        if going:
            OWN[key].put([due.id for due in going], at=at)
            settle([told(due.id, Accepted("")) for due in going], before=("sending",), at=at)
    return seen


def _send_outside(key: str, in_force: OutreachPolicy, hands: Executor, limit: int) -> int:
    """A channel in somebody else's hands: mark, call outside any transaction, record; a few at a time."""
    seen = 0
    while seen < limit:
        with transaction.atomic():
            some, going = _take(key, min(HANDS, limit - seen), in_force, clock.now())
        if not some:
            break
        seen += some
        outcomes = list(hands.map(_hand_over, going))
        if going:
            _record(going, outcomes)
    return seen


def _take(key: str, limit: int, in_force: OutreachPolicy, at: dt.datetime) -> tuple[int, list[Due]]:
    """Lock what is due, end what may not go, put off what must wait, mark the rest; (how many seen, the rest)."""
    until = at + dt.timedelta(hours=in_force.cap_hours)
    found = check_due(channel=key, limit=limit, at=at, until=until, policy=in_force)
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
            settle(ends, before=_OPEN, at=at)
    except IntegrityError:  # a provider's name for a message that is another message's already
        with transaction.atomic():
            _queue_again(again)
            settle([replace(end, provider_id="") for end in ends], before=_OPEN, at=at)


def _queue_again(moments: Mapping[int, dt.datetime]) -> None:
    if not moments:
        return
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, [list(moments), list(moments.values())])
