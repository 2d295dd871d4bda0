"""Runs know the file that their rows come from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("backfills", "0006_catch_ups")]

    operations = [
        migrations.AddField(
            "run",
            "source_version",
            models.CharField(
                max_length=80,
                blank=True,
                default="",
                help_text="Which file of legacy its rows come from: its digest. Empty for a server.",
            ),
            preserve_default=False,
        ),
    ]
