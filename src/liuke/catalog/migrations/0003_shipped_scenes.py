"""What members of a digital-goods site come for, and how much one login is shown; the operator edits both."""

from django.db import migrations

SCENES = """
INSERT INTO catalog_scene (key, name_zh, name_en, position) VALUES
    ('games', '游戏', 'Games', 1),
    ('films', '影音会员', 'Films and music', 2),
    ('phone', '话费流量', 'Phone credit', 3),
    ('shopping', '购物卡', 'Shopping cards', 4),
    ('software', '软件办公', 'Software', 5),
    ('services', '代办服务', 'Services', 6)
"""
KEY_POLICY = """
INSERT INTO catalog_key_policy (reveals_an_hour, set_at) VALUES (30, '2026-01-01T00:00:00Z')
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_guards")]

    operations = [
        migrations.RunSQL(SCENES, migrations.RunSQL.noop),
        migrations.RunSQL(KEY_POLICY, migrations.RunSQL.noop),
    ]
