"""What outreach changed: treated members against those left out by lot, always with an interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext, gettext_noop
from django.views.decorators.http import require_GET

from liuke.base.money import exponent
from liuke.engagement import queries
from liuke.interfaces.console.filters import address
from liuke.interfaces.console.frame import frame_of
from liuke.interfaces.console.sheets import Line, amount, sheet
from liuke.interfaces.ui import result_words as words
from liuke.interfaces.ui.figures import money, money_whole, percent
from liuke.interfaces.ui.lift import Whisker, lift, whisker

if TYPE_CHECKING:  # at run time they would bring numpy along
    from liuke.engagement.queries import DayShare, Effect, Results

_POINTS = gettext_noop("%(figure)s points")
Write = Callable[[float], str]
WINDOWS = (7, 14, 30, 60, 90)
WINDOW_MAX = 180
DAYS_SHOWN = 12


@dataclass(frozen=True)
class Row:
    """One measure of both groups, the difference, and its interval as text and drawn."""

    name: str
    treated: str
    control: str
    difference: str
    interval: str
    drawn: Whisker | None


@dataclass(frozen=True)
class Window:
    """How many days to look at."""

    days: int
    href: str
    is_on: bool


@require_GET
def of_plan(request: HttpRequest, reference: str) -> HttpResponseBase:
    """The results of one plan; `?days=` looks at another window, `?format=csv` sends the curve.

    Raises:
        UnknownPlan: none has this reference.
    """
    plan = queries.plan_named(reference)
    frame = frame_of(request, "plans", source=plan.source)
    results = queries.results_of(plan, _days(request))
    if request.GET.get("format") == "csv":
        return sheet(f"liuke-results-{reference}", _lines(results))
    own = queries.results_of(plan).window_days if _days(request) else results.window_days
    context = {
        "frame": frame,
        "plan": plan,
        "windows": _windows(reference, own, results.window_days),
        "csv_href": address("console:results", reference, days=_days(request), format="csv"),
        **_shown(results, plan.source.currency),
    }
    return render(request, "console/results.html", context)


@require_GET
def of_source(request: HttpRequest) -> HttpResponse:
    """What all marketing of a source changed together, by the hold-out, and each plan's verdict."""
    frame = frame_of(request, "results")
    if frame.source is None:
        return render(request, "console/nothing.html", {"frame": frame})
    results = queries.holdout_results(frame.source)
    lines = [
        (row, words.verdict(queries.results_of(row.plan)))
        for row in queries.plans(frame.source)
        if row.run
    ]
    context = {
        "frame": frame,
        "lines": lines,
        "holdout": percent(queries.policy().holdout_permyriad / 10_000),
        **_shown(results, frame.source.currency),
    }
    return render(request, "console/source_results.html", context)


def _shown(results: Results, currency: str) -> dict[str, Any]:
    return {
        "results": results,
        "verdict": words.verdict(results),
        "rows": _rows(results, currency),
        "chart": lift([(one.day, one.treated, one.control) for one in results.by_day]),
        "by_day": _some(results.by_day),
        "currency": currency,
        "unit": money_whole(10 ** exponent(currency), currency),
        "gain": _gain(results, currency),
        "brought": _brought(results, currency),
        "detectable": words.point_text(results.needs.detectable or 0.0),
    }


def _brought(results: Results, currency: str) -> list[str]:
    """The net spend of all treated that would not have been without, and the ends of its interval."""
    found = results.money
    if found is None:
        return []
    ends = (found.total, found.total_low, found.total_high)
    return [money_whole(round(each), currency) for each in ends]


def _gain(results: Results, currency: str) -> list[str]:
    """What one unit of money brought, with the ends of its interval; nothing when that cannot be said."""
    gain = results.cost.gain if results.cost else None
    if gain is None:
        return []
    one = 10 ** exponent(currency)
    return [money(round(each * one), currency) for each in (gain.difference, gain.low, gain.high)]


def _rows(results: Results, currency: str) -> list[Row]:
    treated, control = results.treated, results.control
    if treated.rate is None:
        return []

    def amount_text(fen: float) -> str:
        return money(round(fen), currency)

    rates = (treated.rate, control.rate)
    orders = (treated.orders_each, control.orders_each)
    spend = (treated.net_fen_each, control.net_fen_each)
    return [
        _row(gettext("Came back"), rates, results.came_back, percent, words.point_text, _POINTS),
        _row(gettext("Orders each"), orders, results.orders, _plain, _plain),
        _row(gettext("Net spend each"), spend, results.money, amount_text, amount_text),
    ]


def _row(
    name: str,
    both: tuple[float | None, float | None],
    effect: Effect | None,
    write: Write,
    write_difference: Write,
    unit: str = "%(figure)s",
) -> Row:
    treated, control = ("–" if each is None else write(each) for each in both)
    if effect is None:
        return Row(name, treated, control, "–", gettext("too few came back"), None)
    low, high = (write_difference(end) for end in (effect.low, effect.high))
    sign = "+" if effect.difference > 0 else ""
    difference = sign + write_difference(effect.difference)
    return Row(
        name=name,
        treated=treated,
        control=control,
        difference=gettext(unit) % {"figure": difference},
        interval=gettext("%(low)s to %(high)s") % {"low": low, "high": high},
        drawn=whisker(effect.difference, effect.low, effect.high),
    )


def _plain(number: float) -> str:
    return f"{number:.2f}"


def _days(request: HttpRequest) -> int | None:
    text = request.GET.get("days", "")
    is_number = text.isascii() and text.isdecimal() and len(text) < 5
    return int(text) if is_number and 0 < int(text) <= WINDOW_MAX else None


def _windows(reference: str, own: int, chosen: int) -> list[Window]:
    return [
        Window(
            days=days,
            href=address("console:results", reference, days=None if days == own else days),
            is_on=days == chosen,
        )
        for days in sorted({*WINDOWS, own, chosen})
    ]


def _some(days: list[DayShare]) -> list[DayShare]:
    """About a dozen days for the table beside the chart; the sheet has all of them."""
    step = max(1, -(-len(days) // DAYS_SHOWN))
    return days[step - 1 :: step]


def _lines(results: Results) -> Iterator[Line]:
    currency = results.source.currency
    yield [gettext("Measure"), gettext("Treated"), gettext("Control")]
    both = (results.treated, results.control)
    yield [gettext("Drawn"), *(arm.drawn for arm in both)]
    yield [gettext("Watched to the end"), *(arm.members for arm in both)]
    yield [gettext("Came back"), *(arm.came_back for arm in both)]
    yield [gettext("Orders"), *(arm.orders for arm in both)]
    yield [gettext("Net spend"), *(amount(arm.net_fen, currency) for arm in both)]
    for one in results.by_day:
        name = gettext("Share back by day %(day)s") % {"day": one.day}
        yield [name, f"{one.treated:.5f}", f"{one.control:.5f}"]
