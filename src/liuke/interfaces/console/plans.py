"""Plans: the list, what to start from, the form, and what is done to a plan by one click."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from liuke.analytics import queries as analytics
from liuke.analytics.errors import NoOrdersYet
from liuke.analytics.models import Source
from liuke.analytics.segments import grammar
from liuke.base.errors import Invalid
from liuke.engagement import queries
from liuke.engagement.actions import plans as actions
from liuke.engagement.models import Plan, PlanVersion
from liuke.engagement.queries import PlanRow, PlanTemplate
from liuke.interfaces.console.filters import Filters, address
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.once import is_first, new_token
from liuke.interfaces.console.plan_form import SPECIAL_DAYS, PlanForm, from_template, from_version
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui.audience_words import audience_says
from liuke.interfaces.ui.outreach_words import CHANNELS, CHANNELS_SAY, PURPOSES, PURPOSES_SAY
from liuke.interfaces.ui.result_words import verdict_short
from liuke.interfaces.ui.segment_words import names_of, segment_name


@dataclass(frozen=True)
class Card:
    """Something to start from: whom it means here, and how many that are now."""

    template: PlanTemplate
    says: str
    members: int
    href: str


@dataclass(frozen=True)
class Line:
    """A plan as the list shows it."""

    row: PlanRow
    says: str
    sent: int
    done_share: float
    verdict: str


@dataclass(frozen=True)
class Choice:
    """A tile to choose."""

    key: str
    name: str
    says: str


@require_GET
def plans(request: HttpRequest) -> HttpResponse:
    """Every plan of a source; `?retired=1` those put away too."""
    frame = frame_of(request, "plans")
    if frame.source is None:
        return render(request, "console/nothing.html", {"frame": frame})
    is_all = request.GET.get("retired") == "1"
    rows = queries.plans(frame.source, retired=is_all)
    names = names_of(frame.source)
    context = {
        "frame": frame,
        "lines": [_line(row, frame, names) for row in rows],
        "cards": [_card(template, frame, frame.source) for template in queries.templates()],
        "is_all": is_all,
        "all_href": address("console:plans", source=frame.source_key, retired="1"),
        "new_href": address("console:new_plan", source=frame.source_key),
    }
    return render(request, "console/plans.html", context)


@require_http_methods(["GET", "POST"])
def new_plan(request: HttpRequest) -> HttpResponse:
    """The form of a plan that is not there yet: blank, from a template, a segment, or a filter of the member list."""
    frame = frame_of(request, "plans")
    source = _source(frame)
    if request.method == "GET":
        chosen = _template(request.GET.get("template", ""))
        form = _fresh(request, source, chosen)
        return _form_page(request, frame, form, template=chosen.key if chosen else "")
    template, filters = request.POST.get("template", ""), Filters.read(request.POST)
    audience = _ruled(_template(template), filters)
    form = PlanForm(request.POST, source=source, filters=filters, audience=audience)
    if not form.is_valid():
        return _form_page(request, frame, form, template=template)
    if not is_first(request):
        return redirect(address("console:plans", source=frame.source_key))
    try:
        plan = actions.make_plan(
            source=source, template=template or None, by=login_of(request), **form.said()
        )
    except Invalid as refusal:
        form.refuse(refusal)
        return _form_page(request, frame, form, template=template)
    return redirect("console:plan", plan.reference)


@require_http_methods(["GET", "POST"])
def edit_plan(request: HttpRequest, reference: str) -> HttpResponse:
    """The form of a plan that is there; saving makes its next version.

    Raises:
        UnknownPlan: there is none.
        PlanIsRetired: it is put away.
    """
    plan = queries.plan_named(reference)
    frame = frame_of(request, "plans", source=plan.source)
    version = queries.version_in_force(plan)
    if request.method == "GET":
        form = PlanForm(
            None,
            source=plan.source,
            filters=Filters.of(version.audience),
            audience=version.audience,
            kept=version.special,
            initial=from_version(version),
        )
        return _form_page(request, frame, form, version=version)
    form = PlanForm(
        request.POST,
        source=plan.source,
        filters=Filters.read(request.POST),
        audience=version.audience if queries.is_ruled(version) else None,
        kept=version.special,
    )
    if form.is_valid():
        try:
            actions.edit_plan(reference, by=login_of(request), **_changed(form, version))
            return redirect("console:plan", reference)
        except Invalid as refusal:
            form.refuse(refusal)
    return _form_page(request, frame, form, version=version)


@require_POST
def retire(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Put a plan away."""
    plan = queries.plan_named(reference)
    attempt(
        request,
        lambda: actions.retire_plan(reference, by=login_of(request)),
        gettext("%(name)s is retired.") % {"name": plan.name},
    )
    return redirect("console:plan", reference)


