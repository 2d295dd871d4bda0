"""The smallest case of each kind of difference."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0003_checksums")]

    operations = [
        migrations.AddField(
            model_name="entityresult",
            name="examples",
            field=models.JSONField(
                default=dict, help_text="Per kind of difference its smallest case, as it may be shown."
            ),
        )
    ]
