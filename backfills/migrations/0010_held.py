"""Runs count what a legal hold keeps."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("backfills", "0009_every_quarter_hour")]

    operations = [
        migrations.AddField(
            "run",
            "held",
            models.BigIntegerField(
                default=0,
                help_text="Objects that it would have removed, kept under a legal hold or by legacy's own mark.",
            ),
        ),
    ]
