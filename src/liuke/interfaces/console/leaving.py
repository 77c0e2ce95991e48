"""Who is leaving: most to recover first, with the first reason and the next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.analytics import queries
from liuke.analytics.models import Source
from liuke.analytics.queries import LeavingRow
from liuke.base.errors import Forbidden
from liuke.interfaces.console.analysis import tabs
from liuke.interfaces.console.filters import address, page_number
from liuke.interfaces.console.frame import Frame, frame_of
from liuke.interfaces.console.sheets import Line, amount, sheet
from liuke.interfaces.console.telling import login_of
from liuke.interfaces.ui import wording
from liuke.interfaces.ui.analysis import analysis_board
from liuke.interfaces.ui.analysis_words import reason_says

ROWS_A_PAGE = 50


@dataclass(frozen=True)
class LeavingLine:
    """One member of the list."""

    reference: str
    name: str
    waiting: str
    reason: str
    step: str
    no_order: float
    recoverable_fen: int | None


@require_GET
def leaving(request: HttpRequest) -> HttpResponseBase:
    """One page of those who are leaving; `?format=csv` sends an operator all of them.

    Raises:
        Forbidden: an agent asked for all of them.
    """
    frame = frame_of(request, "analysis")
    if frame.source is None:
        return render(request, "console/nothing.html", {"frame": frame})
    steps = _steps(frame)
    if request.GET.get("format") == "csv":
        if not login_of(request).is_operator:
            raise Forbidden
        return sheet(f"liuke-{frame.source.key}-leaving", _sheet_lines(frame.source, steps))
    told = queries.analysis_of(frame.source)
    page = queries.leaving(frame.source, page=page_number(request.GET), per_page=ROWS_A_PAGE)

    def href(**more: object) -> str:
        return address("console:leaving", source=frame.source_key, **more)

    context = {
        "frame": frame,
        "tabs": tabs(frame, "leaving"),
        "analysis": analysis_board(told, frame.source.currency) if told else None,
        "page": page,
        "lines": [_line(each, steps) for each in page.rows],
        "csv_href": href(format="csv"),
        "list_href": address("console:members", source=frame.source_key, leaving="1"),
        "plan_href": address("console:new_plan", source=frame.source_key, leaving="1"),
        "previous_href": href(page=page.page - 1) if page.page > 1 else "",
        "next_href": href(page=page.page + 1) if page.page < page.pages else "",
    }
    return render(request, "console/leaving.html", context)


def _steps(frame: Frame) -> dict[str, str]:
    """What the groups say to do."""
    groups = frame.report["rfm"]["groups"] if frame.report else []
    return {group["key"]: wording.action_name(group["action"]) for group in groups}


def _line(each: LeavingRow, steps: dict[str, str]) -> LeavingLine:
    reasons = each.forecast.reasons
    return LeavingLine(
        reference=each.row.reference,
        name=each.row.name,
        waiting=wording.waiting_says(each.row.rhythm_days, each.row.days_since_last_order),
        reason=reason_says(reasons[0], each.forecast) if reasons else "–",
        step=steps.get(each.row.group, ""),
        no_order=each.forecast.no_order,
        recoverable_fen=each.forecast.recoverable_fen,
    )


def _sheet_lines(source: Source, steps: dict[str, str]) -> Iterator[Line]:
    yield [
        gettext("Reference"),
        gettext("Member"),
        gettext("First reason"),
        gettext("Next step"),
        gettext("No order"),
        gettext("To recover"),
    ]
    for each in queries.all_leaving(source):
        line = _line(each, steps)
        recover = line.recoverable_fen
        yield [
            line.reference,
            line.name,
            line.reason,
            line.step,
            f"{line.no_order:.4f}",
            "" if recover is None else amount(recover, source.currency),
        ]
