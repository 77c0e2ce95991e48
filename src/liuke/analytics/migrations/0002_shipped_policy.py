"""The thresholds and named groups a site starts with (A1, A18/B7); the operator edits the rows."""

from django.db import migrations

POLICY = """
INSERT INTO analytics_retention_policy
    (silent_after_days, churned_after_days, return_grace_days, middle_orders_min, middle_orders_max,
     warn_normal_permille, warn_orders_min, warn_lost_after_days, stake_horizon_days, set_at)
VALUES (30, 90, 7, 2, 5, 50, 2, 180, 90, '2026-01-01T00:00:00Z')
"""
# key, priority, action, days from, to, orders from, to, total from, to (minor units)
GROUPS = """
INSERT INTO analytics_rfm_group
    (key, name, priority, action, days_min, days_max, orders_min, orders_max, total_min_fen, total_max_fen)
VALUES
    ('loyal',         '', 10, 'own_agent',     NULL, 7,    5,    NULL, 20000, NULL),
    ('value',         '', 20, 'priority',      NULL, 29,   5,    NULL, NULL,  NULL),
    ('slipping',      '', 30, 'personal_call', 30,   NULL, 6,    NULL, NULL,  NULL),
    ('low_value_new', '', 40, 'newcomer_pack', 30,   NULL, NULL, 1,    NULL,  4999),
    ('at_risk',       '', 50, 'call',          30,   NULL, NULL, 1,    NULL,  NULL),
    ('silent',        '', 60, 'return_pack',   30,   NULL, 2,    5,    NULL,  NULL),
    ('growing',       '', 70, 'next_level',    NULL, 29,   2,    4,    NULL,  NULL),
    ('fresh',         '', 80, 'guide',         NULL, 29,   NULL, 1,    NULL,  NULL)
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_purchases")]

    operations = [
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
        migrations.RunSQL(GROUPS, migrations.RunSQL.noop),
    ]
