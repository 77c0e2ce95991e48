"""The report, live: every figure leads to its members."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.analytics import queries
from liuke.analytics.errors import NoOrdersYet
from liuke.interfaces.console.filters import address, member_links
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.sheets import SHEETS, sheet
from liuke.interfaces.ui.board import board
from liuke.interfaces.ui.report import render_report

OVERDUE_SHOWN = 6


@require_GET
def overview(request: HttpRequest) -> HttpResponseBase:
    """Who stays, who is leaving, who is overdue; with `?format=csv&part=` one part of it as a sheet."""
    frame = frame_of(request, "overview")
    if frame.report is None or frame.source is None:
        return render(request, "console/nothing.html", {"frame": frame})
    part = request.GET.get("part", "")
    if request.GET.get("format") == "csv" and part in SHEETS:
        return sheet(
            f"liuke-{frame.source.key}-{part}-{frame.report['as_of']}", SHEETS[part](frame.report)
        )
    to_list, to_member = member_links(frame.source_key)
    context = {
        "frame": frame,
        "board": board(frame.report, to_list, to_member, overdue_shown=OVERDUE_SHOWN),
        "csv": _sheets(frame),
        "overdue_plan_href": address("console:new_plan", source=frame.source_key, overdue="1")
        if frame.is_operator
        else "",
    }
    return render(request, "console/overview.html", context)


@require_GET
def download_report(request: HttpRequest) -> HttpResponse:
    """The self-contained page, in the language of this one."""
    frame = frame_of(request)
    if frame.report is None or frame.source is None:
        raise NoOrdersYet
    language = translation.get_language() or "zh-hans"
    analysis = queries.analysis_of(frame.source)
    page = render_report(frame.report, language=language, analysis=analysis)
    response = HttpResponse(page, content_type="text/html; charset=utf-8")
    name = f"{gettext('Retention report')} {frame.source.title} {frame.report['as_of']}.html"
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=name) or ""
    )
    response["Cache-Control"] = "private, no-store"
    return response


def _sheets(frame: Frame) -> dict[str, str]:
    links = {
        part: address("console:overview", source=frame.source_key, format="csv", part=part)
        for part in SHEETS
    }
    overdue = address(
        "console:members", source=frame.source_key, overdue="1", sort="at_stake", format="csv"
    )
    return {**links, "overdue": overdue}
