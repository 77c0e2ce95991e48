"""Messages whose outcome was lost, and outcomes that come late."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from liuke.base import clock
from liuke.base.outside import Accepted, Outcome, Rejected, Unknown
from liuke.engagement.actions.settle import settle, told
from liuke.engagement.errors import UnknownMessage
from liuke.engagement.models import Message

UNFINISHED_AFTER = dt.timedelta(minutes=5)


def recover_unfinished(*, after: dt.timedelta = UNFINISHED_AFTER) -> int:
    """Whoever marked these as being sent is gone: they end as unknown, keep their week, and are never sent again.

    Answers how many. `after` is longer than a channel may take for one call.
    """
    at = clock.now()
    with transaction.atomic():
        lost = Message.objects.filter(state="sending", began_at__lte=at - after).order_by("id")
        ids = list(
            lost.select_for_update(no_key=True, skip_locked=True).values_list("id", flat=True)
        )
        ends = [told(found, Unknown("nobody was left to hear the answer")) for found in ids]
        return len(settle(ends, before=("sending",), at=at))


def record_outcome(*, message_reference: str, outcome: Outcome) -> bool:
    """What a provider says later about one message; True when that was news.

    Unknown may become accepted or rejected (then the week is given back). Accepted stays accepted, rejected stays
    rejected, and hearing the same twice changes nothing.

    Raises:
        UnknownMessage: no message has this reference.
    """
    open_to: dict[type, tuple[str, ...]] = {
        Accepted: ("sending", "unknown"),
        Rejected: ("sending", "unknown"),
        Unknown: ("sending",),
    }
    with transaction.atomic():
        message = Message.objects.filter(reference=message_reference).first()
        if message is None:
            raise UnknownMessage
        return bool(
            settle([told(message.pk, outcome)], before=open_to[type(outcome)], at=clock.now())
        )
