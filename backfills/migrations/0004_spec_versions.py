"""The versions of the mapping that were used, word for word."""

import uuid

from django.db import migrations, models

from core.rls import GlobalTable


class Migration(migrations.Migration):
    dependencies = [("backfills", "0003_retries")]

    operations = [
        migrations.CreateModel(
            name="SpecVersion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                ("version", models.IntegerField()),
                (
                    "label",
                    models.CharField(
                        help_text="Entity, version and digest, as runs name it.", max_length=120, unique=True
                    ),
                ),
                ("sha256", models.CharField(help_text="Of the text.", max_length=64, unique=True)),
                ("text", models.TextField()),
                ("first_used_at", models.DateTimeField(editable=False)),
            ],
            options={
                "ordering": ("entity", "-first_used_at", "-id"),
            },
        ),
        migrations.AddConstraint(
            model_name="specversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1), models.Q(("text", ""), _negated=True)),
                name="backfills_specversion_whole",
            ),
        ),
        GlobalTable(
            "backfills_specversion",
            reason="The installation's mapping is one for all tenants; no tenant's data stands in it.",
            grants="SELECT, INSERT",
        ),
    ]
