"""Help texts without code; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="endpoint",
            name="secret",
            field=models.TextField(help_text="Sealed: only the server can read it."),
        ),
        migrations.AlterField(
            model_name="harnessrun",
            name="results",
            field=models.JSONField(default=list, help_text="What came of each message."),
        ),
    ]
