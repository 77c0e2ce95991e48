"""The two ladders a site starts with: three levels that are climbed, and a VIP ladder to switch to."""

from django.db import migrations

LADDERS = """
INSERT INTO membership_ladder (key, name, is_active) VALUES ('members', '会员等级', true), ('vip', 'VIP 等级', false)
"""
LEVELS = """
INSERT INTO membership_level (ladder_id, key, name, position, spent_from_fen, orders_from, pays_percent) VALUES
    ('members', 'regular', '普通会员', 0, 0, 0, 100),
    ('members', 'silver', '白银会员', 1, 10000, 2, 98),
    ('members', 'gold', '黄金会员', 2, 50000, 5, 95),
    ('vip', 'regular', '普通会员', 0, 0, 0, 100),
    ('vip', 'vip1', 'VIP1', 1, 20000, 2, 95),
    ('vip', 'vip2', 'VIP2', 2, 100000, 6, 90),
    ('vip', 'vip3', 'VIP3', 3, 300000, 12, 85)
"""


class Migration(migrations.Migration):
    dependencies = [("membership", "0002_guards")]
    operations = [
        migrations.RunSQL(LADDERS, migrations.RunSQL.noop),
        migrations.RunSQL(LEVELS, migrations.RunSQL.noop),
    ]
