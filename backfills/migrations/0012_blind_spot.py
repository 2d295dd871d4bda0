"""Why the watermark of a run may pass what a long transaction of legacy changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("backfills", "0011_as_of")]

    operations = [
        migrations.AddField(
            "run",
            "blind_spot",
            models.TextField(
                blank=True,
                default="",
                help_text="Why its watermark may pass what a long transaction of legacy changed; for customers.",
            ),
            preserve_default=False,
        ),
    ]
