import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('people', '0003_merchants_role'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Merchant',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('name', models.CharField(max_length=80, unique=True)),
                ('fee_permyriad', models.PositiveIntegerField()),
                ('state', models.CharField(default='active', max_length=8)),
                ('opened_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'merchants_merchant',
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ('active', 'paused', 'closed'))), name='merchant_in_a_known_state'), models.CheckConstraint(condition=models.Q(('fee_permyriad__lte', 5000)), name='a_fee_leaves_half'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='a_merchant_has_a_name')],
            },
        ),
        migrations.CreateModel(
            name='MerchantStaff',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('added_at', models.DateTimeField()),
                ('login', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='staff', to='merchants.merchant')),
            ],
            options={
                'db_table': 'merchants_merchant_staff',
            },
        ),
    ]
