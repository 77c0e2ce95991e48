"""What a plan changed: treated members against those left out, with an interval."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from liuke.engagement import queries
from liuke.interfaces.console.frame import frame_of


@require_GET
def of_plan(request: HttpRequest, reference: str) -> HttpResponse:
    """The results of one plan.

    Raises:
        UnknownPlan: none has this reference.
    """
    found = queries.plan_named(reference)
    frame = frame_of(request, "results", source=found.source)
    return render(request, "console/nothing.html", {"frame": frame})


@require_GET
def of_source(request: HttpRequest) -> HttpResponse:
    """The results of all plans of a source, and of the hold-out."""
    return render(request, "console/nothing.html", {"frame": frame_of(request, "results")})
