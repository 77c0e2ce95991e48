"""The list of segments: how many are in, how each grows, and what to do with them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from liuke.analytics import queries
from liuke.analytics.actions.segments import rename_segment, retire_segment, save_segment
from liuke.analytics.errors import NoOrdersYet
from liuke.analytics.models import Segment
from liuke.interfaces.console.filters import Filters, address
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.segment_page import NOBODY_MOVED
from liuke.interfaces.console.telling import attempt, login_of
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.audience_words import audience_says
from liuke.interfaces.ui.segment_words import names_of, segment_name


@dataclass(frozen=True)
class Line:
    """A segment as the list shows it."""

    segment: Segment
    says: str
    action: str
    growth: queries.Growth
    people: str
    plan: str


@require_GET
def segments(request: HttpRequest) -> HttpResponse:
    """Every segment of a source, with how many are in and how it grows."""
    frame = frame_of(request, "segments")
    if frame.source is None:
        return render(request, "console/nothing.html", {"frame": frame})
    names, growth = names_of(frame.source), queries.segment_growth(frame.source)
    lines = [
        _line(segment, frame, names, growth.get(segment.pk, NOBODY_MOVED))
        for segment in queries.segments(frame.source)
    ]
    new_href = address("console:new_segment", source=frame.source_key)
    context = {"frame": frame, "lines": lines, "new_href": new_href}
    return render(request, "console/segments.html", context)


@require_POST
def save(request: HttpRequest) -> HttpResponseRedirect:
    """Give the filter of the member list a name."""
    frame = frame_of(request)
    source = frame.source
    if source is None:
        raise NoOrdersYet
    filters = Filters.read(request.POST)
    name = request.POST.get("name", "").strip()
    done = attempt(
        request,
        lambda: save_segment(
            source=source, name=name, filter=filters.audience(), by=login_of(request)
        ),
        gettext("Saved as %(name)s.") % {"name": name},
    )
    back = "console:segments" if done else "console:members"
    kept = {} if done else filters.query()
    return redirect(address(back, source=frame.source_key, **kept))


@require_POST
def rename(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Another name for the same filter.

    Raises:
        UnknownSegment: none has this reference.
    """
    name = request.POST.get("name", "").strip()
    attempt(
        request,
        lambda: rename_segment(reference=reference, name=name, by=login_of(request)),
        gettext("Now called %(name)s.") % {"name": name},
    )
    return _back(request, reference)


@require_POST
def retire(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    """Take it off the list; plans that use it keep their audience.

    Raises:
        UnknownSegment: none has this reference.
    """
    segment = queries.segment_named(reference)
    attempt(
        request,
        lambda: retire_segment(reference=reference, by=login_of(request)),
        gettext("%(name)s is retired.") % {"name": segment_name(segment)},
    )
    return _back(request, reference)


def _line(segment: Segment, frame: Frame, names: dict[str, str], growth: queries.Growth) -> Line:
    currency = segment.source.currency
    return Line(
        segment=segment,
        says=audience_says(segment.filter, currency, frame.group_names, names),
        action=wording.action_name(segment.action) if segment.action else "",
        growth=growth,
        people=address("console:members", source=frame.source_key, within=segment.reference),
        plan=address("console:new_plan", source=frame.source_key, segment=segment.reference),
    )


def _back(request: HttpRequest, reference: str) -> HttpResponseRedirect:
    source = queries.segment_named(reference).source
    return redirect(address("console:segments", source=frame_of(request, source=source).source_key))
