"""Of what its check names an exception covers only what was named when it was asked for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="policyexception",
            name="items",
            field=models.JSONField(
                default=dict, editable=False, help_text="What the check named when it was asked for, and how far."
            ),
        ),
    ]
