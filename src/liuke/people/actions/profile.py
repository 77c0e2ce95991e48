"""What a member tells us about themselves. It is kept on the person's own row, whichever of their rows is asked."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, transaction

from liuke.base import clock, sealing
from liuke.people.actions.acts import record_act
from liuke.people.actions.enrol import stop_enrolling
from liuke.people.birthdays import is_day_of_a_year
from liuke.people.errors import (
    BadBirthday,
    BadQuietHours,
    BadTimeZone,
    ErasedMember,
    NotAPhoneNumber,
    PhoneTaken,
)
from liuke.people.models import Login, Member
from liuke.people.rules import CALENDARS, PHONE_PURPOSE, ZONE_ORIGINS, read_phone


def own_row(member: Member) -> Member:
    """The row where the person's profile is kept, held until the transaction ends.

    Raises:
        ErasedMember: nothing is kept about them.
    """
    own = Member.objects.select_for_update(no_key=True).get(pk=member.person_id)
    if own.erased_at is not None:
        raise ErasedMember
    return own


@transaction.atomic
def set_time_zone(*, member: Member, zone: str, origin: str) -> bool:
    """Keep where the member's clock stands. What the member said beats the device, the device beats the source.

    An empty `zone` forgets it. Answers whether it is kept; a lesser origin changes nothing.

    Raises:
        BadTimeZone: no IANA name, or an unknown origin.
        ErasedMember: nothing is kept about them.
    """
    if origin not in ZONE_ORIGINS or (zone and not _is_zone(zone)):
        raise BadTimeZone(zone=zone)
    own = own_row(member)
    known = own.time_zone_from
    if known and ZONE_ORIGINS.index(known) < ZONE_ORIGINS.index(origin):
        return False
    own.time_zone, own.time_zone_from = zone, origin if zone else ""
    own.save(update_fields=["time_zone", "time_zone_from"])
    return True


@transaction.atomic
def set_birthday(
    *, member: Member, month: int | None, day: int | None, calendar: str = "solar"
) -> None:
    """Keep a birthday without its year, in the solar or the lunar calendar; None forgets it.

    Raises:
        BadBirthday: no year has this day.
        ErasedMember: nothing is kept about them.
    """
    own = own_row(member)
    if month is None and day is None:
        own.birth_month, own.birth_day, own.birth_calendar = None, None, ""
    elif (
        month is None
        or day is None
        or calendar not in CALENDARS
        or not is_day_of_a_year(month, day, calendar)
    ):
        raise BadBirthday
    else:
        own.birth_month, own.birth_day, own.birth_calendar = month, day, calendar
    own.save(update_fields=["birth_month", "birth_day", "birth_calendar"])


@transaction.atomic
def set_quiet_hours(*, member: Member, from_: dt.time | None, until: dt.time | None) -> None:
    """Keep the member's own hours without messages, in their time zone; `until` may be the next day. None forgets.

    Raises:
        BadQuietHours: only one end, or both the same.
        ErasedMember: nothing is kept about them.
    """
    if (from_ is None) != (until is None) or (from_ is not None and from_ == until):
        raise BadQuietHours
    own = own_row(member)
    own.quiet_from, own.quiet_until = from_, until
    own.save(update_fields=["quiet_from", "quiet_until"])


@transaction.atomic
def set_phone(*, member: Member, phone: str, by: Login | None) -> None:
    """Give a person another number, on each of their rows; whoever has the old one gets in no more.

    Raises:
        ErasedMember: nothing is kept about them.
        NotAPhoneNumber: not a mainland mobile number.
        PhoneTaken: another person has it.
    """
    digits = read_phone(phone)
    if digits is None:
        raise NotAPhoneNumber
    index = sealing.blind_index(digits, PHONE_PURPOSE)
    stop_enrolling()
    own = own_row(member)
    if own.phone_index == index:
        return
    try:
        with transaction.atomic():
            Member.objects.filter(person_id=own.pk).update(
                phone_sealed=sealing.seal(digits, PHONE_PURPOSE),
                phone_index=index,
                sessions_from=clock.now(),
            )
    except IntegrityError as taken:
        raise PhoneTaken from taken
    record_act(by=by, verb="member.phone", about=own.reference)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
