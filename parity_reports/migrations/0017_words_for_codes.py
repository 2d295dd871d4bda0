"""Help texts without code; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("parity_reports", "0016_holds"),
    ]

    operations = [
        migrations.AlterField(
            model_name="entityresult",
            name="checksums",
            field=models.JSONField(
                help_text="Bucket checksums of what the new platform holds, in the published encoding.", null=True
            ),
        ),
    ]
