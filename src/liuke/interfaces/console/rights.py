"""What a member may ask of us: to be left alone, to take along what we know, to be forgotten."""

from __future__ import annotations

import json

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from liuke.base import clock, ids
from liuke.base.errors import Forbidden
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.member_file import file_of
from liuke.people import queries as people
from liuke.people.actions import change_consent, erase_member, record_act
from liuke.people.queries import member_by_reference


@require_POST
def consent(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Write down what a member told us: a no by anybody, a yes by an operator only.

    Raises:
        Forbidden: an agent wrote a yes.
        UnknownMember: nobody has this reference.
    """
    member = member_by_reference(reference)
    by, given = login_of(request), request.POST
    is_given = given.get("said") == "yes"
    if is_given and not by.is_operator:
        raise Forbidden
    attempt(
        request,
        lambda: change_consent(
            person_id=member.person_id,
            channel=given.get("channel", ""),
            purpose=given.get("purpose", ""),
            is_given=is_given,
            basis="agent",
            words=given.get("words", "").strip()[:500],
            by=by,
        ),
        gettext("Written down."),
    )
    return redirect("console:member", member.reference)


@require_POST
@transaction.atomic
def export(request: HttpRequest, reference: str) -> HttpResponse:
    """Everything known of a member as one JSON file; that it was taken is written down.

    Raises:
        UnknownMember: nobody has this reference.
    """
    member = member_by_reference(reference)
    rows = people.members_of(member.person_id)  # one person may be known from several logs
    file = {"made_at": clock.now(), "known_as": [file_of(row) for row in rows]}
    record_act(by=login_of(request), verb="member.export", about=member.reference)
    text = json.dumps(file, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    name = f"liuke-{member.reference}.json"
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
def erase(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Forget a member, once their reference was typed to confirm it.

    Raises:
        UnknownMember: nobody has this reference.
    """
    member = member_by_reference(reference)
    if ids.read_reference(request.POST.get("confirmed", "")) != member.reference:
        messages.error(
            request, gettext("Nothing was erased: the reference typed is not this member's.")
        )
        return redirect("console:member", member.reference)
    attempt(
        request,
        lambda: erase_member(member=member, by=login_of(request)),
        gettext("Erased. What they bought stays, under a name that says nothing."),
    )
    return redirect("console:member", member.reference)
