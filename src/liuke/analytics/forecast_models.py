"""What is expected of members, by whom it was worked out, and how good it was before."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from liuke.people.models import Member


class Forecast(models.Model):
    """What one member may do in the next days, as of the last forecast of their source.

    `no_order` is the chance that they order nothing within the run's horizon; `reasons` are codes of
    `science.churn.reasons`, strongest first. Money and orders are null where no model could be fitted,
    `recoverable_fen` (what twice the odds of an order would add) with them. The last four are the figures that are
    always shown, null where there is no data.
    """

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, db_constraint=False)
    source = models.ForeignKey(
        "analytics.Source", models.CASCADE, db_constraint=False, db_index=False
    )
    no_order = models.FloatField()
    is_leaving = models.BooleanField()
    reasons = ArrayField(models.CharField(max_length=16))
    expected_orders = models.FloatField(null=True)
    expected_fen = models.BigIntegerField(null=True)
    recoverable_fen = models.BigIntegerField(null=True)
    value_trend = models.FloatField(null=True)
    login_trend = models.FloatField(null=True)
    complaint_rate = models.FloatField(null=True)
    open_complaints = models.IntegerField(null=True)

    class Meta:
        db_table = "analytics_forecast"
        constraints = [
            models.CheckConstraint(
                condition=Q(no_order__gte=0, no_order__lte=1), name="no_order_is_a_chance"
            ),
        ]
        indexes = [
            models.Index(
                F("source"),
                F("recoverable_fen").desc(nulls_last=True),
                F("member"),
                name="forecast_leaving",
                condition=Q(is_leaving=True),
            ),
        ]


class ForecastRun(models.Model):
    """The last forecast of a source: model, how good it was a horizon earlier, what all members may bring.

    With `enough` false nobody could check it, and `why_not` says why. `evaluated_at` is when the evaluation it
    belongs to was made. `reliability` holds bins of `members`, `forecast`, `actual`; `value` the total, its interval
    and the past; `cohorts`, `solving` and `first_orders` what the pages of analysis show (docs/reference/report.md).
    """

    source = models.OneToOneField("analytics.Source", models.CASCADE, primary_key=True)
    as_of = models.DateField()
    made_at = models.DateTimeField()
    evaluated_at = models.DateTimeField()
    horizon_days = models.PositiveIntegerField()
    model = models.CharField(max_length=16)
    enough = models.BooleanField()
    why_not = models.CharField(max_length=20, blank=True, default="")
    members = models.BigIntegerField()
    leaving = models.BigIntegerField()
    auc = models.FloatField(null=True)
    average_precision = models.FloatField(null=True)
    brier = models.FloatField(null=True)
    ece = models.FloatField(null=True)
    backtest_on = models.DateField(null=True)
    reliability = models.JSONField()
    value = models.JSONField()
    cohorts = models.JSONField()
    solving = models.JSONField(null=True)
    first_orders = models.JSONField()
    notes = models.JSONField()

    class Meta:
        db_table = "analytics_forecast_run"
        constraints = [
            models.CheckConstraint(
                condition=Q(enough=True, why_not="") | Q(enough=False) & ~Q(why_not=""),
                name="too_little_says_why",
            ),
        ]
