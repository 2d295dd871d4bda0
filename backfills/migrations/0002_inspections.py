"""Inspections of legacy before anything moves."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_sso"),
        ("backfills", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Inspection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        default="running",
                        max_length=20,
                    ),
                ),
                (
                    "mapping_sha256",
                    models.CharField(help_text="Of the labels of all specs, in their order.", max_length=64),
                ),
                ("problem", models.TextField(blank=True, help_text="Why it was not finished; fit for the customer.")),
                ("requested_by", models.UUIDField(blank=True, editable=False, null=True)),
                ("requested_at", models.DateTimeField(editable=False)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
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
                "ordering": ("-requested_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="InspectedEntity",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                ("position", models.IntegerField()),
                ("spec", models.CharField(max_length=120)),
                ("rows", models.BigIntegerField()),
                ("size", models.BigIntegerField(help_text="Bytes that were read.")),
                ("seconds", models.FloatField(help_text="How long reading and judging took.")),
                ("rejected", models.BigIntegerField()),
                ("outcomes", models.JSONField(default=list)),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
                (
                    "inspection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entities", to="backfills.inspection"
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
            },
        ),
        migrations.CreateModel(
            name="InspectedFault",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("rule", models.CharField(max_length=80)),
                ("column", models.CharField(blank=True, max_length=80)),
                ("count", models.BigIntegerField()),
                ("examples", models.JSONField(default=list)),
                (
                    "inspected",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="faults",
                        to="backfills.inspectedentity",
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
                    models.UniqueConstraint(
                        fields=("tenant", "inspected", "rule", "column"), name="backfills_fault_once"
                    ),
                    models.CheckConstraint(condition=models.Q(("count__gt", 0)), name="backfills_fault_count"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="inspection",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["running", "done", "failed"])), name="backfills_inspection_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="inspection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("tenant",), name="backfills_inspection_one_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="inspection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("state", "running")),
                    models.Q(models.Q(("state", "running"), _negated=True), ("finished_at__isnull", False)),
                    _connector="OR",
                ),
                name="backfills_inspection_finished",
            ),
        ),
        migrations.AddConstraint(
            model_name="inspection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "failed"), _negated=True),
                    models.Q(("problem", ""), _negated=True),
                    _connector="OR",
                ),
                name="backfills_inspection_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="inspectedentity",
            constraint=models.UniqueConstraint(
                fields=("tenant", "inspection", "entity"), name="backfills_inspected_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="inspectedentity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("rejected__gte", 0), ("rejected__lte", models.F("rows")), ("seconds__gte", 0), ("size__gte", 0)
                ),
                name="backfills_inspected_figures",
            ),
        ),
        TenantTable("backfills_inspection"),
        TenantTable("backfills_inspectedentity", references={"inspection_id": "backfills_inspection"}),
        TenantTable("backfills_inspectedfault", references={"inspected_id": "backfills_inspectedentity"}),
    ]
