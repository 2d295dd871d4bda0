"""Standing catch-ups: how often, how fast, and which runs they are."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [("backfills", "0007_source_version"), ("accounts", "0002_sso")]

    operations = [
        migrations.AddField(
            "run",
            "standing",
            models.BooleanField(default=False, help_text="Nobody asked for it: a standing catch-up did."),
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "every",
                    models.PositiveSmallIntegerField(default=2, help_text="Minutes between two standing catch-ups."),
                ),
                (
                    "rows_per_second",
                    models.PositiveIntegerField(blank=True, help_text="At most; none: as fast as it goes.", null=True),
                ),
                (
                    "free_at",
                    models.DateTimeField(
                        blank=True, help_text="When the limit lets the next batch be read.", null=True
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(blank=True, help_text="When the next standing catch-up is due.", null=True),
                ),
                ("asked_at", models.DateTimeField(blank=True, help_text="When the last one was due.", null=True)),
                (
                    "trying_since",
                    models.DateTimeField(
                        blank=True,
                        help_text="Since when it was due each time, without a gap.",
                        null=True,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant",), name="backfills_pace_one"),
                    models.CheckConstraint(condition=Q(every__range=(1, 60)), name="backfills_pace_every"),
                    models.CheckConstraint(condition=~Q(rows_per_second=0), name="backfills_pace_limit"),
                ],
            },
        ),
        TenantTable("backfills_pace"),
    ]
