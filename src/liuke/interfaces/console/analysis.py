"""What may come, who comes again, and what goes with leaving: forecasts, cohorts and causes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.analytics import queries
from liuke.engagement.queries.leaving import MET_WITHIN_DAYS, leave_reasons_and_troubles
from liuke.interfaces.console.analysis_sheets import SHEETS, cohort_lines, leave_lines
from liuke.interfaces.console.filters import address, member_links
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.sheets import sheet
from liuke.interfaces.ui.analysis import CHOICES, PERIODS, analysis_board, choice_names, cohort_part
from liuke.interfaces.ui.outreach_words import leave_reason_name
from liuke.interfaces.ui.wording import told as in_words

Json = dict[str, Any]


@require_GET
def ahead(request: HttpRequest) -> HttpResponseBase:
    """Who may leave and what members may bring, each with how far to trust it."""
    return _page(request, "analysis")


@require_GET
def causes(request: HttpRequest) -> HttpResponseBase:
    """Repurchase by time to an answer, first orders, and why members say they leave."""
    frame = frame_of(request, "analysis")
    if frame.source is None:
        return _page(request, "analysis_causes")
    rows = leave_reasons_and_troubles(frame.source)
    if request.GET.get("format") == "csv" and request.GET.get("part") == "leave":
        return sheet(f"liuke-{frame.source.key}-leave", leave_lines(rows))
    leave = {"rows": rows, "days": MET_WITHIN_DAYS}
    return _page(request, "analysis_causes", leave=leave, leave_says=_leave_says(rows))


@require_GET
def cohorts(request: HttpRequest) -> HttpResponseBase:
    """Who comes again, by month or week, and by what members have in common."""
    frame = frame_of(request, "analysis")
    period, by = _choice(request)
    told = queries.analysis_of(frame.source) if frame.source else None
    if frame.source is None or told is None:
        return _page(request, "analysis_cohorts")
    if request.GET.get("format") == "csv":
        name = f"liuke-{frame.source.key}-cohorts-{period}-{by}-{told['as_of']}"
        return sheet(name, cohort_lines(told["cohorts"].get(f"{period}.{by}"), by))
    names, to_list = choice_names(), member_links(frame.source_key)[0]

    def href(**changed: str) -> str:
        chosen = {"period": period, "by": by, **changed}
        return address("console:analysis_cohorts", source=frame.source_key, **chosen)

    return _page(
        request,
        "analysis_cohorts",
        part=cohort_part(told, period, by, to_list),
        periods=[(names[each], href(period=each), each == period) for each in PERIODS],
        choices=[(names[each], href(by=each), each == by) for each in CHOICES],
        first_column=_first_column(by, names),
        csv={"cohorts": href(format="csv")},
    )


def _first_column(by: str, names: dict[str, str]) -> str:
    whole = {"all": gettext("First order"), "visits": gettext("First visit")}
    return whole.get(by, names[by])


def tabs(frame: Frame, here: str) -> list[tuple[str, str, bool]]:
    """The pages of analysis."""
    pages = {
        "analysis": gettext("Ahead"),
        "leaving": gettext("Leaving"),
        "analysis_cohorts": gettext("Cohorts"),
        "analysis_causes": gettext("Causes"),
    }
    return [
        (name, address(f"console:{page}", source=frame.source_key), page == here)
        for page, name in pages.items()
    ]


def _page(request: HttpRequest, page: str, **context: Any) -> HttpResponseBase:
    frame = frame_of(request, "analysis")
    if frame.source is None:
        return render(request, "console/nothing.html", {"frame": frame})
    told = queries.analysis_of(frame.source)
    part = request.GET.get("part", "")
    if told is not None and request.GET.get("format") == "csv" and part in SHEETS:
        name = f"liuke-{frame.source.key}-{part}-{told['as_of']}"
        return sheet(name, SHEETS[part](told, frame.source.currency))
    links = {
        part: address(f"console:{page}", source=frame.source_key, format="csv", part=part)
        for part in (*SHEETS, "leave")
    }
    return render(
        request,
        f"console/{page}.html",
        {
            "frame": frame,
            "tabs": tabs(frame, page),
            "analysis": analysis_board(told, frame.source.currency) if told else None,
            "csv": links,
            "leaving_href": address("console:leaving", source=frame.source_key),
            **context,
        },
    )


def _choice(request: HttpRequest) -> tuple[str, str]:
    period, by = request.GET.get("period", ""), request.GET.get("by", "")
    return period if period in PERIODS else "month", by if by in CHOICES else "all"


def _leave_says(rows: list[Any]) -> str:
    """The reason told most, and how many of those had met nothing of it here."""
    if not rows:
        return ""
    most = max(rows, key=lambda row: row.calls)
    return in_words(
        gettext(
            "Told most: “%(reason)s”, in %(calls)s of %(all)s calls. Of the %(known)s of them who ordered here, "
            "%(met)s had met a late delivery, a complaint or a long wait before."
        ),
        reason=leave_reason_name(most.reason),
        calls=most.calls,
        all=sum(row.calls for row in rows),
        known=most.known,
        met=most.known - most.nothing,
    )
