"""When a rejection is granted by itself on a new site: three in 30 days, up to 100 yuan each."""

from django.db import migrations

POLICY = """
INSERT INTO delivery_policy (rejections_max, window_days, automatic_max_fen, set_at)
VALUES (3, 30, 10000, '2026-01-01T00:00:00Z')
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0002_guards")]
    operations = [migrations.RunSQL(POLICY, migrations.RunSQL.noop)]
