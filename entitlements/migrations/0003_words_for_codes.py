"""Codes have their words where staff sees them; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("entitlements", "0002_access"),
    ]

    operations = [
        migrations.AlterField(
            model_name="accessrequest",
            name="wanted",
            field=models.CharField(help_text="What they lack: a role, a feature switch or a plan.", max_length=100),
        ),
    ]
