"""The tables of entitlements: what was seen on both platforms, what differed, what was chosen."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("taken_at", models.DateTimeField()),
                ("taken_by", models.UUIDField()),
                (
                    "matrix",
                    models.CharField(help_text="Version and digest of the matrix it was laid under.", max_length=60),
                ),
                ("legacy", models.JSONField(help_text="The contract on legacy; empty: none.", null=True)),
                ("use", models.JSONField(help_text="Counts of what is used, and of people by role.")),
                ("new", models.JSONField(help_text="The subscription on the new platform; empty: none.", null=True)),
                ("unmapped", models.PositiveIntegerField(verbose_name="not mapped")),
                ("choices", models.PositiveIntegerField(verbose_name="open choices")),
                ("mismatches", models.PositiveIntegerField()),
                (
                    "difference",
                    models.BigIntegerField(
                        help_text="What a month costs more, in the currency's smallest unit; empty: cannot be said.",
                        null=True,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
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
                "ordering": ("-taken_at",),
            },
        ),
        migrations.CreateModel(
            name="Mismatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("promised", models.CharField(max_length=200)),
                ("found", models.CharField(max_length=200)),
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
                    "opened_in",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="opened", to="entitlements.snapshot"
                    ),
                ),
                (
                    "settled_in",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settled",
                        to="entitlements.snapshot",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "mismatches",
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=100)),
                ("choice", models.CharField(choices=[("accept", "accept"), ("give_up", "give up")], max_length=20)),
                ("basis", models.CharField(max_length=300)),
                ("decided_at", models.DateTimeField()),
                ("decided_by", models.UUIDField()),
                ("replaced_at", models.DateTimeField(null=True)),
                ("replaced_by", models.UUIDField(null=True)),
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
                "ordering": ("-decided_at",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at", None)),
                        fields=("tenant", "subject"),
                        name="entitlements_decision_stands_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("replaced_at", None), ("replaced_by", None)),
                            models.Q(("replaced_at__isnull", False), ("replaced_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="entitlements_decision_replaced_pair",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="snapshot",
            index=models.Index(fields=["tenant", "-taken_at"], name="entitlements_snapshot_latest"),
        ),
        migrations.AddConstraint(
            model_name="mismatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("settled_in", None)),
                fields=("tenant", "subject"),
                name="entitlements_mismatch_open_once",
            ),
        ),
        TenantTable("entitlements_snapshot", grants="SELECT, INSERT"),
        TenantTable(
            "entitlements_mismatch",
            references={"opened_in_id": "entitlements_snapshot", "settled_in_id": "entitlements_snapshot"},
            grants="SELECT, INSERT, UPDATE",
        ),
        TenantTable("entitlements_decision", grants="SELECT, INSERT, UPDATE"),
    ]
