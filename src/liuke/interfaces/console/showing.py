"""What members are shown and what comes of it, and the sources' claims beside what this site measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from liuke.analytics.queries.showing_counts import listed_persons, showing_report
from liuke.interfaces.console.filters import address
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.sheets import Line, amount, sheet
from liuke.interfaces.ui import showing_words as words
from liuke.interfaces.ui.figures import money_whole

Json = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A list, or a reason within it, with its figures as text."""

    name: str
    is_reason: bool
    shown: int
    clicked: int
    bought: int
    click_rate: str
    click_span: str
    buy_rate: str
    buy_span: str
    money: str


@require_GET
def showing(request: HttpRequest) -> HttpResponseBase:
    """Shown, opened, bought; `?format=csv` sends the figures."""
    frame = frame_of(request, "showing")
    found = showing_report()
    report = found.report if found else None
    has_any = report is not None and report["all"]["shown"] > 0
    if request.GET.get("format") == "csv":
        return sheet("liuke-shown", _lines(report if has_any else None))
    context = {
        "frame": frame,
        "report": report if has_any else None,
        "made_at": found.made_at if found else None,
        "listed": listed_persons(),
        "verdict": words.verdict(report) if report and has_any else None,
        "rows": _rows(report) if report and has_any else (),
        "groups": _groups(report["comparison"]) if report else (),
        "csv_href": address("console:showing", format="csv"),
    }
    return render(request, "console/showing.html", context)


@require_GET
def claims(request: HttpRequest) -> HttpResponse:
    """What the sources claim, and ours."""
    found = showing_report()
    context = {
        "frame": frame_of(request, "claims"),
        "made_at": found.made_at if found else None,
        "claims": words.claims(found.report if found else None, settings.LIUKE_CURRENCY),
    }
    return render(request, "console/claims.html", context)


def _rows(report: Json) -> list[Row]:
    rows = []
    for slot in report["slots"]:
        rows.append(_row(slot, gettext(words.SLOTS[slot["slot"]]), is_reason=False))
        own = [each for each in report["rows"] if each["slot"] == slot["slot"]]
        rows += [_row(each, gettext(words.REASONS[each["reason"]]), is_reason=True) for each in own]
    return rows


def _row(told: Json, name: str, *, is_reason: bool) -> Row:
    return Row(
        name=name,
        is_reason=is_reason,
        shown=told["shown"],
        clicked=told["clicked"],
        bought=told["bought"],
        click_rate=words.rate_says(told["click_rate"]),
        click_span=words.span_says(told["click_rate"]),
        buy_rate=words.rate_says(told["buy_rate"]),
        buy_span=words.span_says(told["buy_rate"]),
        money=money_whole(told["money_fen"], settings.LIUKE_CURRENCY),
    )


def _groups(found: Json | None) -> list[tuple[str, Json, str]]:
    """Both groups of the lot, while something can be compared."""
    if not found or found["treated"]["rate"] is None:
        return []
    named = ((gettext("Lists of their own"), "treated"), (gettext("Held out"), "control"))
    return [(name, found[key], words.rate_says([found[key]["rate"]])) for name, key in named]


def _lines(report: Json | None) -> Iterator[Line]:
    yield [
        gettext("List"),
        gettext("Reason"),
        gettext("Shown"),
        gettext("Opened"),
        gettext("Bought"),
        gettext("Spend"),
        gettext("From"),
        gettext("Until"),
    ]
    for each in report["rows"] if report else ():
        yield [
            gettext(words.SLOTS[each["slot"]]),
            gettext(words.REASONS[each["reason"]]),
            each["shown"],
            each["clicked"],
            each["bought"],
            amount(each["money_fen"], settings.LIUKE_CURRENCY),
            report["from"] if report else "",
            report["until"] if report else "",
        ]
