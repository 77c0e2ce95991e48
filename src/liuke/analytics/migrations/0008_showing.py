"""Lists for members made at night, what of them was shown and clicked, and what came of it."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0007_segment_members'),
        ('catalog', '0003_shipped_scenes'),
        ('people', '0004_behaviour_consent'),
    ]

    operations = [
        migrations.CreateModel(
            name='ShowingReport',
            fields=[
                ('on', models.DateField(primary_key=True, serialize=False)),
                ('made_at', models.DateTimeField()),
                ('report', models.JSONField()),
            ],
            options={
                'db_table': 'analytics_showing_report',
            },
        ),
        migrations.CreateModel(
            name='Listed',
            fields=[
                ('person', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='people.member')),
                ('since', models.DateTimeField()),
                ('is_held_out', models.BooleanField()),
                ('share_permyriad', models.PositiveIntegerField()),
            ],
            options={
                'db_table': 'analytics_listed',
                'constraints': [models.CheckConstraint(condition=models.Q(('share_permyriad__lte', 10000)), name='listed_by_a_share')],
            },
        ),
        migrations.CreateModel(
            name='Alongside',
            fields=[
                ('pk', models.CompositePrimaryKey('product_id', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                ('place', models.PositiveSmallIntegerField()),
                ('other', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.product')),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.product')),
            ],
            options={
                'db_table': 'analytics_alongside',
                'constraints': [models.CheckConstraint(condition=models.Q(('place__gte', 1), models.Q(('product', models.F('other')), _negated=True)), name='nothing_goes_with_itself')],
            },
        ),
        migrations.CreateModel(
            name='Popular',
            fields=[
                ('pk', models.CompositePrimaryKey('scene', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                ('scene', models.CharField(blank=True, max_length=24)),
                ('place', models.PositiveSmallIntegerField()),
                ('persons', models.IntegerField()),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.product')),
            ],
            options={
                'db_table': 'analytics_popular',
                'constraints': [models.CheckConstraint(condition=models.Q(('persons__gte', 0), ('place__gte', 1)), name='popular_is_counted')],
            },
        ),
        migrations.CreateModel(
            name='ShelfDay',
            fields=[
                ('pk', models.CompositePrimaryKey('product_id', 'on', blank=True, editable=False, primary_key=True, serialize=False)),
                ('on', models.DateField()),
                ('from_fen', models.BigIntegerField()),
                ('is_in_stock', models.BooleanField()),
                ('product', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.product')),
            ],
            options={
                'db_table': 'analytics_shelf_day',
                'constraints': [models.CheckConstraint(condition=models.Q(('from_fen__gte', 0)), name='shelf_price_is_a_price')],
            },
        ),
        migrations.CreateModel(
            name='Showing',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'on', 'slot', blank=True, editable=False, primary_key=True, serialize=False)),
                ('on', models.DateField()),
                ('slot', models.CharField(max_length=9)),
                ('products', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None)),
                ('clicks', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.member')),
            ],
            options={
                'db_table': 'analytics_showing',
                'indexes': [django.contrib.postgres.indexes.BrinIndex(fields=['on'], name='showing_by_day')],
                'constraints': [models.CheckConstraint(condition=models.Q(('slot__in', ('followed', 'rebuy', 'discover', 'alongside', 'popular'))), name='shown_in_a_known_slot'), models.CheckConstraint(condition=models.Q(('products__len__range', (1, 60)), ('reasons__len', models.F('products__len')), ('clicks__contained_by', models.F('products')), ('reasons__contained_by', ['followed_cheaper', 'followed_back', 'bought_often', 'subject', 'viewed', 'goes_with', 'popular_week', 'popular_lately', 'popular_in_scene'])), name='shown_with_reasons')],
            },
        ),
        migrations.CreateModel(
            name='Suggestion',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'slot', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                ('slot', models.CharField(max_length=9)),
                ('place', models.PositiveSmallIntegerField()),
                ('reason', models.CharField(max_length=16)),
                ('times', models.IntegerField(default=0)),
                ('was_fen', models.BigIntegerField(null=True)),
                ('because', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.product')),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='people.member')),
                ('product', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='catalog.product')),
            ],
            options={
                'db_table': 'analytics_suggestion',
                'constraints': [models.CheckConstraint(condition=models.Q(('place__gte', 1), ('reason__in', ('followed_cheaper', 'followed_back', 'bought_often', 'subject', 'viewed', 'goes_with', 'popular_week', 'popular_lately', 'popular_in_scene')), ('slot__in', ('followed', 'rebuy', 'discover'))), name='suggestion_in_known_words')],
            },
        ),
    ]
