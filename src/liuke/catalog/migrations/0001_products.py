import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('merchants', '0001_merchants'),
        ('people', '0003_merchants_role'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='KeyPolicy',
            fields=[
                ('version', models.AutoField(primary_key=True, serialize=False)),
                ('reveals_an_hour', models.PositiveIntegerField()),
                ('set_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'catalog_key_policy',
            },
        ),
        migrations.CreateModel(
            name='Scene',
            fields=[
                ('key', models.SlugField(max_length=24, primary_key=True, serialize=False)),
                ('name_zh', models.CharField(max_length=24, unique=True)),
                ('name_en', models.CharField(max_length=40, unique=True)),
                ('position', models.PositiveSmallIntegerField()),
            ],
            options={
                'db_table': 'catalog_scene',
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('token', models.CharField(max_length=64, unique=True)),
                ('until', models.DateTimeField()),
                ('held_at', models.DateTimeField()),
                ('taken_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'catalog_hold',
                'indexes': [models.Index(condition=models.Q(('taken_at', None)), fields=['until'], name='hold_due')],
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('kind', models.CharField(max_length=16)),
                ('title', models.CharField(max_length=80)),
                ('subject', models.CharField(blank=True, default='', max_length=40)),
                ('subtitle', models.CharField(blank=True, default='', max_length=120)),
                ('body', models.TextField(blank=True, default='', max_length=5000)),
                ('state', models.CharField(default='draft', max_length=8)),
                ('order_form', models.JSONField(default=list)),
                ('source_kind', models.CharField(max_length=12)),
                ('source_text', models.CharField(blank=True, default='', max_length=300)),
                ('coverage_text', models.CharField(blank=True, default='', max_length=300)),
                ('arrival_minutes', models.PositiveIntegerField(default=0)),
                ('accept_days', models.PositiveSmallIntegerField(default=3)),
                ('per_order_max', models.PositiveIntegerField(null=True)),
                ('per_person_max', models.PositiveIntegerField(null=True)),
                ('sold_count', models.BigIntegerField(db_default=0, default=0)),
                ('search_text', models.TextField(blank=True, default='')),
                ('search_grams', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
                ('made_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='products', to='merchants.merchant')),
                ('scene', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='catalog.scene')),
            ],
            options={
                'db_table': 'catalog_product',
                'indexes': [
                    models.Index(fields=['scene', 'state'], name='product_by_scene'),
                    django.contrib.postgres.indexes.GinIndex(fields=['search_grams'], name='product_by_grams'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('kind__in', ('card_key', 'top_up', 'agent_service')), ('source_kind__in', ('official', 'authorised', 'merchant')), ('state__in', ('draft', 'listed', 'hidden'))), name='product_in_known_words'),
                    models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='a_product_has_a_title'),
                    models.CheckConstraint(condition=models.Q(('accept_days__lte', 90), ('arrival_minutes__lte', 43200)), name='promises_end'),
                    models.CheckConstraint(condition=models.Q(models.Q(('per_order_max', None), ('per_order_max__gte', 1), _connector='OR'), models.Q(('per_person_max', None), ('per_person_max__gte', 1), _connector='OR')), name='limits_leave_one'),
                    models.CheckConstraint(condition=models.Q(('sold_count__gte', 0)), name='sold_is_not_negative'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Variant',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('price_fen', models.BigIntegerField()),
                ('list_price_fen', models.BigIntegerField()),
                ('quantity_prices', models.JSONField(default=list)),
                ('stock_kind', models.CharField(max_length=8)),
                ('stock_count', models.BigIntegerField(null=True)),
                ('low_stock_at', models.PositiveIntegerField(null=True)),
                ('is_low', models.BooleanField(db_default=False, default=False)),
                ('state', models.CharField(default='listed', max_length=8)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='variants', to='catalog.product')),
            ],
            options={
                'db_table': 'catalog_variant',
                'constraints': [
                    models.UniqueConstraint(fields=('product', 'name'), name='variants_have_own_names'),
                    models.CheckConstraint(condition=models.Q(('state__in', ('listed', 'hidden')), ('stock_kind__in', ('keys', 'count', 'open', 'bundle'))), name='variant_in_known_words'),
                    models.CheckConstraint(condition=models.Q(('list_price_fen__gte', models.F('price_fen')), ('price_fen__gte', 0), ('list_price_fen__lte', 100000000)), name='prices_make_sense'),
                    models.CheckConstraint(condition=models.Q(models.Q(('stock_count__gte', 0), ('stock_count__isnull', False), ('stock_kind', 'count')), models.Q(models.Q(('stock_kind', 'count'), _negated=True), ('stock_count', None)), _connector='OR'), name='counted_stock_is_counted'),
                ],
            },
        ),
        migrations.CreateModel(
            name='KeyBatch',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reference', models.CharField(max_length=16, unique=True)),
                ('wrapped_key', models.BinaryField()),
                ('master_version', models.PositiveSmallIntegerField()),
                ('name', models.CharField(blank=True, default='', max_length=120)),
                ('key_count', models.PositiveIntegerField()),
                ('imported_at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('merchant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='merchants.merchant')),
                ('variant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='catalog.variant')),
            ],
            options={
                'db_table': 'catalog_key_batch',
                'indexes': [
                    models.Index(fields=['master_version'], name='batch_by_master_key'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('key_count__gte', 1)), name='a_batch_has_keys'),
                ],
            },
        ),
        migrations.CreateModel(
            name='HoldLine',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('quantity', models.PositiveIntegerField()),
                ('hold', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='catalog.hold')),
                ('part', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.variant')),
                ('variant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.variant')),
            ],
            options={
                'db_table': 'catalog_hold_line',
                'constraints': [
                    models.UniqueConstraint(fields=('hold', 'variant', 'part'), name='a_hold_names_a_part_once'),
                    models.CheckConstraint(condition=models.Q(('quantity__gte', 1)), name='a_line_holds_something'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CardKey',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('sealed', models.BinaryField()),
                ('merchant_index', models.BinaryField()),
                ('platform_index', models.BinaryField()),
                ('last_four', models.CharField(blank=True, default='', max_length=4)),
                ('state', models.CharField(db_default='free', default='free', max_length=9)),
                ('seq', models.PositiveSmallIntegerField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('why_ended', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('merchant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='merchants.merchant')),
                ('line', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='keys', to='catalog.holdline')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='keys', to='catalog.keybatch')),
                ('variant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='keys', to='catalog.variant')),
            ],
            options={
                'db_table': 'catalog_card_key',
                'indexes': [
                    models.Index(condition=models.Q(('state', 'free')), fields=['variant', 'id'], name='free_key'),
                    models.Index(fields=['platform_index'], name='key_on_the_platform'),
                ],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(models.Q(('state', 'revoked'), _negated=True), ('delivered_at__isnull', False), _connector='OR'), fields=('merchant', 'merchant_index'), name='one_row_per_key_and_merchant'),
                    models.UniqueConstraint(condition=models.Q(('line__isnull', False)), fields=('line', 'seq'), name='one_key_per_place_in_a_line'),
                    models.CheckConstraint(condition=models.Q(('state__in', ('free', 'held', 'delivered', 'revoked', 'bad'))), name='card_key_in_a_known_state'),
                    models.CheckConstraint(condition=models.Q(models.Q(('delivered_at', None), ('ended_at', None), ('line', None), ('seq', None), ('state', 'free')), models.Q(('delivered_at', None), ('line__isnull', False), ('seq__isnull', False), ('state', 'held'), ('ended_at', None)), models.Q(('ended_at', None), ('line__isnull', False), ('seq__isnull', False), ('state', 'delivered'), ('delivered_at__isnull', False)), models.Q(('ended_at__isnull', False), ('state__in', ('revoked', 'bad')), models.Q(models.Q(('delivered_at', None), ('line', None), ('seq', None)), models.Q(('delivered_at__isnull', False), ('line__isnull', False), ('seq__isnull', False)), _connector='OR')), _connector='OR'), name='a_key_is_where_it_says'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BundlePart',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('quantity', models.PositiveSmallIntegerField()),
                ('bundle', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bundle_parts', to='catalog.variant')),
                ('part', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='in_bundles', to='catalog.variant')),
            ],
            options={
                'db_table': 'catalog_bundle_part',
                'constraints': [
                    models.UniqueConstraint(fields=('bundle', 'part'), name='a_part_is_named_once'),
                    models.CheckConstraint(condition=models.Q(('quantity__range', (1, 99))), name='a_part_is_there'),
                    models.CheckConstraint(condition=models.Q(('bundle', models.F('part')), _negated=True), name='no_bundle_holds_itself'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BackWish',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('asked_at', models.DateTimeField()),
                ('told_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.member')),
                ('variant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='wishes', to='catalog.variant')),
            ],
            options={
                'db_table': 'catalog_back_wish',
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('told_at', None)), fields=('variant', 'person'), name='asked_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='KeyAccess',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=8)),
                ('reason', models.CharField(blank=True, default='', max_length=200)),
                ('network', models.CharField(blank=True, default='', max_length=64)),
                ('at', models.DateTimeField()),
                ('key', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='accesses', to='catalog.cardkey')),
                ('login', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.member')),
            ],
            options={
                'db_table': 'catalog_key_access',
                'indexes': [models.Index(fields=['key', 'id'], name='access_by_key'), models.Index(condition=models.Q(('login__isnull', False)), fields=['login', 'at'], name='access_by_login')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('login', None), ('person', None), ('role__in', ('buyer', 'operator', 'agent', 'merchant', 'system'))), models.Q(('login', None), ('person__isnull', False), ('role', 'buyer')), models.Q(('login__isnull', False), ('person', None), ('role__in', ('operator', 'agent', 'merchant')), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='who_looks_says_why')],
            },
        ),
        migrations.CreateModel(
            name='Follow',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('since', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.member')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='follows', to='catalog.product')),
            ],
            options={
                'db_table': 'catalog_follow',
                'constraints': [models.UniqueConstraint(fields=('person', 'product'), name='followed_once')],
            },
        ),
    ]
