"""One segment: its rule in words, its size and how it grows, why somebody is in; and the form that makes a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from liuke.analytics import queries
from liuke.analytics.actions.segments import change_segment, rename_segment, save_segment
from liuke.analytics.errors import NoOrdersYet
from liuke.analytics.models import Segment, Source
from liuke.analytics.segments import grammar
from liuke.base.errors import Conflict, Invalid, NotFound
from liuke.interfaces.console.filters import STAGES, Filters, address
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.segment_form import JOINS, RuleForm
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.analysis_words import reason_says
from liuke.interfaces.ui.segment_words import (
    FACTS,
    Names,
    names_of,
    parts_of,
    rule_says,
    segment_name,
)
from liuke.people.queries import member_by_reference

NOBODY_MOVED = queries.Growth(0, 0, 0, 0)


@dataclass(frozen=True)
class Told:
    """A condition in words, and whether the member asked about meets it; None when nobody was asked about."""

    says: str
    holds: bool | None = None


@require_GET
def segment(request: HttpRequest, reference: str) -> HttpResponse:
    """A segment; `?member=` says of one member which conditions they meet.

    Raises:
        UnknownSegment: none has this reference.
    """
    found = queries.segment_named(reference)
    frame = frame_of(request, "segments", source=found.source)
    rule, names = grammar.read(found.rule), _names(found.source, frame)
    context = {
        "frame": frame,
        "segment": found,
        "name": segment_name(found),
        "says": rule_says(rule, names),
        "parts": [rule_says(part, names) for part in parts_of(rule)],
        "is_any": isinstance(rule, grammar.Or),
        "members": found.members,
        "growth": queries.segment_growth(found.source).get(found.pk, NOBODY_MOVED),
        "action": wording.action_name(found.action) if found.action else "",
        "people": address("console:members", source=frame.source_key, within=reference),
        "plan": address("console:new_plan", source=frame.source_key, segment=reference),
        "back": address("console:segments", source=frame.source_key),
        **_asked_about(request, found, names),
    }
    return render(request, "console/segment.html", context)


@require_http_methods(["GET", "POST"])
def new_segment(request: HttpRequest) -> HttpResponse:
    """The form of a rule that is not there yet; it starts from the filter in the address.

    Raises:
        NoOrdersYet: there is no source.
    """
    frame = frame_of(request, "segments")
    source = frame.source
    if source is None:
        raise NoOrdersYet
    if request.method == "GET":
        start = queries.rule_of(Filters.read(request.GET).audience(), source=source)
        return _form_page(request, frame, RuleForm.of(start, source) or RuleForm(source), {})
    form = RuleForm.read(request.POST, source)
    typed = _typed(request)
    if not _is_saving(request):
        return _form_page(request, frame, form, typed)
    rule = form.rule()
    if form.is_wrong:
        return _form_page(request, frame, form, typed, says=_LOOK_AGAIN)
    try:
        made = save_segment(source=source, filter=rule, by=login_of(request), **typed)
    except (Invalid, Conflict) as refusal:
        return _form_page(request, frame, form, typed, says=str(refusal))
    messages.success(request, gettext("Saved as %(name)s.") % {"name": made.name})
    return redirect("console:segment", made.reference)


@require_http_methods(["GET", "POST"])
def edit_segment(request: HttpRequest, reference: str) -> HttpResponse:
    """The form of a rule that is there.

    Raises:
        UnknownSegment: none has this reference.
    """
    found = queries.segment_named(reference)
    frame = frame_of(request, "segments", source=found.source)
    shown = RuleForm.of(grammar.read(found.rule), found.source)
    if shown is None:
        messages.info(request, gettext("This rule has more floors than the form can show."))
        return redirect("console:segment", reference)
    if request.method == "GET":
        kept = {"name": segment_name(found), "action": found.action}
        return _form_page(request, frame, shown, kept, found=found)
    form, typed = RuleForm.read(request.POST, found.source), _typed(request)
    if not _is_saving(request):
        return _form_page(request, frame, form, typed, found=found)
    rule = form.rule()
    if form.is_wrong:
        return _form_page(request, frame, form, typed, found=found, says=_LOOK_AGAIN)
    try:
        _change(request, found, rule, typed)
    except (Invalid, Conflict) as refusal:
        return _form_page(request, frame, form, typed, found=found, says=str(refusal))
    messages.success(request, gettext("Saved."))
    return redirect("console:segment", reference)


_LOOK_AGAIN = "look again"


def _change(
    request: HttpRequest, found: Segment, rule: dict[str, Any], typed: dict[str, str]
) -> None:
    by = login_of(request)
    if typed["name"] != segment_name(found):
        rename_segment(reference=found.reference, name=typed["name"], by=by)
    change_segment(reference=found.reference, filter=rule, action=typed["action"], by=by)


def _typed(request: HttpRequest) -> dict[str, str]:
    return {key: request.POST.get(key, "").strip() for key in ("name", "action")}


def _is_saving(request: HttpRequest) -> bool:
    return request.POST.get("deed", "save") == "save"


def _form_page(
    request: HttpRequest,
    frame: Frame,
    form: RuleForm,
    typed: dict[str, str],
    *,
    found: Segment | None = None,
    says: str = "",
) -> HttpResponse:
    source = form.source
    is_told = request.method == "GET" or request.POST.get("deed") == "look"
    if says == _LOOK_AGAIN:
        says = gettext("Not saved: something below needs another look.")
    context = {
        "frame": frame,
        "form": form,
        "found": found,
        "name": typed.get("name", ""),
        "action": typed.get("action", ""),
        "says": says,
        **(_preview(form, frame) if is_told else {}),
        "facts": [(key, gettext(name)) for key, name in FACTS.items()],
        "joins": [(key, gettext(name)) for key, name in JOINS.items()],
        "actions": [(key, gettext(name)) for key, name in wording.ACTIONS.items()],
        "stages": [(key, wording.stage_name(key)) for key in STAGES],
        "reasons": [(key, reason_says(key)) for key in grammar.REASONS],
        "groups": [(g.key, wording.group_name(g.key, g.name)) for g in queries.groups()],
        "segments": [
            (each.reference, segment_name(each))
            for each in queries.segments(source)
            if found is None or each.reference != found.reference
        ],
        "back": reverse("console:segment", args=[found.reference])
        if found
        else address("console:segments", source=frame.source_key),
    }
    return render(request, "console/segment_form.html", context, status=400 if says else 200)


def _preview(form: RuleForm, frame: Frame) -> dict[str, Any]:
    """The rule in words, and how many fit at this moment; nothing while something is wrong."""
    rule = form.rule()
    if form.is_wrong:
        return {}
    try:
        node = queries.rule_of(rule, source=form.source)
    except Invalid:
        return {}
    return {
        "preview": rule_says(node, _names(form.source, frame)),
        "members": queries.audience_size(form.source, rule),
    }


def _asked_about(request: HttpRequest, found: Segment, names: Names) -> dict[str, Any]:
    """Which conditions the member of the address meets."""
    reference = request.GET.get("member", "").strip()
    if not reference:
        return {}
    try:
        member = member_by_reference(reference)
    except NotFound:
        return {"asked": reference, "why": None}
    why = queries.why_in(found, member)
    parts = [Told(rule_says(part.rule, names), part.holds) for part in why.parts] if why else []
    return {"asked": reference, "member": member, "why": why, "why_parts": parts}


def _names(source: Source, frame: Frame) -> Names:
    return Names(source.currency, frame.group_names, names_of(source))
