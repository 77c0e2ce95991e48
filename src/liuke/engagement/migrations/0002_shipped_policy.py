"""What outreach may do on a new site (A8): once in 168 hours, 9:00 to 20:30, 5 % held out; the operator edits it."""

from django.db import migrations

POLICY = """
INSERT INTO engagement_outreach_policy
    (cap_hours, holdout_permyriad, allowed_from, allowed_until, zones_when_unknown, brake_permille,
     wait_hours_max, send_within_hours, set_at)
VALUES (168, 500, '09:00', '20:30', '[]', 300, 192, 24, '2026-01-01T00:00:00Z')
"""
# The salt makes hold-outs of two sites independent; it is no secret, and it never changes.
SWITCH = """
INSERT INTO engagement_switch (id, is_stopped, salt)
VALUES (1, false, md5(random()::text || clock_timestamp()::text))
"""


class Migration(migrations.Migration):
    dependencies = [("engagement", "0001_outreach")]

    operations = [
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
        migrations.RunSQL(SWITCH, migrations.RunSQL.noop),
    ]
