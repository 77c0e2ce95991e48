"""What is noted of visits, and the one switch for it: a member's consent, or a choice kept on this device."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from liuke.analytics.actions.behaviour import forget_behaviour
from liuke.interfaces.storefront import beacon, wording
from liuke.interfaces.storefront.sessions import keep_notes_choice, member_of
from liuke.people.actions import change_consent
from liuke.people.models import Member
from liuke.people.queries import may_be_noted


@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    """For everybody: what is noted, what for, how long, and on or off."""
    member = member_of(request)
    if request.method == "POST":
        return _choose(request, member)
    is_allowed = member is None or bool(may_be_noted([member.pk]))
    context = {
        "member": member,
        "is_on": is_allowed and beacon.NO_NOTES_COOKIE not in request.COOKIES,
        "is_asked": beacon.asks_for_no_notes(request.headers),
        "ask": gettext(wording.BEHAVIOUR_ASK),
        "months": settings.LIUKE_BEHAVIOUR_MONTHS,
    }
    return render(request, "shop/privacy.html", context)


def _choose(request: HttpRequest, member: Member | None) -> HttpResponse:
    """A no is obeyed at once: with it goes what was noted so far."""
    is_given = request.POST.get("is_given") == "yes"
    if member is not None:
        with transaction.atomic():
            change_consent(
                person_id=member.pk,
                channel="site",
                purpose="behaviour",
                is_given=is_given,
                basis="member",
                words=gettext(wording.BEHAVIOUR_ASK),
            )
            if not is_given:
                forget_behaviour(person_id=member.pk)
    if is_given:
        messages.success(request, gettext("From now on your visits are noted."))
    else:
        messages.success(
            request, gettext("Nothing is noted any more, and what was noted is deleted.")
        )
    response = HttpResponseRedirect(reverse("storefront:privacy"))
    keep_notes_choice(response, is_given=is_given)
    return response
