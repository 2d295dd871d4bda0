"""As of when a file holds everything that legacy held."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("backfills", "0010_held")]

    operations = [
        migrations.AddField(
            "run",
            "as_of",
            models.DateTimeField(
                blank=True,
                help_text="As of when its file holds everything, where the mapping says how that is known.",
                null=True,
            ),
        ),
    ]
