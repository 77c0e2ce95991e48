"""A member has trouble: raise the flag, so that they get care and no offers; close it when it is over."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from liuke.base import clock
from liuke.engagement import queries
from liuke.engagement.actions.trouble import close_trouble, raise_trouble
from liuke.engagement.errors import UnknownFlag
from liuke.interfaces.console.once import is_first
from liuke.interfaces.console.telling import attempt, login_of
from liuke.people.queries import member_by_reference

DAYS_MAX = 365


@require_POST
def raise_flag(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Flag a member, and ask for a call unless told not to.

    Raises:
        UnknownMember: nobody has this reference.
    """
    member = member_by_reference(reference)
    if is_first(request):
        given = request.POST
        attempt(
            request,
            lambda: raise_trouble(
                member=member,
                why=given.get("why", ""),
                until=_until(given.get("days", "")),
                by=login_of(request),
                wants_call=given.get("wants_call") == "1",
            ),
            gettext("Flagged: no offers from now on."),
        )
    return redirect("console:member", member.reference)


@require_POST
def close_flag(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Close one open flag of this member.

    Raises:
        UnknownMember: nobody has this reference.
        UnknownFlag: it is not an open flag of theirs.
    """
    member = member_by_reference(reference)
    given = request.POST.get("flag", "")
    flag = next((f for f in queries.open_troubles(member) if str(f.pk) == given), None)
    if flag is None:
        raise UnknownFlag
    attempt(
        request,
        lambda: close_trouble(flag_id=flag.pk, by=login_of(request)),
        gettext("Closed. Offers may come again."),
    )
    return redirect("console:member", member.reference)


def _until(days: str) -> dt.date | None:
    """The last day of the flag; None, until it is closed, for anything but a sensible number of days."""
    if not (days.isascii() and days.isdecimal() and 0 < int(days) <= DAYS_MAX):
        return None
    return clock.today() + dt.timedelta(days=int(days))
