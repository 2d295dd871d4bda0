"""What the moment says since when a standing catch-up has been at it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("backfills", "0012_blind_spot")]

    operations = [
        migrations.AlterField(
            "pace",
            "trying_since",
            models.DateTimeField(
                blank=True, null=True, help_text="Since when it has been at it; half an hour of it is too long."
            ),
        ),
    ]
