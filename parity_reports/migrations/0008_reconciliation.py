"""Reconciliations, their records, and the keys that those need."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from core.rls import TenantTable

OUTCOMES = [(one, one) for one in ("written", "removed", "equal", "kept", "refused", "restored", "expired")]


def _tenant():
    return models.ForeignKey(
        editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
    )


def _id():
    return models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


def _pair(at, by):
    return Q(**{at: None, by: None}) | Q(**{f"{at}__isnull": False, f"{by}__isnull": False})


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0007_engines")]

    operations = [
        migrations.AddField(
            model_name="drift",
            name="sealed_key",
            field=models.TextField(
                blank=True, default="", help_text="Its key, encrypted, so that it can be put right."
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                ("id", _id()),
                ("entity", models.CharField(max_length=60)),
                ("title", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            (state, state.capitalize())
                            for state in (
                                "previewed",
                                "awaiting",
                                "running",
                                "done",
                                "undoing",
                                "undone",
                                "refused",
                                "failed",
                            )
                        ],
                        max_length=10,
                    ),
                ),
                ("strategies", models.JSONField(default=dict, help_text="What is done about each cause.")),
                ("reason", models.CharField(max_length=500)),
                (
                    "second_person",
                    models.CharField(blank=True, help_text="Why somebody else has to agree.", max_length=200),
                ),
                (
                    "accepted_until",
                    models.DateTimeField(help_text="Until when accepted differences count.", null=True),
                ),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.UUIDField()),
                ("approved_at", models.DateTimeField(null=True)),
                ("approved_by", models.UUIDField(null=True)),
                ("refused_at", models.DateTimeField(null=True)),
                ("refused_by", models.UUIDField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("undo_until", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.UUIDField(null=True)),
                ("problem", models.TextField(blank=True)),
                ("tenant", _tenant()),
            ],
            options={
                "ordering": ("-requested_at",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(state__in=["running", "undoing"]),
                        fields=("tenant", "entity"),
                        name="parity_reports_reconciliation_one",
                    ),
                    models.CheckConstraint(
                        condition=_pair("approved_at", "approved_by"), name="parity_reports_reconciliation_approved"
                    ),
                    models.CheckConstraint(
                        condition=_pair("refused_at", "refused_by"), name="parity_reports_reconciliation_refused"
                    ),
                    models.CheckConstraint(
                        condition=_pair("undone_at", "undone_by"), name="parity_reports_reconciliation_undone"
                    ),
                    models.CheckConstraint(
                        condition=Q(approved_by=None) | ~Q(approved_by=F("requested_by")),
                        name="parity_reports_reconciliation_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=Q(second_person="")
                        | Q(approved_at__isnull=False)
                        | Q(state__in=["previewed", "awaiting", "refused"]),
                        name="parity_reports_reconciliation_agreed",
                    ),
                    models.CheckConstraint(condition=~Q(reason=""), name="parity_reports_reconciliation_reason"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconciliationItem",
            fields=[
                ("id", _id()),
                (
                    "strategy",
                    models.CharField(
                        choices=[
                            ("source", "Legacy wins: move the row again"),
                            ("target", "The new platform wins: accept the difference for a time"),
                            ("newest", "The newest wins, where it is known which that is"),
                            ("ask", "Leave for now"),
                        ],
                        max_length=10,
                    ),
                ),
                ("sealed_key", models.TextField(help_text="The object's key, encrypted.")),
                (
                    "mark",
                    models.CharField(blank=True, help_text="How the object stood at the preview.", max_length=1000),
                ),
                ("outcome", models.CharField(blank=True, choices=OUTCOMES, max_length=10)),
                ("undone", models.CharField(blank=True, choices=OUTCOMES, max_length=10)),
                (
                    "drift",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="parity_reports.drift"
                    ),
                ),
                (
                    "reconciliation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="parity_reports.reconciliation",
                    ),
                ),
                ("tenant", _tenant()),
            ],
            options={
                "ordering": ("reconciliation", "id"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "reconciliation", "drift"), name="parity_reports_reconciliationitem_once"
                    )
                ],
            },
        ),
        TenantTable("parity_reports_reconciliation", grants="SELECT, INSERT, UPDATE"),
        TenantTable(
            "parity_reports_reconciliationitem",
            grants="SELECT, INSERT, UPDATE",
            references={
                "reconciliation_id": "parity_reports_reconciliation",
                "drift_id": "parity_reports_drift",
            },
        ),
    ]
