"""Who is in which segments: a row a member instead of one for each of their segments."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

# Room on every page for the next version of its rows: a change then touches no index.
MOVE = """
ALTER TABLE analytics_member_segments SET (fillfactor = 80);
INSERT INTO analytics_member_segments (member_id, inside, since_on, next_on)
SELECT m.member_id,
       coalesce(array_agg(m.segment_id ORDER BY m.segment_id) FILTER (WHERE m.since IS NOT NULL), '{}'),
       coalesce(array_agg((m.since AT TIME ZONE s.time_zone)::date ORDER BY m.segment_id)
                FILTER (WHERE m.since IS NOT NULL), '{}'),
       min((m.next_eval_at AT TIME ZONE s.time_zone)::date)
FROM analytics_segment_member m
JOIN analytics_segment g ON g.id = m.segment_id
JOIN analytics_source s ON s.id = g.source_id
GROUP BY m.member_id ORDER BY m.member_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0009_forecasts'),
    ]

    operations = [
        migrations.AddField('source', 'segments_on', models.DateField(null=True)),
        migrations.CreateModel(
            name='MemberSegments',
            fields=[
                ('member', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='people.member')),
                ('inside', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('since_on', django.contrib.postgres.fields.ArrayField(base_field=models.DateField(), size=None)),
                ('next_on', models.DateField(null=True)),
            ],
            options={
                'db_table': 'analytics_member_segments',
                'constraints': [models.CheckConstraint(condition=models.Q(('inside__len', models.F('since_on__len'))), name='segments_have_their_days')],
            },
        ),
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.DeleteModel('SegmentMember'),
    ]
