"""What a finding blocks on, by name: an exception covers just that."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0007_api")]

    operations = [
        migrations.AddField(
            model_name="recordedfinding",
            name="items",
            field=models.JSONField(default=dict, help_text="What it blocks on, by name, and how far each goes."),
        ),
    ]
