"""Forget who a member is. What they bought stays, under a name that says nothing."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from liuke.base import clock
from liuke.events.actions import publish
from liuke.people.actions.acts import record_act
from liuke.people.actions.consent import speak_beside_others, withdraw_everything
from liuke.people.actions.enrol import erased_name, stop_enrolling
from liuke.people.events import MemberErased
from liuke.people.models import Login, LoginCode, Member

NO_FACE = {
    "phone_sealed": None,
    "phone_index": None,
    "email_sealed": None,
    "email_index": None,
    "email_confirmed_at": None,
    "time_zone": "",
    "time_zone_from": "",
    "birth_month": None,
    "birth_day": None,
    "birth_calendar": "",
    "quiet_from": None,
    "quiet_until": None,
}


@transaction.atomic
def erase_member(*, member: Member, by: Login | None, basis: str = "agent") -> None:
    """Take the face off every row of the person, withdraw each consent, end their sessions. Again changes nothing.

    `basis` is "member" when they did it themselves. Waits for imports under way: one of them may be bringing the
    name in. The same log imported again finds the same rows by what is left of the name.
    """
    stop_enrolling()
    speak_beside_others()
    rows = list(
        Member.objects.select_for_update(no_key=True)
        .filter(person_id=member.person_id)
        .order_by("id")
    )
    person = next(row for row in rows if row.pk == member.person_id)
    if person.erased_at is not None:
        return
    addresses = [index for row in rows for index in (row.phone_index, row.email_index) if index]
    LoginCode.objects.filter(Q(address_index__in=addresses) | Q(person=person)).delete()
    now = clock.now()
    for row in rows:
        Member.objects.filter(pk=row.pk).update(
            **NO_FACE,
            external_id=erased_name(row.source, row.external_id),
            sessions_from=now,
            erased_at=now,
        )
        publish(MemberErased(member_id=row.pk, person_id=person.pk), member=row.pk)
    withdraw_everything(person, basis=basis, by=by)
    record_act(by=by, verb="member.erase", about=person.reference)
