import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Two triggers, so that a test database may empty its tables between tests without allowing UPDATE and DELETE.
APPEND_ONLY = """
CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is only ever appended to: % is refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_change();
CREATE TRIGGER event_log_is_never_emptied BEFORE TRUNCATE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_change();
"""
CHANGEABLE = """
DROP TRIGGER event_log_is_never_emptied ON events_event;
DROP TRIGGER event_is_never_changed ON events_event;
DROP FUNCTION events_refuse_change();
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("transaction_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=80)),
                ("version", models.PositiveSmallIntegerField()),
                ("member", models.BigIntegerField(null=True)),
                ("payload", models.JSONField()),
                ("happened_at", models.DateTimeField()),
                ("happened_on", models.DateField()),
            ],
            options={
                "db_table": "events_event",
                "indexes": [
                    models.Index(fields=["transaction_id", "id"], name="event_by_transaction"),
                    models.Index(fields=["name", "id"], name="event_by_name"),
                    models.Index(
                        fields=["member", "id"],
                        name="event_by_member",
                        condition=models.Q(("member__isnull", False)),
                    ),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.CreateModel(
            name="Shift",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("transactions", models.BigIntegerField()),
            ],
            options={
                "db_table": "events_shift",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_shift")],
            },
        ),
        migrations.CreateModel(
            name="Pending",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        serialize=False,
                        to="events.event",
                    ),
                ),
                (
                    "reactions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), size=None
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("gave_up_at", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True, db_default="", default="")),
            ],
            options={
                "db_table": "events_pending",
                "indexes": [
                    models.Index(
                        fields=["due_at"],
                        name="pending_retry",
                        condition=models.Q(("due_at__isnull", False)),
                    ),
                    models.Index(
                        fields=["gave_up_at"],
                        name="pending_stuck",
                        condition=models.Q(("gave_up_at__isnull", False)),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reacted",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_id", "reaction", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="events.event",
                    ),
                ),
                ("reaction", models.CharField(max_length=120)),
            ],
            options={"db_table": "events_reacted"},
        ),
    ]
