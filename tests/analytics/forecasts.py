"""A source with forecasts that could be checked, without the minutes that it takes to learn from thousands."""

from __future__ import annotations

import datetime as dt

from liuke.analytics.actions.forecast import forecast_members
from liuke.analytics.models import ForecastRun, Source

BINS = [
    {"members": 60, "forecast": 0.2, "actual": 0.25},
    {"members": 40, "forecast": 0.8, "actual": 0.75},
]
VALUE = {
    "enough": True, "total_fen": 1_234_500, "orders": 61.5, "low_fen": 1_000_000, "high_fen": 1_500_000,
    "error": 0.1, "converged": True,
    "past": [{"as_of": "2026-01-01", "forecast_fen": 900_000, "actual_fen": 990_000}],
}  # fmt: skip
SOLVING = {
    "buckets": [
        {"bucket": "within_2h", "cases": 10, "again": 9}, {"bucket": "within_24h", "cases": 0, "again": 0},
        {"bucket": "later", "cases": 10, "again": 3}, {"bucket": "unsolved", "cases": 0, "again": 0}],
    "kinds": [{"kind": "too_late", "bucket": "later", "cases": 10, "again": 3}],
    "young": 2, "plain": {"difference": 0.6, "low": 0.2, "high": 0.8},
    "adjusted": {"difference": 0.6, "low": 0.2, "high": 0.8}, "kinds_used": ["too_late"], "cases_used": 20,
}  # fmt: skip


def checked(source: Source) -> ForecastRun:
    """The forecasts of a source, told as if there had been enough members."""
    run = forecast_members(source=source)
    ForecastRun.objects.filter(pk=source.pk).update(
        enough=True, why_not="", auc=0.85, average_precision=0.7, brier=0.09, ece=0.05, model="blend",
        backtest_on=dt.date(2026, 1, 1), reliability=BINS, value=VALUE, solving=SOLVING,
    )  # fmt: skip
    return run
