"""Drift: which records a report found different, the entities watched since, and what came to differ."""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from core.rls import TenantTable


def _tenant():
    return models.ForeignKey(
        editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
    )


def _id():
    return models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("parity_reports", "0005_declared_invariants"), ("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="entityresult",
            name="differing",
            field=models.JSONField(
                help_text="The names of the records that differ, so that drift is told from them; null: too many.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                ("id", _id()),
                ("entity", models.CharField(max_length=60)),
                ("title", models.CharField(max_length=120)),
                ("looked_at", models.DateTimeField(help_text="When it was last wholly read.", null=True)),
                ("due_at", models.DateTimeField(help_text="When it is looked at again.")),
                (
                    "differing",
                    models.BigIntegerField(default=0, help_text="Records that came to differ, as last counted."),
                ),
                ("causes", models.JSONField(default=dict, help_text="Those records by cause.")),
                (
                    "unlisted_since",
                    models.DateTimeField(
                        help_text="Since when there are more unexplained records than are kept one by one.", null=True
                    ),
                ),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why it could not be read, in words fit for the customer."),
                ),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watches",
                        to="parity_reports.report",
                    ),
                ),
                ("tenant", _tenant()),
            ],
            options={
                "ordering": ("report", "entity"),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "entity"), name="parity_reports_watch_entity"),
                    models.CheckConstraint(condition=Q(differing__gte=0), name="parity_reports_watch_differing"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Drift",
            fields=[
                ("id", _id()),
                ("entity", models.CharField(max_length=60)),
                (
                    "record",
                    models.CharField(
                        help_text="The record's name in this tenant's reports (keyed HMAC).", max_length=16
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        blank=True, help_text="Its key, where the mapping declares that public.", max_length=200
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                (
                    "columns",
                    models.JSONField(default=dict, help_text="Per differing column the kind of difference."),
                ),
                (
                    "because",
                    models.CharField(blank=True, help_text="The rule that keeps a missing record back.", max_length=80),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("late_write", "Changed in legacy"),
                            ("clock", "Clock or time zone"),
                            ("rule", "Mapping changed"),
                            ("new_write", "Changed on the new platform"),
                            ("unknown", "Not explained yet"),
                        ],
                        max_length=12,
                    ),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("unexplained_since", models.DateTimeField(blank=True, null=True)),
                ("explained_at", models.DateTimeField(blank=True, null=True)),
                ("explained_by", models.UUIDField(blank=True, null=True)),
                ("explained_until", models.DateTimeField(blank=True, null=True)),
                ("explanation", models.CharField(blank=True, max_length=500)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("tenant", _tenant()),
            ],
            options={
                "ordering": ("-first_seen_at", "entity", "record"),
                "indexes": [
                    models.Index(
                        condition=Q(resolved_at=None),
                        fields=["tenant", "unexplained_since"],
                        name="parity_reports_drift_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(resolved_at=None),
                        fields=("tenant", "entity", "record"),
                        name="parity_reports_drift_one_open",
                    ),
                    models.CheckConstraint(
                        condition=Q(cause__in=["late_write", "clock", "rule", "new_write", "unknown"]),
                        name="parity_reports_drift_cause",
                    ),
                    models.CheckConstraint(
                        condition=Q(last_seen_at__gte=F("first_seen_at")), name="parity_reports_drift_seen"
                    ),
                    models.CheckConstraint(
                        condition=Q(explained_at=None, explained_by=None, explained_until=None, explanation="")
                        | Q(
                            explained_at__isnull=False,
                            explained_by__isnull=False,
                            explained_until__gt=F("explained_at"),
                        )
                        & ~Q(explanation=""),
                        name="parity_reports_drift_explained",
                    ),
                    models.CheckConstraint(
                        condition=~Q(cause="unknown") | Q(unexplained_since__isnull=False),
                        name="parity_reports_drift_unexplained",
                    ),
                    models.CheckConstraint(
                        condition=Q(cause="unknown") | Q(unexplained_since=None),
                        name="parity_reports_drift_explained_by_facts",
                    ),
                ],
            },
        ),
        TenantTable("parity_reports_watch", references={"report_id": "parity_reports_report"}),
        TenantTable("parity_reports_drift", grants="SELECT, INSERT, UPDATE"),
    ]
