from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0003_segments_and_uploads'),
    ]

    operations = [
        migrations.AddField(
            model_name='upload',
            name='tries',
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
