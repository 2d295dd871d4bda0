"""The tables of runbooks."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Runbook",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("cutover_on", models.DateField(verbose_name="cutover day (T0)")),
                ("opened_at", models.DateTimeField(editable=False)),
                ("opened_by", models.UUIDField(editable=False)),
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
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.SlugField(max_length=60)),
                ("title", models.CharField(max_length=200)),
                ("validation", models.CharField(help_text="How one sees that it is done.", max_length=300)),
                (
                    "offset_days",
                    models.SmallIntegerField(help_text="Days from T0; negative before.", verbose_name="day"),
                ),
                (
                    "owner_role",
                    models.CharField(
                        choices=[
                            ("cs", "cs"),
                            ("support", "support"),
                            ("runbook_owner", "runbook owner"),
                            ("steering_group", "steering group"),
                            ("auditor", "auditor"),
                            ("technical_lead", "technical lead"),
                            ("data_lead", "data lead"),
                            ("integrations_lead", "integrations lead"),
                            ("identity_billing_lead", "identity billing lead"),
                            ("cs_lead", "cs lead"),
                            ("sre_lead", "sre lead"),
                            ("legal_privacy_lead", "legal privacy lead"),
                            ("programme_manager", "programme manager"),
                        ],
                        max_length=40,
                    ),
                ),
                ("gates", models.BooleanField(default=True, verbose_name="gates the go/no-go")),
                ("note", models.CharField(blank=True, max_length=500)),
                ("signed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "runbook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="runbooks.runbook"
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "ordering": ("offset_days", "key"),
            },
        ),
        migrations.CreateModel(
            name="PolicyException",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("check_id", models.CharField(max_length=100, verbose_name="check")),
                ("reason", models.CharField(max_length=500)),
                ("compensating_controls", models.CharField(max_length=1000)),
                ("expires_at", models.DateTimeField()),
                ("requested_at", models.DateTimeField(editable=False)),
                ("approved_at", models.DateTimeField(editable=False, null=True)),
                ("refused_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "refused_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "ordering": ("-requested_at",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at", None), ("approved_by", None)),
                            models.Q(("approved_at__isnull", False), ("approved_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="runbooks_exception_approved_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("refused_at", None), ("refused_by", None)),
                            models.Q(("refused_at__isnull", False), ("refused_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="runbooks_exception_refused_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at", None), ("revoked_by", None)),
                            models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="runbooks_exception_revoked_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", None),
                            models.Q(("approved_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="runbooks_exception_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("approved_at", None), ("refused_at", None), _connector="OR"),
                        name="runbooks_exception_decided_once",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="runbook",
            constraint=models.UniqueConstraint(fields=("tenant",), name="runbooks_runbook_one_per_tenant"),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.UniqueConstraint(fields=("tenant", "runbook", "key"), name="runbooks_step_once"),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("signed_at", None), ("signed_by", None)),
                    models.Q(("signed_at__isnull", False), ("signed_by__isnull", False)),
                    _connector="OR",
                ),
                name="runbooks_step_signed_pair",
            ),
        ),
        TenantTable("runbooks_runbook"),
        TenantTable("runbooks_step", references={"runbook_id": "runbooks_runbook"}),
        TenantTable("runbooks_policyexception"),
    ]
