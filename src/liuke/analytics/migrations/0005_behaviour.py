"""What members and visitors do, apart from the log: a partition a month, made and dropped by a job.

Django does not know of partitions: the table is made here by hand, and the model is told.
"""

import django.db.models.deletion
from django.db import migrations, models

# What comes before its month was made stands in `_other`; the job that makes the month moves it there.
TABLE = """
CREATE TABLE analytics_behaviour (
    batch varchar(40) NOT NULL,
    position smallint NOT NULL CHECK (position >= 0),
    at timestamptz NOT NULL,
    kind varchar(8) NOT NULL,
    person_id bigint,
    visitor varchar(24) NOT NULL,
    product varchar(16) NOT NULL,
    variant varchar(16) NOT NULL,
    text varchar(60) NOT NULL,
    came_from varchar(60) NOT NULL,
    PRIMARY KEY (batch, position, at),
    CONSTRAINT behaviour_of_a_known_kind
        CHECK (kind IN ('view', 'search', 'login', 'add', 'buy', 'click', 'open')),
    CONSTRAINT behaviour_of_a_person_or_a_visitor CHECK (
        person_id IS NOT NULL AND visitor = ''
        OR person_id IS NULL AND visitor <> '' AND kind NOT IN ('login', 'buy', 'open')),
    CONSTRAINT behaviour_tells_no_number CHECK (text !~ '[0-9]{7}|@' AND came_from !~ '[0-9]{7}|@')
) PARTITION BY RANGE (at);
CREATE INDEX behaviour_by_person ON analytics_behaviour (person_id, at) WHERE person_id IS NOT NULL;
CREATE TABLE analytics_behaviour_other PARTITION OF analytics_behaviour DEFAULT;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0004_upload_tries'),
        ('people', '0004_behaviour_consent'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE analytics_behaviour")],
            state_operations=[
                migrations.CreateModel(
                    name='Behaviour',
                    fields=[
                        ('pk', models.CompositePrimaryKey('batch', 'position', 'at', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('batch', models.CharField(max_length=40)),
                        ('position', models.PositiveSmallIntegerField()),
                        ('at', models.DateTimeField()),
                        ('kind', models.CharField(max_length=8)),
                        ('visitor', models.CharField(blank=True, default='', max_length=24)),
                        ('product', models.CharField(blank=True, default='', max_length=16)),
                        ('variant', models.CharField(blank=True, default='', max_length=16)),
                        ('text', models.CharField(blank=True, default='', max_length=60)),
                        ('came_from', models.CharField(blank=True, default='', max_length=60)),
                        ('person', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.member')),
                    ],
                    options={
                        'db_table': 'analytics_behaviour',
                        'indexes': [models.Index(condition=models.Q(('person__isnull', False)), fields=['person', 'at'], name='behaviour_by_person')],
                        'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ('view', 'search', 'login', 'add', 'buy', 'click', 'open'))), name='behaviour_of_a_known_kind'), models.CheckConstraint(condition=models.Q(models.Q(('person__isnull', False), ('visitor', '')), models.Q(('person', None), models.Q(('visitor', ''), _negated=True), models.Q(('kind__in', ('login', 'buy', 'open')), _negated=True)), _connector='OR'), name='behaviour_of_a_person_or_a_visitor'), models.CheckConstraint(condition=models.Q(models.Q(('text__regex', '[0-9]{7}|@'), _negated=True), models.Q(('came_from__regex', '[0-9]{7}|@'), _negated=True)), name='behaviour_tells_no_number')],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='BehaviourDay',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'on', blank=True, editable=False, primary_key=True, serialize=False)),
                ('on', models.DateField()),
                ('views', models.IntegerField()),
                ('searches', models.IntegerField()),
                ('logins', models.IntegerField()),
                ('adds', models.IntegerField()),
                ('buys', models.IntegerField()),
                ('clicks', models.IntegerField()),
                ('opens', models.IntegerField()),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.member')),
            ],
            options={
                'db_table': 'analytics_behaviour_day',
                'indexes': [models.Index(condition=models.Q(('logins__gt', 0)), fields=['on', 'person'], name='login_days')],
                'constraints': [models.CheckConstraint(condition=models.Q(('adds__gte', 0), ('buys__gte', 0), ('clicks__gte', 0), ('logins__gte', 0), ('opens__gte', 0), ('searches__gte', 0), ('views__gte', 0)), name='behaviour_counts_are_not_negative')],
            },
        ),
    ]
