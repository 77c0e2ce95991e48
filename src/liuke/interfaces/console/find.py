"""What the palette finds beyond the pages themselves: members by name or number, segments, plans."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from liuke.analytics import queries
from liuke.engagement import queries as outreach
from liuke.interfaces.console.filters import Filters, address
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.ui.segment_words import segment_name

MEMBERS_SHOWN = 6
SHOWN = 40


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Lines for the palette: with `q` the members it names, without it the operator's segments and plans."""
    frame = frame_of(request)
    filters = Filters(search=Filters.read(request.GET).search)
    if frame.source is None:
        return render(request, "console/found.html", {})
    if filters.search:
        found = queries.members(frame.source, per_page=MEMBERS_SHOWN, **filters.arguments())
        return render(request, "console/found.html", {"members": found.rows})
    if not frame.is_operator:
        return render(request, "console/found.html", {})
    segments = [
        (
            segment_name(segment),
            address("console:members", source=frame.source_key, within=segment.reference),
        )
        for segment in queries.segments(frame.source)[:SHOWN]
    ]
    plans = outreach.plans(frame.source)[:SHOWN]
    return render(request, "console/found.html", {"segments": segments, "plans": plans})
