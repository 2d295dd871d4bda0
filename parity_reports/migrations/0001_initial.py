"""The tables of parity reports: reports, their entities, samples and invariants."""

import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("expected", models.BigIntegerField(default=0)),
                ("actual", models.BigIntegerField(default=0)),
                ("compared", models.BigIntegerField(default=0)),
                ("missing", models.BigIntegerField(default=0)),
                ("extra", models.BigIntegerField(default=0)),
                ("different", models.BigIntegerField(default=0)),
                ("duplicate", models.BigIntegerField(default=0)),
                ("dropped", models.BigIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("finished", "Finished")], default="running", max_length=10
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                (
                    "requested_by",
                    models.UUIDField(null=True, help_text="The actor's id: a user or a part of the house."),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[("equal", "Equal"), ("different", "Different"), ("incomplete", "Incomplete")],
                        max_length=12,
                    ),
                ),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why it is incomplete, in words fit for the customer."),
                ),
                (
                    "mapping_sha256",
                    models.CharField(help_text="SHA-256 over the digests of every entity's mapping.", max_length=64),
                ),
                ("invariants_total", models.PositiveIntegerField(default=0)),
                ("invariants_passed", models.PositiveIntegerField(default=0)),
                ("invariants_unknown", models.PositiveIntegerField(default=0)),
                (
                    "sha256",
                    models.CharField(blank=True, help_text="SHA-256 of the report's canonical JSON.", max_length=64),
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
            },
        ),
        migrations.CreateModel(
            name="InvariantResult",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                ("code", models.CharField(max_length=120)),
                ("title", models.CharField(max_length=200)),
                ("family", models.CharField(max_length=12)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("pass", "Pass"), ("fail", "Fail"), ("unknown", "Unknown")], max_length=10
                    ),
                ),
                ("expected", models.CharField(blank=True, max_length=60)),
                ("actual", models.CharField(blank=True, max_length=60)),
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
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invariants",
                        to="parity_reports.report",
                    ),
                ),
            ],
            options={
                "ordering": ("entity", "code"),
            },
        ),
        migrations.CreateModel(
            name="EntityResult",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("expected", models.BigIntegerField(default=0)),
                ("actual", models.BigIntegerField(default=0)),
                ("compared", models.BigIntegerField(default=0)),
                ("missing", models.BigIntegerField(default=0)),
                ("extra", models.BigIntegerField(default=0)),
                ("different", models.BigIntegerField(default=0)),
                ("duplicate", models.BigIntegerField(default=0)),
                ("dropped", models.BigIntegerField(default=0)),
                ("position", models.PositiveSmallIntegerField()),
                ("entity", models.CharField(max_length=60)),
                ("title", models.CharField(max_length=120)),
                (
                    "spec",
                    models.CharField(
                        help_text="Entity, version and digest of the mapping it was judged by.", max_length=120
                    ),
                ),
                (
                    "segments",
                    models.JSONField(
                        help_text="What to compare one by one; null until the entity was divided.", null=True
                    ),
                ),
                ("segments_done", models.PositiveIntegerField(default=0)),
                (
                    "sums",
                    models.JSONField(default=dict, help_text="Per number column: the exact sums so far, as text."),
                ),
                (
                    "rules",
                    models.JSONField(
                        default=dict, help_text="Per named rule of the mapping: the records it left behind."
                    ),
                ),
                (
                    "held",
                    models.JSONField(
                        default=dict, help_text="Per named rule: the missing records it keeps in quarantine."
                    ),
                ),
                (
                    "kinds",
                    models.JSONField(
                        default=dict, help_text="Per column and kind: how many differences; redacted at the end."
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[("equal", "Equal"), ("different", "Different"), ("incomplete", "Incomplete")],
                        max_length=12,
                    ),
                ),
                ("problem", models.TextField(blank=True)),
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
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entities", to="parity_reports.report"
                    ),
                ),
            ],
            options={
                "ordering": ("position",),
            },
        ),
        migrations.CreateModel(
            name="Sample",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "record",
                    models.CharField(
                        help_text="The record's name in this tenant's reports (keyed HMAC).", max_length=16
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing", "missing"),
                            ("extra", "extra"),
                            ("duplicate", "duplicate"),
                            ("null", "null"),
                            ("case", "case"),
                            ("whitespace", "whitespace"),
                            ("precision", "precision"),
                            ("truncated", "truncated"),
                            ("value", "value"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "column",
                    models.CharField(blank=True, help_text="Empty when the whole record is concerned.", max_length=63),
                ),
                ("exposure", models.CharField(choices=[("public", "public"), ("internal", "internal")], max_length=10)),
                ("expected", models.TextField(blank=True)),
                ("actual", models.TextField(blank=True)),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="samples",
                        to="parity_reports.entityresult",
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
                "ordering": ("entity", "kind", "column", "record"),
            },
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["tenant", "-requested_at"], name="parity_reports_report_recent"),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("tenant",), name="parity_reports_report_one_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("sha256", ""), ("state", "running"), ("verdict", "")),
                    models.Q(
                        ("finished_at__isnull", False),
                        ("state", "finished"),
                        models.Q(("verdict", ""), _negated=True),
                        models.Q(("sha256", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="parity_reports_report_finished",
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verdict", "equal"), _negated=True),
                    models.Q(("different", 0), ("duplicate", 0), ("extra", 0), ("missing", 0), ("problem", "")),
                    _connector="OR",
                ),
                name="parity_reports_report_equal",
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verdict", "equal"), _negated=True),
                    models.Q(
                        ("compared__gt", 0),
                        ("invariants_passed", models.F("invariants_total")),
                        ("invariants_unknown", 0),
                    ),
                    _connector="OR",
                ),
                name="parity_reports_report_equal_invariants",
            ),
        ),
        migrations.AddConstraint(
            model_name="invariantresult",
            constraint=models.UniqueConstraint(
                fields=("tenant", "report", "entity", "code"), name="parity_reports_invariantresult_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="entityresult",
            constraint=models.UniqueConstraint(
                fields=("tenant", "report", "entity"), name="parity_reports_entityresult_entity"
            ),
        ),
        migrations.AddConstraint(
            model_name="entityresult",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "compared__gte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("missing"), "+", models.F("extra")
                                ),
                                "+",
                                models.F("different"),
                            ),
                            "+",
                            models.F("duplicate"),
                        ),
                    )
                ),
                name="parity_reports_entityresult_counts",
            ),
        ),
        migrations.AddConstraint(
            model_name="sample",
            constraint=models.UniqueConstraint(
                fields=("tenant", "entity", "record", "column"), name="parity_reports_sample_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="sample",
            constraint=models.CheckConstraint(
                condition=models.Q(("exposure", "public"), models.Q(("actual", ""), ("expected", "")), _connector="OR"),
                name="parity_reports_sample_redacted",
            ),
        ),
        TenantTable("parity_reports_report", grants="SELECT, INSERT, UPDATE"),
        TenantTable(
            "parity_reports_entityresult",
            references={"report_id": "parity_reports_report"},
            grants="SELECT, INSERT, UPDATE",
        ),
        TenantTable(
            "parity_reports_sample", references={"entity_id": "parity_reports_entityresult"}, grants="SELECT, INSERT"
        ),
        TenantTable(
            "parity_reports_invariantresult", references={"report_id": "parity_reports_report"}, grants="SELECT, INSERT"
        ),
    ]