@require_POST
def daily(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Let it run every day."""
    says = gettext("This plan now runs by itself every day.")
    return _change(request, reference, actions.activate_daily, says)


@require_POST
def by_hand(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Let it run by hand only."""
    says = gettext("This plan no longer runs by itself.")
    return _change(request, reference, actions.end_daily, says)


def _change(
    request: HttpRequest, reference: str, action: Callable[..., Plan], says: str
) -> HttpResponseRedirect:
    attempt(request, lambda: action(reference, by=login_of(request)), says)
    return redirect("console:plan", reference)


def _source(frame: Frame) -> Source:
    if frame.source is None:
        raise NoOrdersYet
    return frame.source


def _template(key: str) -> PlanTemplate | None:
    return next((template for template in queries.templates() if template.key == key), None)


def _fresh(request: HttpRequest, source: Source, template: PlanTemplate | None) -> PlanForm:
    """A form not yet sent: what the address says of template, segment and filter is filled in."""
    initial: dict[str, Any] = {
        "channel": "inbox",
        "purpose": "marketing",
        "window_days": 30,
        "again_after_days": 30,
        "special_days": SPECIAL_DAYS,
    }
    filters = Filters.read(request.GET)
    audience = _ruled(template, filters)
    if template is not None:
        initial |= from_template(template, source)
        if not filters.audience():
            filters = Filters.of(template.audience)
    if reference := request.GET.get("segment", ""):
        segment = analytics.segment_named(reference)
        initial["segment"] = segment.reference
        initial.setdefault("name", segment_name(segment))
    return PlanForm(None, source=source, filters=filters, audience=audience, initial=initial)


def _ruled(template: PlanTemplate | None, filters: Filters) -> dict[str, Any] | None:
    """The audience of a template that no filter can say, unless filters say another."""
    if template is None or "rule" not in template.audience or filters.audience():
        return None
    return dict(template.audience)


def _changed(form: PlanForm, version: PlanVersion) -> dict[str, Any]:
    """What to change; an emptied control share means the one there was."""
    said = form.said()
    if said["control_permyriad"] is None:
        said["control_permyriad"] = version.control_permyriad
    return said


def _form_page(
    request: HttpRequest,
    frame: Frame,
    form: PlanForm,
    *,
    template: str = "",
    version: PlanVersion | None = None,
) -> HttpResponse:
    source = form.source
    audience = form.audience
    kept = form.filters.but(search="", sort="money").query()
    context = {
        "frame": frame,
        "form": form,
        "template": template,
        "version": version,
        "once": new_token(),
        "kept": kept,
        "audience_says": audience_says(
            audience, source.currency, frame.group_names, names_of(source)
        ),
        "people": ""
        if grammar.is_rule(audience)
        else address("console:members", source=frame.source_key, **kept),
        "members": analytics.audience_size(source, audience),
        "segments": analytics.segments(source),
        "channels": _choices(CHANNELS, CHANNELS_SAY),
        "purposes": _choices(PURPOSES, PURPOSES_SAY),
        "variables": queries.variables(),
        "currency": source.currency,
        "back": reverse("console:plan", args=[version.plan.reference])
        if version
        else address("console:plans", source=frame.source_key),
    }
    status = 400 if form.is_bound else 200
    return render(request, "console/plan_form.html", context, status=status)


def _choices(names: dict[str, str], sayings: dict[str, str]) -> list[Choice]:
    return [Choice(key, gettext(names[key]), gettext(sayings[key])) for key in names]


def _card(template: PlanTemplate, frame: Frame, source: Source) -> Card:
    audience = dict(template.audience)
    return Card(
        template=template,
        says=audience_says(audience, source.currency, frame.group_names),
        members=analytics.audience_size(source, audience),
        href=address("console:new_plan", source=frame.source_key, template=template.key),
    )


def _line(row: PlanRow, frame: Frame, names: dict[str, str]) -> Line:
    progress = queries.progress(row.run) if row.run else None
    return Line(
        row=row,
        says=audience_says(
            row.version.audience,
            row.plan.source.currency,
            frame.group_names,
            names,
        ),
        sent=progress.by_reason.get("accepted", 0) if progress else 0,
        done_share=progress.done_share if progress else 0.0,
        verdict=verdict_short(queries.results_of(row.plan)) if row.run else "",
    )
