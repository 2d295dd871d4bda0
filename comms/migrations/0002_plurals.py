"""Titles that the staff's lists can bear."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("comms", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(
            name="caseentry", options={"ordering": ("written_at", "id"), "verbose_name_plural": "case entries"}
        ),
        migrations.AlterModelOptions(
            name="delivery", options={"ordering": ("mailing", "id"), "verbose_name_plural": "deliveries"}
        ),
    ]
