"""What is expected of members, as it was last worked out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from liuke.analytics.models import Evaluation, Forecast, ForecastRun, Source, Standing
from liuke.analytics.queries.lists import ROWS_AT_ONCE, MemberRow, member_rows
from liuke.people.models import Member

Json = dict[str, Any]
_TOLD = (
    "horizon_days",
    "model",
    "enough",
    "why_not",
    "members",
    "leaving",
    "auc",
    "average_precision",
    "brier",
    "ece",
    "reliability",
    "notes",
)


@dataclass(frozen=True)
class LeavingRow:
    """A member who is leaving, where they stand, and why."""

    row: MemberRow
    forecast: Forecast


@dataclass(frozen=True)
class LeavingPage:
    """One page of those who are leaving, most to recover first."""

    rows: list[LeavingRow]
    total: int
    page: int
    pages: int


def analysis_of(source: Source) -> Json | None:
    """All that is told of a source besides its report, or None before the first forecast."""
    run = ForecastRun.objects.filter(source=source).first()
    if run is None:
        return None
    churn = {name: getattr(run, name) for name in _TOLD}
    churn["backtest_on"] = run.backtest_on.isoformat() if run.backtest_on else None
    return {
        "as_of": run.as_of.isoformat(),
        "churn": churn,
        "value": run.value,
        "cohorts": run.cohorts,
        "solving": run.solving,
        "first_orders": run.first_orders,
    }


def forecast_of(member: Member) -> Forecast | None:
    """What is expected of one member."""
    return Forecast.objects.filter(member=member).first()


def forecast_told(member: Member) -> Json | None:
    """The same, to be handed over: JSON values only."""
    names = ("no_order", "reasons", "expected_orders", "expected_fen", "recoverable_fen")
    figures = ("value_trend", "login_trend", "complaint_rate", "open_complaints")
    found: Json | None = Forecast.objects.filter(member=member).values(*names, *figures).first()
    return found


def lacks_forecast(source: Source) -> bool:
    """Whether the last forecast misses the last evaluation."""
    evaluation = Evaluation.objects.filter(source=source).first()
    if evaluation is None:
        return False
    run = ForecastRun.objects.filter(source=source).first()
    return run is None or run.evaluated_at != evaluation.made_at


def leaving(source: Source, *, page: int = 1, per_page: int = 50) -> LeavingPage:
    """Those who are leaving; a page past the end is the last one."""
    run = ForecastRun.objects.filter(source=source).first()
    total = run.leaving if run else 0
    pages = max(1, -(-total // per_page))
    page = min(max(page, 1), pages)
    start = (page - 1) * per_page
    keys = list(_in_order(source).values_list("pk", flat=True)[start : start + per_page])
    return LeavingPage(_rows_of(keys), total, page, pages)


def all_leaving(source: Source) -> Iterator[LeavingRow]:
    """All of them, for a sheet of any length: their keys first, then some rows at a time."""
    keys = list(_in_order(source).values_list("pk", flat=True))
    for start in range(0, len(keys), ROWS_AT_ONCE):
        yield from _rows_of(keys[start : start + ROWS_AT_ONCE])


def _in_order(source: Source) -> QuerySet[Forecast]:
    found = Forecast.objects.filter(source=source, is_leaving=True)
    return found.order_by(F("recoverable_fen").desc(nulls_last=True), "member_id")


def _rows_of(keys: list[int]) -> list[LeavingRow]:
    """Their rows in the order of the keys; whoever is gone meanwhile is left out."""
    forecasts = Forecast.objects.in_bulk(keys)
    standings = Standing.objects.filter(pk__in=keys).order_by("member_id")
    ids = standings.values_list("member_id", flat=True)
    rows = dict(zip(ids, member_rows(standings), strict=True))
    return [
        LeavingRow(rows[key], forecasts[key]) for key in keys if key in rows and key in forecasts
    ]
