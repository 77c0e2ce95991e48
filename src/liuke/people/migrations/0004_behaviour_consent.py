from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0003_merchants_role'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='consentchange',
            name='consent_in_known_words',
        ),
        migrations.AddConstraint(
            model_name='consentchange',
            constraint=models.CheckConstraint(condition=models.Q(('basis__in', ('member', 'attested', 'agent', 'one_click')), models.Q(models.Q(('channel__in', ('list', 'inbox', 'sms', 'email')), ('purpose__in', ('marketing', 'service'))), models.Q(('channel', 'site'), ('purpose', 'behaviour')), _connector='OR')), name='consent_in_known_words'),
        ),
    ]
