"""The tables of cutover: where each tenant stands, and the history of its phases."""

import uuid

import django.db.models.deletion
import django.utils.timezone
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
            name="Cutover",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("discover", "Discover"),
                            ("prepare", "Prepare"),
                            ("preflight", "Preflight"),
                            ("canary", "Canary"),
                            ("ramp", "Ramp"),
                            ("full", "Full"),
                            ("stabilise", "Stabilise"),
                            ("decommission", "Decommission"),
                            ("done", "Done"),
                            ("halted", "Halted"),
                            ("rolled_back", "Rolled back"),
                        ],
                        default="discover",
                        max_length=20,
                    ),
                ),
                ("phase_since", models.DateTimeField(default=django.utils.timezone.now)),
                ("window_starts_at", models.DateTimeField(blank=True, null=True)),
                ("window_ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "wave",
                    models.CharField(blank=True, help_text="The group of tenants that moves together.", max_length=40),
                ),
                (
                    "approver",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who signs the go/no-go for the customer; empty: any owner.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "runbook_owner",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who signs the go/no-go for the vendor.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PhaseChange",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("discover", "Discover"),
                            ("prepare", "Prepare"),
                            ("preflight", "Preflight"),
                            ("canary", "Canary"),
                            ("ramp", "Ramp"),
                            ("full", "Full"),
                            ("stabilise", "Stabilise"),
                            ("decommission", "Decommission"),
                            ("done", "Done"),
                            ("halted", "Halted"),
                            ("rolled_back", "Rolled back"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        choices=[
                            ("discover", "Discover"),
                            ("prepare", "Prepare"),
                            ("preflight", "Preflight"),
                            ("canary", "Canary"),
                            ("ramp", "Ramp"),
                            ("full", "Full"),
                            ("stabilise", "Stabilise"),
                            ("decommission", "Decommission"),
                            ("done", "Done"),
                            ("halted", "Halted"),
                            ("rolled_back", "Rolled back"),
                        ],
                        max_length=20,
                    ),
                ),
                ("changed_at", models.DateTimeField()),
                ("changed_by", models.UUIDField(help_text="The actor's id: a user or a part of the house.")),
                ("reason", models.TextField(blank=True)),
                (
                    "approval_id",
                    models.UUIDField(blank=True, help_text="The signed request that allowed the move.", null=True),
                ),
                (
                    "cutover",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="cutover.cutover"
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
                "ordering": ("changed_at",),
            },
        ),
        migrations.AddConstraint(
            model_name="cutover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "phase__in",
                        [
                            "discover",
                            "prepare",
                            "preflight",
                            "canary",
                            "ramp",
                            "full",
                            "stabilise",
                            "decommission",
                            "done",
                            "halted",
                            "rolled_back",
                        ],
                    )
                ),
                name="cutover_cutover_phase",
            ),
        ),
        migrations.AddConstraint(
            model_name="cutover",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("window_ends_at", None), ("window_starts_at", None)),
                    models.Q(("window_ends_at__gt", models.F("window_starts_at")), ("window_starts_at__isnull", False)),
                    _connector="OR",
                ),
                name="cutover_cutover_window",
            ),
        ),
        TenantTable("cutover_cutover", references={"approver_id": "accounts_member"}),
        TenantTable("cutover_phasechange", references={"cutover_id": "cutover_cutover"}, grants="SELECT, INSERT"),
    ]
