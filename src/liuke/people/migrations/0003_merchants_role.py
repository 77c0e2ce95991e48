from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0002_staff_and_consent'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='login',
            name='login_has_a_known_role',
        ),
        migrations.AddConstraint(
            model_name='login',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ('operator', 'agent', 'merchant'))), name='login_has_a_known_role'),
        ),
    ]
