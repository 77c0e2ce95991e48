"""What the palette finds beyond the pages: members by name or number, an order by its number, segments, plans."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from liuke.analytics import queries
from liuke.analytics.models import Source
from liuke.engagement import queries as outreach
from liuke.interfaces.console.filters import Filters, address
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.ui.segment_words import segment_name
from liuke.orders.errors import UnknownOrder
from liuke.orders.models import Order
from liuke.orders.queries import order_named

MEMBERS_SHOWN = 6
SHOWN = 40


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Lines for the palette: with `search` whom and what it names, without it the operator's segments and plans."""
    frame = frame_of(request)
    search = Filters.read(request.GET).search
    if search:
        return render(
            request,
            "console/found.html",
            {"order": _order(search), "members": _members(frame.source, search)},
        )
    if frame.source is None or not frame.is_operator:
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


def _order(search: str) -> Order | None:
    try:
        return order_named(search)
    except UnknownOrder:
        return None


def _members(source: Source | None, search: str) -> list[queries.MemberRow]:
    if source is None:
        return []
    return queries.members(source, per_page=MEMBERS_SHOWN, search=search).rows
