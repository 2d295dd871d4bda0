"""What lets a customer check a report against an export of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0002_workflows")]

    operations = [
        migrations.AddField(
            model_name="entityresult",
            name="checksums",
            field=models.JSONField(
                help_text="Bucket checksums of what the new platform holds (docs/parity-encoding.md).", null=True
            ),
        )
    ]
