"""An agent says that a member has trouble: care instead of offers until it is over."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from liuke.base import clock, ids
from liuke.engagement.actions.calls import lapse
from liuke.engagement.errors import UnknownFlag, WhyMissing
from liuke.engagement.models import Call, TroubleFlag
from liuke.people.actions import record_act
from liuke.people.models import Login, Member

WHY_LETTERS = 300


def raise_trouble(
    member: Member, *, why: str, until: dt.date | None, by: Login | None, wants_call: bool = True
) -> TroubleFlag:
    """Flag a member; marketing to them stops at once, messages in the outbox included.

    `until` is the last day it holds, None until it is closed. With `wants_call` an agent is asked to ring them.

    Raises:
        WhyMissing: no reason was written.
    """
    why = why.strip()[:WHY_LETTERS]
    if not why:
        raise WhyMissing
    at = clock.now()
    with transaction.atomic():
        flag = TroubleFlag.objects.create(member=member, why=why, by=by, raised_at=at, until=until)
        if wants_call:
            Call.objects.create(
                reference=ids.new_reference(),
                kind="care",
                member=member,
                trouble=flag,
                state="open",
                made_at=at,
            )
        record_act(by=by, verb="trouble.raise", about=member.reference, flag=flag.pk)
    return flag


def close_trouble(flag_id: int, *, by: Login | None) -> None:
    """The trouble is over; a care call that nobody has taken yet is not needed any more.

    Raises:
        UnknownFlag: there is no such flag, or it is closed already.
    """
    at = clock.now()
    with transaction.atomic():
        flag = TroubleFlag.objects.select_related("member").filter(pk=flag_id).first()
        closed = TroubleFlag.objects.filter(pk=flag_id, closed_at=None).update(closed_at=at)
        if flag is None or not closed:
            raise UnknownFlag
        lapse(Call.objects.filter(trouble=flag, state="open"), at=at)
        record_act(by=by, verb="trouble.close", about=flag.member.reference, flag=flag_id)
