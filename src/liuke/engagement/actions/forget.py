"""A member was erased: nothing more goes to them, and what was said to them or about them is blanked."""

from __future__ import annotations

from django.db import transaction

from liuke.base import clock
from liuke.engagement.actions.calls import lapse
from liuke.engagement.actions.settle import cancelled, settle
from liuke.engagement.models import Call, Message, TroubleFlag


def forget_member(*, member_id: int) -> None:
    """Cancel what is queued for a member and give its week back; blank texts and notes; close their flags.

    Decisions and contacts stay as bare facts, so that results and the weekly cap stay true. Doing it twice changes
    nothing.
    """
    at = clock.now()
    with transaction.atomic():
        messages = Message.objects.filter(member=member_id)
        queued = messages.filter(state="queued").order_by("id").select_for_update(no_key=True)
        ends = [cancelled(message.pk, "erased") for message in queued]
        settle(ends, before=("queued",), at=at)
        messages.exclude(subject="", body="").update(subject="", body="")
        calls = Call.objects.filter(member=member_id)
        lapse(calls.filter(state__in=("open", "taken")), at=at)
        calls.exclude(note="").update(note="")
        flags = TroubleFlag.objects.filter(member=member_id)
        flags.filter(closed_at=None).update(closed_at=at)
        flags.exclude(why="").update(why="")
