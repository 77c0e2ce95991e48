import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# Members known by one phone number are one person; everyone else is their own.
KNOWN_PERSONS = """
UPDATE people_member SET phone_index = external_id WHERE phone_sealed IS NOT NULL;
UPDATE people_member m SET person_id = CASE WHEN m.phone_index IS NULL THEN m.id ELSE
    (SELECT min(p.id) FROM people_member p WHERE p.phone_index = m.phone_index) END;
"""
HISTORY = """
CREATE FUNCTION people_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever appended to: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER consent_history_is_never_changed BEFORE UPDATE OR DELETE ON people_consent_change
    FOR EACH STATEMENT EXECUTE FUNCTION people_refuse_change();
CREATE TRIGGER staff_acts_are_never_changed BEFORE UPDATE OR DELETE ON people_staff_act
    FOR EACH STATEMENT EXECUTE FUNCTION people_refuse_change();

-- What is allowed now follows the history in the same statement, and nothing else may write it. Of two changes the one
-- with the higher number stands, whichever arrives first. An attestation speaks only for those of whom nothing is
-- known: a plain insert, refused where something is.
CREATE FUNCTION people_follow_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_consent AS known (person_id, channel, purpose, is_given, since, change_id)
    SELECT DISTINCT ON (person_id, channel, purpose) person_id, channel, purpose, is_given, at, id
    FROM added WHERE basis <> 'attested' ORDER BY person_id, channel, purpose, id DESC
    ON CONFLICT (person_id, channel, purpose) DO UPDATE
        SET is_given = EXCLUDED.is_given, since = EXCLUDED.since, change_id = EXCLUDED.change_id
        WHERE known.change_id < EXCLUDED.change_id;
    INSERT INTO people_consent (person_id, channel, purpose, is_given, since, change_id)
    SELECT person_id, channel, purpose, is_given, at, id FROM added WHERE basis = 'attested';
    RETURN NULL;
END $$;
CREATE TRIGGER consent_follows_its_history AFTER INSERT ON people_consent_change
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION people_follow_consent();
CREATE FUNCTION people_refuse_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'consent is written through its history: % is refused', TG_OP
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_has_no_other_writer BEFORE INSERT OR UPDATE OR DELETE ON people_consent
    FOR EACH STATEMENT EXECUTE FUNCTION people_refuse_consent();
"""
STAFF_POLICY = """
INSERT INTO people_staff_policy (is_totp_required, set_at) VALUES (true, '2026-01-01T00:00:00Z');
"""
NO_HISTORY = """
DROP TRIGGER consent_has_no_other_writer ON people_consent;
DROP FUNCTION people_refuse_consent();
DROP TRIGGER consent_follows_its_history ON people_consent_change;
DROP FUNCTION people_follow_consent();
DROP TRIGGER staff_acts_are_never_changed ON people_staff_act;
DROP TRIGGER consent_history_is_never_changed ON people_consent_change;
DROP FUNCTION people_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0001_members'),
    ]

    operations = [
        migrations.CreateModel(
            name='Attestation',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('source', models.CharField(max_length=64)),
                ('channel', models.CharField(max_length=8)),
                ('purpose', models.CharField(max_length=10)),
                ('statement', models.CharField(max_length=500)),
                ('attested_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'people_attestation',
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'channel', 'purpose', blank=True, editable=False, primary_key=True, serialize=False)),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to='people.member')),
                ('channel', models.CharField(max_length=8)),
                ('purpose', models.CharField(max_length=10)),
                ('is_given', models.BooleanField()),
                ('since', models.DateTimeField()),
            ],
            options={
                'db_table': 'people_consent',
            },
        ),
        migrations.CreateModel(
            name='ConsentChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('channel', models.CharField(max_length=8)),
                ('purpose', models.CharField(max_length=10)),
                ('is_given', models.BooleanField()),
                ('basis', models.CharField(max_length=10)),
                ('words', models.CharField(blank=True, default='', max_length=500)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'people_consent_change',
            },
        ),
        migrations.CreateModel(
            name='LoginCode',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=8)),
                ('address_index', models.CharField(max_length=32)),
                ('code_hash', models.CharField(max_length=64)),
                ('network', models.CharField(max_length=64)),
                ('device', models.CharField(max_length=32)),
                ('sent_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'people_login_code',
                'indexes': [
                    models.Index(fields=['address_index', '-id'], name='code_by_address'),
                    models.Index(fields=['-sent_at'], name='code_by_time'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RecoveryCode',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('code_hash', models.CharField(max_length=64)),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'people_recovery_code',
            },
        ),
        migrations.CreateModel(
            name='StaffAct',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('verb', models.CharField(max_length=40)),
                ('about', models.CharField(blank=True, default='', max_length=80)),
                ('detail', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
            ],
            options={
                'db_table': 'people_staff_act',
            },
        ),
        migrations.CreateModel(
            name='StaffPolicy',
            fields=[
                ('version', models.AutoField(primary_key=True, serialize=False)),
                ('is_totp_required', models.BooleanField()),
                ('set_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'people_staff_policy',
            },
        ),
        migrations.AddField(
            model_name='login',
            name='role',
            field=models.CharField(default='operator', max_length=10),
        ),
        migrations.AddField(
            model_name='login',
            name='totp_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='login',
            name='totp_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='login',
            name='totp_step',
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='login',
            name='wrong_codes_at',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, size=None),
        ),
        migrations.AddField(
            model_name='login',
            name='sessions_from',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='birth_calendar',
            field=models.CharField(blank=True, db_default='', default='', max_length=8),
        ),
        migrations.AddField(
            model_name='member',
            name='birth_day',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='birth_month',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='email_confirmed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='email_index',
            field=models.CharField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='email_sealed',
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='phone_index',
            field=models.CharField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='quiet_from',
            field=models.TimeField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='quiet_until',
            field=models.TimeField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='sessions_from',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='member',
            name='time_zone',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='member',
            name='time_zone_from',
            field=models.CharField(blank=True, db_default='', default='', max_length=8),
        ),
        migrations.AddField(
            model_name='member',
            name='person',
            field=models.ForeignKey(null=True, db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.member'),
        ),
        migrations.RunSQL(KNOWN_PERSONS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='member',
            name='person',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.member'),
        ),
        migrations.AddIndex(
            model_name='member',
            index=models.Index(condition=models.Q(('phone_index__isnull', False)), fields=['phone_index'], name='member_by_phone'),
        ),
        migrations.AddIndex(
            model_name='member',
            index=models.Index(condition=models.Q(('email_index__isnull', False)), fields=['email_index'], name='member_by_email'),
        ),
        migrations.AddIndex(
            model_name='member',
            index=models.Index(fields=['person'], name='member_by_person'),
        ),
        migrations.AddIndex(
            model_name='member',
            index=models.Index(condition=models.Q(('erased_at__isnull', False)), fields=['source'], name='erased_by_source'),
        ),
        migrations.AddConstraint(
            model_name='login',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ('operator', 'agent'))), name='login_has_a_known_role'),
        ),
        migrations.AddConstraint(
            model_name='login',
            constraint=models.CheckConstraint(condition=models.Q(('totp_since', None), ('totp_sealed__isnull', False), _connector='OR'), name='a_proven_authenticator_has_its_secret'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.UniqueConstraint(condition=models.Q(('person', models.F('id')), ('phone_index__isnull', False)), fields=('phone_index',), name='one_person_per_phone'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('phone_index__isnull', True), ('phone_sealed__isnull', True)), models.Q(('phone_index__isnull', False), ('phone_sealed__isnull', False)), _connector='OR'), name='a_sealed_phone_can_be_found'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('email_index__isnull', True), ('email_sealed__isnull', True)), models.Q(('email_index__isnull', False), ('email_sealed__isnull', False)), _connector='OR'), name='a_sealed_email_can_be_found'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('time_zone', ''), ('time_zone_from', '')), models.Q(models.Q(('time_zone', ''), _negated=True), ('time_zone_from__in', ('member', 'device', 'source'))), _connector='OR'), name='a_time_zone_says_where_from'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('birth_calendar', ''), ('birth_day', None), ('birth_month', None)), models.Q(('birth_calendar__in', ('solar', 'lunar')), ('birth_day__range', (1, 31)), ('birth_month__range', (1, 12))), _connector='OR'), name='a_birthday_is_whole'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('quiet_from__isnull', False), ('quiet_until__isnull', False), models.Q(('quiet_from', models.F('quiet_until')), _negated=True)), _connector='OR'), name='quiet_hours_are_whole'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(('erased_at', None), models.Q(('birth_month', None), ('email_sealed', None), ('phone_sealed', None), ('quiet_from', None), ('external_id__startswith', 'erased:'), ('time_zone', '')), _connector='OR'), name='an_erased_member_has_no_face'),
        ),
        migrations.AddField(
            model_name='attestation',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='consent',
            name='change',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, to='people.consentchange'),
        ),
        migrations.AddField(
            model_name='consentchange',
            name='attestation',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='people.attestation'),
        ),
        migrations.AddField(
            model_name='consentchange',
            name='by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='consentchange',
            name='person',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to='people.member'),
        ),
        migrations.AddField(
            model_name='logincode',
            name='person',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to='people.member'),
        ),
        migrations.AddField(
            model_name='recoverycode',
            name='login',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='staffact',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='attestation',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('source', 'channel', 'purpose'), name='one_attestation_in_force'),
        ),
        migrations.AddConstraint(
            model_name='attestation',
            constraint=models.CheckConstraint(condition=models.Q(('statement', ''), _negated=True), name='an_attestation_says_how'),
        ),
        migrations.AddConstraint(
            model_name='attestation',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ('list', 'inbox', 'sms', 'email')), ('purpose__in', ('marketing', 'service'))), name='attested_for_a_known_channel'),
        ),
        migrations.AddIndex(
            model_name='consentchange',
            index=models.Index(fields=['person', 'id'], name='consent_change_by_person'),
        ),
        migrations.AddConstraint(
            model_name='consentchange',
            constraint=models.CheckConstraint(condition=models.Q(('basis__in', ('member', 'attested', 'agent', 'one_click')), ('channel__in', ('list', 'inbox', 'sms', 'email')), ('purpose__in', ('marketing', 'service'))), name='consent_in_known_words'),
        ),
        migrations.AddConstraint(
            model_name='consentchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', 'attested'), _negated=True), models.Q(('attestation__isnull', False), ('is_given', True)), _connector='OR'), name='an_attested_yes_names_its_word'),
        ),
        migrations.AddConstraint(
            model_name='consentchange',
            constraint=models.CheckConstraint(condition=models.Q(('basis', 'one_click'), ('is_given', True), _negated=True), name='one_click_only_says_no'),
        ),
        migrations.AddConstraint(
            model_name='logincode',
            constraint=models.CheckConstraint(condition=models.Q(('tries__lte', 5)), name='a_code_has_few_tries'),
        ),
        migrations.AddConstraint(
            model_name='logincode',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ('phone', 'email')), models.Q(models.Q(('kind', 'phone'), ('person', None)), models.Q(('kind', 'email'), ('person__isnull', False)), _connector='OR')), name='a_code_is_bound'),
        ),
        migrations.AddConstraint(
            model_name='recoverycode',
            constraint=models.UniqueConstraint(fields=('login', 'code_hash'), name='recovery_codes_differ'),
        ),
        migrations.AddIndex(
            model_name='staffact',
            index=models.Index(fields=['about', '-id'], name='act_by_what_it_is_about'),
        ),
        migrations.RunSQL(HISTORY, NO_HISTORY),
        migrations.RunSQL(STAFF_POLICY, migrations.RunSQL.noop),
    ]
