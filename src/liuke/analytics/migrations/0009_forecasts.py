"""What is expected of members, and how good such a forecast was before."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0008_showing"),
        ("people", "0004_behaviour_consent"),
    ]

    operations = [
        migrations.CreateModel(
            name="ForecastRun",
            fields=[
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="analytics.source",
                    ),
                ),
                ("as_of", models.DateField()),
                ("made_at", models.DateTimeField()),
                ("evaluated_at", models.DateTimeField()),
                ("horizon_days", models.PositiveIntegerField()),
                ("model", models.CharField(max_length=16)),
                ("enough", models.BooleanField()),
                ("why_not", models.CharField(blank=True, default="", max_length=20)),
                ("members", models.BigIntegerField()),
                ("leaving", models.BigIntegerField()),
                ("auc", models.FloatField(null=True)),
                ("average_precision", models.FloatField(null=True)),
                ("brier", models.FloatField(null=True)),
                ("ece", models.FloatField(null=True)),
                ("backtest_on", models.DateField(null=True)),
                ("reliability", models.JSONField()),
                ("value", models.JSONField()),
                ("cohorts", models.JSONField()),
                ("solving", models.JSONField(null=True)),
                ("first_orders", models.JSONField()),
                ("notes", models.JSONField()),
            ],
            options={
                "db_table": "analytics_forecast_run",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("enough", True), ("why_not", "")),
                            models.Q(("enough", False), models.Q(("why_not", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="too_little_says_why",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Forecast",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="people.member",
                    ),
                ),
                ("no_order", models.FloatField()),
                ("is_leaving", models.BooleanField()),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16), size=None
                    ),
                ),
                ("expected_orders", models.FloatField(null=True)),
                ("expected_fen", models.BigIntegerField(null=True)),
                ("recoverable_fen", models.BigIntegerField(null=True)),
                ("value_trend", models.FloatField(null=True)),
                ("login_trend", models.FloatField(null=True)),
                ("complaint_rate", models.FloatField(null=True)),
                ("open_complaints", models.IntegerField(null=True)),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="analytics.source",
                    ),
                ),
            ],
            options={
                "db_table": "analytics_forecast",
                "indexes": [
                    models.Index(
                        models.F("source"),
                        models.OrderBy(
                            models.F("recoverable_fen"), descending=True, nulls_last=True
                        ),
                        models.F("member"),
                        condition=models.Q(("is_leaving", True)),
                        name="forecast_leaving",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("no_order__gte", 0), ("no_order__lte", 1)),
                        name="no_order_is_a_chance",
                    )
                ],
            },
        ),
    ]
