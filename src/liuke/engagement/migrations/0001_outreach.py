import django.contrib.postgres.constraints
import django.contrib.postgres.operations
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


GUARDS = """
ALTER TABLE engagement_contact ADD CONSTRAINT a_week_is_at_least_a_week CHECK (
    lower(during) = claimed_at AND lower_inc(during) AND NOT upper_inc(during)
    AND upper(during) - lower(during) >= interval '168 hours');
CREATE FUNCTION engagement_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: % of % is refused', TG_NAME, TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER a_week_is_taken_before_it_is_given_back BEFORE INSERT ON engagement_contact
    FOR EACH ROW WHEN (NEW.given_back_at IS NOT NULL) EXECUTE FUNCTION engagement_refuse();
CREATE TRIGGER a_week_only_grows_or_is_given_back BEFORE UPDATE ON engagement_contact
    FOR EACH ROW WHEN (
        NEW.person_id <> OLD.person_id OR NEW.decision_id <> OLD.decision_id OR NEW.is_ghost <> OLD.is_ghost
        OR NEW.claimed_at <> OLD.claimed_at OR upper(NEW.during) < upper(OLD.during)
        OR (OLD.given_back_at IS NOT NULL AND NEW.given_back_at IS DISTINCT FROM OLD.given_back_at))
    EXECUTE FUNCTION engagement_refuse();
CREATE TRIGGER a_contact_is_never_deleted BEFORE DELETE ON engagement_contact
    FOR EACH STATEMENT EXECUTE FUNCTION engagement_refuse();
CREATE TRIGGER a_hold_out_is_for_ever BEFORE UPDATE OR DELETE ON engagement_hold_out
    FOR EACH STATEMENT EXECUTE FUNCTION engagement_refuse();
CREATE TRIGGER a_plan_version_is_never_changed BEFORE UPDATE OR DELETE ON engagement_plan_version
    FOR EACH STATEMENT EXECUTE FUNCTION engagement_refuse();
"""
NO_GUARDS = """
DROP TRIGGER a_plan_version_is_never_changed ON engagement_plan_version;
DROP TRIGGER a_hold_out_is_for_ever ON engagement_hold_out;
DROP TRIGGER a_contact_is_never_deleted ON engagement_contact;
DROP TRIGGER a_week_only_grows_or_is_given_back ON engagement_contact;
DROP TRIGGER a_week_is_taken_before_it_is_given_back ON engagement_contact;
DROP FUNCTION engagement_refuse();
ALTER TABLE engagement_contact DROP CONSTRAINT a_week_is_at_least_a_week;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('analytics', '0003_segments_and_uploads'),
        ('people', '0002_staff_and_consent'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        django.contrib.postgres.operations.BtreeGistExtension(),
        migrations.CreateModel(
            name='Pressure',
            fields=[
                ('person', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='people.member')),
                ('taken_until', models.DateTimeField()),
            ],
            options={
                'db_table': 'engagement_pressure',
            },
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('state', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('arm', models.CharField(blank=True, db_default='', default='', max_length=8)),
                ('reason', models.CharField(blank=True, db_default='', default='', max_length=16)),
                ('decided_at', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='people.member')),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.member')),
            ],
            options={
                'db_table': 'engagement_decision',
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('is_ghost', models.BooleanField(default=False)),
                ('claimed_at', models.DateTimeField()),
                ('during', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ('given_back_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='people.member')),
                ('decision', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='engagement.decision')),
            ],
            options={
                'db_table': 'engagement_contact',
                'constraints': [
                    django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('given_back_at', None)), expressions=[('person', '='), ('during', '&&')], name='at_most_one_contact_a_week'),
                ],
            },
        ),
        migrations.CreateModel(
            name='HoldOut',
            fields=[
                ('person', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, serialize=False, to='people.member')),
                ('bucket', models.PositiveSmallIntegerField()),
                ('share_permyriad', models.PositiveIntegerField()),
                ('is_held_out', models.BooleanField()),
                ('drawn_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'engagement_hold_out',
                'constraints': [models.CheckConstraint(condition=models.Q(('bucket__lt', 10000)), name='buckets_are_0_to_9999')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('purpose', models.CharField(max_length=10)),
                ('channel', models.CharField(max_length=8)),
                ('subject', models.CharField(blank=True, default='', max_length=200)),
                ('body', models.TextField(blank=True, default='')),
                ('state', models.CharField(max_length=10)),
                ('due_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('began_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('provider_id', models.CharField(blank=True, default='', max_length=128)),
                ('failure', models.CharField(blank=True, default='', max_length=200)),
                ('opened_at', models.DateTimeField(null=True)),
                ('made_at', models.DateTimeField()),
                ('contact', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, to='engagement.contact')),
                ('decision', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='engagement.decision')),
                ('member', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='people.member')),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.member')),
            ],
            options={
                'db_table': 'engagement_message',
                'indexes': [
                    models.Index(condition=models.Q(('state__in', ('queued', 'sending'))), fields=['channel', 'due_at'], name='message_due'),
                    models.Index(fields=['person', '-id'], name='message_by_person'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('purpose', 'service'), ('contact__isnull', False), _connector='OR'), name='marketing_takes_a_week'),
                    models.CheckConstraint(condition=models.Q(('channel__in', ('list', 'inbox', 'sms', 'email')), ('purpose__in', ('marketing', 'service')), ('state__in', ('queued', 'sending', 'accepted', 'rejected', 'unknown', 'cancelled'))), name='message_in_known_words'),
                    models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('state__in', ('queued', 'sending'))), models.Q(('ended_at__isnull', False), ('state__in', ('accepted', 'rejected', 'unknown', 'cancelled'))), _connector='OR'), name='an_ended_message_says_when'),
                    models.UniqueConstraint(condition=models.Q(('provider_id', ''), _negated=True), fields=('channel', 'provider_id'), name='one_message_per_provider_id'),
                ],
            },
        ),
        migrations.CreateModel(
            name='OutreachPolicy',
            fields=[
                ('version', models.AutoField(primary_key=True, serialize=False)),
                ('cap_hours', models.PositiveIntegerField()),
                ('holdout_permyriad', models.PositiveIntegerField()),
                ('allowed_from', models.TimeField()),
                ('allowed_until', models.TimeField()),
                ('zones_when_unknown', models.JSONField()),
                ('brake_permille', models.PositiveIntegerField()),
                ('wait_hours_max', models.PositiveIntegerField()),
                ('send_within_hours', models.PositiveIntegerField()),
                ('set_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'engagement_outreach_policy',
                'constraints': [models.CheckConstraint(condition=models.Q(('cap_hours__range', (168, 9000))), name='never_more_than_once_a_week'), models.CheckConstraint(condition=models.Q(('brake_permille__range', (1, 1000)), ('holdout_permyriad__lte', 5000)), name='shares_make_sense'), models.CheckConstraint(condition=models.Q(('allowed_from__lt', models.F('allowed_until'))), name='the_day_opens_before_it_closes'), models.CheckConstraint(condition=models.Q(('send_within_hours__range', (1, 160)), ('wait_hours_max__range', (1, 2160))), name='waiting_ends')],
            },
        ),
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('state', models.CharField(max_length=8)),
                ('rhythm', models.CharField(max_length=8)),
                ('next_run_at', models.DateTimeField(null=True)),
                ('made_at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='analytics.source')),
            ],
            options={
                'db_table': 'engagement_plan',
                'indexes': [
                    models.Index(condition=models.Q(('next_run_at__isnull', False)), fields=['next_run_at'], name='plan_due'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('rhythm__in', ('once', 'daily')), ('state__in', ('draft', 'active', 'retired'))), name='plan_in_known_words'),
                    models.CheckConstraint(condition=models.Q(('next_run_at', None), models.Q(('rhythm', 'daily'), ('state', 'active')), _connector='OR'), name='only_an_active_daily_plan_runs_itself'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PlanVersion',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('template', models.CharField(blank=True, default='', max_length=40)),
                ('audience', models.JSONField()),
                ('purpose', models.CharField(max_length=10)),
                ('channel', models.CharField(max_length=8)),
                ('subject', models.CharField(blank=True, default='', max_length=120)),
                ('body', models.TextField(max_length=2000)),
                ('offer', models.CharField(blank=True, default='', max_length=120)),
                ('offer_worth_fen', models.BigIntegerField(default=0)),
                ('cost_each_fen', models.BigIntegerField(default=0)),
                ('control_permyriad', models.PositiveIntegerField()),
                ('window_days', models.PositiveIntegerField()),
                ('again_after_days', models.PositiveIntegerField()),
                ('made_at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='engagement.plan')),
                ('segment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='analytics.segment')),
            ],
            options={
                'db_table': 'engagement_plan_version',
                'constraints': [
                    models.UniqueConstraint(fields=('plan', 'number'), name='plan_versions_are_numbered'),
                    models.CheckConstraint(condition=models.Q(('channel__in', ('list', 'inbox', 'sms', 'email')), ('purpose__in', ('marketing', 'service'))), name='plan_on_a_known_channel'),
                    models.CheckConstraint(condition=models.Q(('cost_each_fen__gte', 0), ('offer_worth_fen__gte', 0)), name='costs_are_not_negative'),
                    models.CheckConstraint(condition=models.Q(('control_permyriad__lte', 9000), ('window_days__range', (1, 180))), name='plan_can_be_measured'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('state', models.CharField(max_length=8)),
                ('planned_on', models.DateField()),
                ('candidates', models.BigIntegerField(default=0)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='engagement.plan')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='engagement.planversion')),
            ],
            options={
                'db_table': 'engagement_run',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('state__in', ('running', 'paused', 'finished', 'stopped'))), name='run_in_a_known_state'),
                    models.UniqueConstraint(fields=('plan', 'planned_on'), name='one_run_a_day'),
                    models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('plan',), name='one_run_at_a_time'),
                    models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('state__in', ('running', 'paused'))), models.Q(('ended_at__isnull', False), ('state__in', ('finished', 'stopped'))), _connector='OR'), name='an_ended_run_says_when'),
                ],
            },
        ),
        migrations.AddField(
            model_name='decision',
            name='run',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='engagement.run'),
        ),
        migrations.CreateModel(
            name='Switch',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('is_stopped', models.BooleanField(default=False)),
                ('since', models.DateTimeField(null=True)),
                ('salt', models.CharField(max_length=32)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'engagement_switch',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('id', 1)), name='there_is_one_switch'),
                ],
            },
        ),
        migrations.CreateModel(
            name='TroubleFlag',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('why', models.CharField(max_length=300)),
                ('raised_at', models.DateTimeField()),
                ('until', models.DateField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('member', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, to='people.member')),
            ],
            options={
                'db_table': 'engagement_trouble_flag',
            },
        ),
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('kind', models.CharField(max_length=8)),
                ('state', models.CharField(max_length=8)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('again_at', models.DateTimeField(null=True)),
                ('taken_at', models.DateTimeField(null=True)),
                ('outcome', models.CharField(blank=True, default='', max_length=16)),
                ('leave_reason', models.CharField(blank=True, default='', max_length=16)),
                ('note', models.CharField(blank=True, default='', max_length=500)),
                ('made_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('member', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='people.member')),
                ('taken_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('message', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, to='engagement.message')),
                ('trouble', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, to='engagement.troubleflag')),
            ],
            options={
                'db_table': 'engagement_call',
                'indexes': [
                    models.Index(fields=['state', 'kind', 'id'], name='call_queue'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('kind__in', ('recall', 'care')), ('state__in', ('open', 'taken', 'done')), ('leave_reason__in', ('', 'benefits', 'slow_pages', 'late_keys', 'dispute', 'rival_price', 'no_need', 'other')), ('outcome__in', ('', 'reached', 'no_answer', 'wrong_number', 'refused', 'lapsed'))), name='call_in_known_words'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind', 'recall'), ('message__isnull', False), ('trouble', None)), models.Q(('kind', 'care'), ('message', None), ('trouble__isnull', False)), _connector='OR'), name='a_call_says_where_it_comes_from'),
                    models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', False), ('state', 'done'), models.Q(('outcome', ''), _negated=True)), models.Q(('done_at', None), ('outcome', ''), ('state__in', ('open', 'taken'))), _connector='OR'), name='a_done_call_has_its_outcome'),
                    models.CheckConstraint(condition=models.Q(models.Q(('state', 'open'), ('taken_by', None)), models.Q(('state', 'open'), _negated=True), _connector='OR'), name='an_open_call_is_nobodys'),
                ],
            },
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['run', 'state'], name='decision_by_run'),
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(condition=models.Q(('state', 1)), fields=['due_at'], name='decision_due'),
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['member', '-id'], name='decision_by_member'),
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['person'], name='decision_by_person'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.UniqueConstraint(fields=('run', 'member'), name='one_decision_a_candidate'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('arm__in', ('', 'treated', 'control')), ('reason__in', ('', 'erased', 'no_consent', 'trouble', 'holdout', 'not_eligible', 'no_address', 'quiet_hours', 'capped', 'control', 'stopped', 'opted_out', 'accepted', 'rejected', 'unknown', 'expired')), ('state__in', (0, 1, 2, 3))), name='decision_in_known_words'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reason', ''), ('state__in', (0, 2))), models.Q(('state__in', (1, 3)), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='waiting_and_done_say_why'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_at__isnull', False), ('expires_at__isnull', False), ('state', 1)), models.Q(('state', 1), _negated=True), _connector='OR'), name='waiting_has_an_end'),
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
