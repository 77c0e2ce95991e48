"""Say what may come of every member of a source, and keep it for the pages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from liuke.analytics import forecasting, queries
from liuke.analytics.actions.segment_members import refresh_reading
from liuke.analytics.columns import copy_in, purchase_columns, to_date, to_day
from liuke.analytics.errors import NoOrdersYet
from liuke.analytics.forecasting import Ahead
from liuke.analytics.models import Evaluation, ForecastRun, Source
from liuke.analytics.queries import troubles
from liuke.analytics.segments.grammar import FORECASTS
from liuke.base import clock
from liuke.people.rules import SITE_SOURCE
from liuke.science.churn.reasons import CAUSES, CODES

LEAVING_FROM = 0.5

_FRESH = """
DROP TABLE IF EXISTS fresh_forecast;
CREATE TEMP TABLE fresh_forecast (
    member_id bigint, no_order double precision, first smallint, second smallint, third smallint,
    expected_orders double precision, expected_money double precision, recoverable double precision,
    value_trend double precision, login_trend double precision, complaints double precision,
    open_complaints double precision
) ON COMMIT DROP
"""
# Leaving: more likely to stay away than to come, and something is different from before. Whoever has churned is a
# matter of recall, not of warning.
_STORE = """
INSERT INTO analytics_forecast (
    member_id, source_id, no_order, is_leaving, reasons, expected_orders, expected_fen, recoverable_fen, value_trend,
    login_trend, complaint_rate, open_complaints)
SELECT f.member_id, %(source)s, f.no_order,
       f.no_order >= %(leaving)s AND s.stage <> 3 AND (s.is_overdue OR f.first BETWEEN 0 AND %(causes)s - 1),
       array_remove(ARRAY[(%(codes)s::text[])[f.first + 1], (%(codes)s::text[])[f.second + 1],
                          (%(codes)s::text[])[f.third + 1]], NULL),
       nullif(f.expected_orders, 'NaN'), nullif(f.expected_money, 'NaN')::bigint, nullif(f.recoverable, 'NaN')::bigint,
       nullif(f.value_trend, 'NaN'), nullif(f.login_trend, 'NaN'), nullif(f.complaints, 'NaN'),
       nullif(f.open_complaints, 'NaN')::int
FROM fresh_forecast f JOIN analytics_standing s ON s.member_id = f.member_id
ORDER BY f.member_id
"""


def forecast_members(*, source: Source) -> ForecastRun:
    """Compute and store what may come of every member as of the last evaluation; answers what is told of all.

    Raises:
        NoOrdersYet: the source was never evaluated.
    """
    evaluation = Evaluation.objects.filter(source=source).first()
    if evaluation is None:
        raise NoOrdersYet
    as_of, as_of_day = evaluation.as_of, to_day(evaluation.as_of)
    columns = purchase_columns(source.key, as_of)
    ahead = forecasting.look_ahead(columns, troubles.behaviours(source, as_of), as_of_day)
    told = {
        "cohorts": {
            **forecasting.cohorts_told(
                columns, _labels(source, as_of, "scene", "product", "level", "solving"), as_of_day
            ),
            **forecasting.visits_told(*troubles.visit_days(source, as_of), as_of_day),
        },
        "solving": forecasting.solving_told(*troubles.solving_counts(source, as_of)),
        "first_orders": forecasting.first_orders_told(
            columns,
            troubles.joined_by_month(source, as_of) if source.key == SITE_SOURCE else {},
            _labels(source, as_of, "gift", "scene"),
            as_of_day,
            troubles.AGAIN_DAYS,
        ),
    }
    with transaction.atomic():
        leaving = _store(source, ahead)
        run, _ = ForecastRun.objects.update_or_create(
            source=source,
            defaults={
                "as_of": as_of,
                "made_at": clock.now(),
                "evaluated_at": evaluation.made_at,
                "leaving": leaving,
                **_figures(ahead),
                **told,
            },
        )
        refresh_reading(source, FORECASTS)
    return run


def _labels(source: Source, as_of: Any, *kinds: str) -> dict[str, troubles.Labels]:
    return {
        kind: troubles.labels(kind, source, as_of)
        for kind in kinds
        if kind != "product" or queries.has_items(source)
    }


def _figures(ahead: Ahead) -> dict[str, Any]:
    churn = ahead.churn
    scores = churn.backtest
    return {
        "horizon_days": churn.horizon_days,
        "model": churn.model,
        "enough": churn.enough,
        "why_not": churn.why_not,
        "members": len(churn.member),
        "auc": scores.auc if scores else None,
        "average_precision": scores.average_precision if scores else None,
        "brier": scores.brier if scores else None,
        "ece": scores.ece if scores else None,
        "backtest_on": to_date(churn.backtest_day) if churn.backtest_day is not None else None,
        "reliability": forecasting.reliability_told(churn),
        "value": forecasting.value_told(ahead),
        "notes": list(churn.notes),
    }


def _store(source: Source, ahead: Ahead) -> int:
    """Replace the forecasts of the source, one row a member; how many are leaving."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('analytics.forecast'), %s)", [source.pk]
        )
        cursor.execute(_FRESH)
        copy_in("fresh_forecast", _columns(ahead))
        cursor.execute("DELETE FROM analytics_forecast WHERE source_id = %s", [source.pk])
        cursor.execute(
            _STORE,
            {
                "source": source.pk,
                "leaving": LEAVING_FROM,
                "codes": list(CODES),
                "causes": len(CAUSES),
            },
        )
        cursor.execute(
            "SELECT count(*) FROM analytics_forecast WHERE source_id = %s AND is_leaving",
            [source.pk],
        )
        (leaving,) = cursor.fetchone()
        cursor.execute("ANALYZE analytics_forecast")
    return int(leaving)


def _columns(ahead: Ahead) -> dict[str, tuple[str, NDArray[Any]]]:
    churn, value, why = ahead.churn, ahead.value, ahead.churn.reasons
    nothing = np.full(len(churn.member), math.nan)
    recoverable = nothing if ahead.recoverable is None else ahead.recoverable
    return {
        "member_id": ("bigint", churn.member),
        "no_order": ("double", np.clip(churn.probability, 0.0, 1.0)),
        "first": ("smallint", why.code[:, 0]),
        "second": ("smallint", why.code[:, 1]),
        "third": ("smallint", why.code[:, 2]),
        "expected_orders": ("double", nothing if value is None else value.orders),
        "expected_money": ("double", nothing if value is None else np.floor(value.money)),
        "recoverable": ("double", recoverable),
        "value_trend": ("double", why.value_trend),
        "login_trend": ("double", why.login_trend),
        "complaints": ("double", why.complaints),
        "open_complaints": ("double", why.open_complaints),
    }
