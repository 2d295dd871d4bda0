"""The tables of compliance."""

import uuid

import django.contrib.postgres.fields
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
            name="Deletion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("dataset", models.CharField(max_length=60)),
                ("counted", models.JSONField(help_text="Rows per table when it was asked for.")),
                ("requested_at", models.DateTimeField(editable=False)),
                ("requested_by", models.UUIDField(editable=False)),
                ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
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
                "ordering": ("-requested_at",),
            },
        ),
        migrations.CreateModel(
            name="Attestation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
                ("sha256", models.CharField(max_length=64)),
                ("seal", models.CharField(help_text="The server's Ed25519 signature, hexadecimal.", max_length=128)),
                ("public_key", models.CharField(max_length=64)),
                ("attested_at", models.DateTimeField(editable=False)),
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
                    "deletion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attestations",
                        to="compliance.deletion",
                    ),
                ),
            ],
            options={
                "ordering": ("-attested_at",),
            },
        ),
        migrations.CreateModel(
            name="Obligation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.SlugField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("service", "Service level"),
                            ("retention", "Retention"),
                            ("residency", "Residency"),
                            ("transfer", "Basis of transfer"),
                            ("deletion", "Deletion"),
                            ("notice", "Notice of incidents"),
                            ("billing", "Billing"),
                            ("integrity", "Integrity of data"),
                            ("access", "Access"),
                        ],
                        max_length=20,
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("promise", models.CharField(help_text="In the customer's words.", max_length=500)),
                ("source", models.CharField(help_text="Contract and clause.", max_length=200)),
                (
                    "owner",
                    models.CharField(
                        choices=[
                            ("cs", "cs"),
                            ("data", "data"),
                            ("identity-billing", "identity-billing"),
                            ("integrations", "integrations"),
                            ("legal-privacy", "legal-privacy"),
                            ("programme", "programme"),
                            ("sre", "sre"),
                            ("technical", "technical"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "checks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                (
                    "control",
                    models.CharField(blank=True, help_text="What keeps it where no check can ask.", max_length=500),
                ),
                (
                    "plan",
                    models.CharField(
                        blank=True, help_text="What will keep it, where nothing does yet.", max_length=500
                    ),
                ),
                ("plan_due_on", models.DateField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField(editable=False)),
                ("recorded_by", models.UUIDField(editable=False)),
                ("retired_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("retired_by", models.UUIDField(blank=True, editable=False, null=True)),
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
                "ordering": ("kind", "title"),
            },
        ),
        migrations.AddConstraint(
            model_name="deletion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at", None)), fields=("tenant", "dataset"), name="compliance_deletion_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="obligation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at", None)), fields=("tenant", "key"), name="compliance_obligation_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="obligation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "service",
                            "retention",
                            "residency",
                            "transfer",
                            "deletion",
                            "notice",
                            "billing",
                            "integrity",
                            "access",
                        ],
                    )
                ),
                name="compliance_obligation_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="obligation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "owner__in",
                        [
                            "cs",
                            "data",
                            "identity-billing",
                            "integrations",
                            "legal-privacy",
                            "programme",
                            "sre",
                            "technical",
                        ],
                    )
                ),
                name="compliance_obligation_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="obligation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("plan", ""), ("plan_due_on", None)),
                    models.Q(models.Q(("plan", ""), _negated=True), ("plan_due_on__isnull", False)),
                    _connector="OR",
                ),
                name="compliance_obligation_plan_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="obligation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("retired_at", None), ("retired_by", None)),
                    models.Q(("retired_at__isnull", False), ("retired_by__isnull", False)),
                    _connector="OR",
                ),
                name="compliance_obligation_retired_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="attestation",
            constraint=models.UniqueConstraint(fields=("tenant", "deletion"), name="compliance_attestation_once"),
        ),
        TenantTable("compliance_obligation"),
        TenantTable("compliance_deletion", grants="SELECT, INSERT, UPDATE (done_at)"),
        TenantTable(
            "compliance_attestation", references={"deletion_id": "compliance_deletion"}, grants="SELECT, INSERT"
        ),
    ]
