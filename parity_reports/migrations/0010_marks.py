"""What a look at an entity goes on from, and when all of it was last read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0009_merging")]

    operations = [
        migrations.AddField(
            model_name="watch",
            name="whole_at",
            field=models.DateTimeField(
                help_text="When all of it was last read, and not only what was written since the look before.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="watch",
            name="mark",
            field=models.TextField(
                blank=True,
                default="",
                help_text="What the next look goes on from, encrypted: it names records.",
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="watch",
            name="looked_at",
            field=models.DateTimeField(
                help_text="When it was last known of each record whether it differs.", null=True
            ),
        ),
    ]
