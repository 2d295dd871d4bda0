"""Titles that the staff's lists can bear."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0014_shadow_endings")]

    operations = [
        migrations.AlterModelOptions(
            name="shadowmismatch",
            options={"ordering": ("-first_seen_at", "entity", "about"), "verbose_name_plural": "shadow mismatches"},
        ),
        migrations.AlterModelOptions(
            name="watch", options={"ordering": ("report", "entity"), "verbose_name_plural": "watches"}
        ),
    ]
