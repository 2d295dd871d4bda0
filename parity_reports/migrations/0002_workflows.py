"""The tables of workflows: what tenants rely on, and what readers have put aside."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("parity_reports", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="GuideMark",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("guide", models.CharField(max_length=60)),
                ("version", models.PositiveIntegerField()),
                ("mark", models.CharField(choices=[("read", "Read"), ("dismissed", "Dismissed")], max_length=10)),
                ("marked_at", models.DateTimeField()),
                ("marked_by", models.UUIDField()),
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
                    models.UniqueConstraint(
                        fields=("tenant", "marked_by", "guide"), name="parity_reports_guidemark_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reliance",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("workflow", models.CharField(max_length=60)),
                ("relied_at", models.DateTimeField()),
                ("relied_by", models.UUIDField()),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                ("tried_by", models.UUIDField(blank=True, null=True)),
                ("tried_as", models.CharField(blank=True, default="", max_length=16)),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("accepted_by", models.UUIDField(blank=True, null=True)),
                ("accepted_as", models.CharField(blank=True, default="", max_length=16)),
                (
                    "reason",
                    models.CharField(
                        blank=True, default="", help_text="Why the difference is accepted.", max_length=500
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
                "ordering": ("workflow",),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "workflow"), name="parity_reports_reliance_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("tried_as", ""), ("tried_at", None), ("tried_by", None)),
                            models.Q(
                                ("tried_at__isnull", False),
                                ("tried_by__isnull", False),
                                models.Q(("tried_as", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="parity_reports_reliance_tried_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("accepted_as", ""), ("accepted_at", None), ("accepted_by", None), ("reason", "")),
                            models.Q(
                                ("accepted_at__isnull", False),
                                ("accepted_by__isnull", False),
                                models.Q(("accepted_as", ""), _negated=True),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="parity_reports_reliance_accepted_pair",
                    ),
                ],
            },
        ),
        TenantTable("parity_reports_guidemark", grants="SELECT, INSERT, UPDATE"),
        TenantTable("parity_reports_reliance"),
    ]
