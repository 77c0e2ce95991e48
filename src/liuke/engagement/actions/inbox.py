"""A member reads what came to their inbox."""

from __future__ import annotations

from django.db import transaction

from liuke.analytics.actions.behaviour import note_behaviour
from liuke.base import clock
from liuke.engagement.errors import UnknownMessage
from liuke.engagement.models import Message


def open_message(reference: str, *, person_id: int) -> Message:
    """The member's own message; the first time it is opened is kept.

    Raises:
        UnknownMessage: there is none of this reference in this person's inbox.
    """
    with transaction.atomic():
        mine = Message.objects.filter(
            reference=reference, person__person_id=person_id, channel="inbox", state="accepted"
        )
        if mine.filter(opened_at=None).update(opened_at=clock.now()):
            note_behaviour(person_id=person_id, kind="open")
        message = mine.first()
    if message is None:
        raise UnknownMessage
    return message
