"""Flat filters become rules, and who is in a segment is kept."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Every part of a flat filter has to hold. An evaluation fills the membership.
RULES = """
UPDATE analytics_segment SET rule = jsonb_build_object('version', 1, 'rule', jsonb_build_object('and',
    (SELECT coalesce(jsonb_agg(part), '[]') FROM (
        SELECT jsonb_build_object('fact', key, 'is', jsonb_build_array(value)) AS part
        FROM jsonb_each(rule) WHERE key IN ('stage', 'group')
        UNION ALL
        SELECT jsonb_build_object('fact', key, 'min', value, 'max', value)
        FROM jsonb_each(rule) WHERE key IN ('r', 'f')
        UNION ALL
        SELECT jsonb_build_object('fact', 'cohort', 'is', rule -> 'cohort') WHERE rule ? 'cohort'
        UNION ALL
        SELECT jsonb_build_object('fact', 'overdue') WHERE rule ? 'overdue'
        UNION ALL
        SELECT jsonb_strip_nulls(jsonb_build_object(
            'fact', name || unit, 'min', rule -> (name || '_min' || unit), 'max', rule -> (name || '_max' || unit)))
        FROM (VALUES ('days', ''), ('orders', ''), ('total', '_fen')) AS ranges (name, unit)
        WHERE rule ?| ARRAY[name || '_min' || unit, name || '_max' || unit]
    ) parts)))
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0005_behaviour'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameField('segment', 'filter', 'rule'),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
        migrations.AddField('segment', 'reads', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=12), default=['standing'], size=None), preserve_default=False),
        migrations.AddField('segment', 'action', models.CharField(blank=True, default='', max_length=40)),
        migrations.AddField('segment', 'shipped', models.CharField(blank=True, default='', max_length=40)),
        migrations.AddField('segment', 'members', models.BigIntegerField(default=0)),
        migrations.AddField('segment', 'filled_at', models.DateTimeField(null=True)),
        migrations.AlterField('segment', 'name', models.CharField(blank=True, default='', max_length=80)),
        migrations.RemoveConstraint('segment', 'one_segment_of_a_name'),
        migrations.AddConstraint('segment', models.UniqueConstraint(condition=models.Q(('retired_at', None), models.Q(('name', ''), _negated=True)), fields=('source', 'name'), name='one_segment_of_a_name')),
        migrations.CreateModel(
            name='SegmentMember',
            fields=[
                ('pk', models.CompositePrimaryKey('segment_id', 'member_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('since', models.DateTimeField(null=True)),
                ('next_eval_at', models.DateTimeField(null=True)),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.member')),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.segment')),
            ],
            options={
                'db_table': 'analytics_segment_member',
                'indexes': [models.Index(fields=['member', 'segment'], include=('since', 'next_eval_at'), name='segment_member_by_member'), models.Index(condition=models.Q(('next_eval_at__isnull', False)), fields=['next_eval_at', 'member'], name='segment_member_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('since__isnull', False), ('next_eval_at__isnull', False), _connector='OR'), name='segment_member_is_in_or_waits')],
            },
        ),
        migrations.CreateModel(
            name='SegmentMove',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('is_entry', models.BooleanField()),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.member')),
                ('segment', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='analytics.segment')),
            ],
            options={
                'db_table': 'analytics_segment_move',
                'indexes': [models.Index(fields=['segment', 'at'], name='segment_move_by_moment')],
            },
        ),
        migrations.CreateModel(
            name='SegmentNews',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('changed', models.CharField(max_length=12)),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.member')),
            ],
            options={
                'db_table': 'analytics_segment_news',
            },
        ),
    ]
