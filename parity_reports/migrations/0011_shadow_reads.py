"""Shadow reads: samples, rounds, and what did not agree."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("parity_reports", "0010_marks"),
    ]

    operations = [
        migrations.CreateModel(
            name="ShadowMismatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                ("read", models.CharField(max_length=60)),
                ("title", models.CharField(max_length=160)),
                (
                    "about",
                    models.CharField(
                        help_text="What was asked for, by its name in this tenant's reports.", max_length=16
                    ),
                ),
                (
                    "shown",
                    models.CharField(
                        blank=True, help_text="What was asked for, where the mapping opens it.", max_length=200
                    ),
                ),
                (
                    "sealed_key",
                    models.TextField(blank=True, help_text="The sampled record's key in legacy, encrypted."),
                ),
                ("names", models.JSONField(default=list, help_text="The differing records by their names in reports.")),
                ("records", models.PositiveIntegerField(help_text="How many records differ in the answer.")),
                ("kind", models.CharField(max_length=12)),
                ("columns", models.JSONField(default=dict, help_text="Per differing column the kind of difference.")),
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
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
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
                "ordering": ("-first_seen_at", "entity", "about"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("resolved_at", None)),
                        fields=["tenant", "unexplained_since"],
                        name="parity_reports_shadowmism_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at", None)),
                        fields=("tenant", "entity", "read", "about"),
                        name="parity_reports_shadowmismatch_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cause__in", ["late_write", "clock", "rule", "new_write", "unknown"])),
                        name="parity_reports_shadowmismatch_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last_seen_at__gte", models.F("first_seen_at"))),
                        name="parity_reports_shadowmismatch_seen",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cause", "unknown"), ("unexplained_since__isnull", False)),
                            models.Q(models.Q(("cause", "unknown"), _negated=True), ("unexplained_since", None)),
                            _connector="OR",
                        ),
                        name="parity_reports_shadowmismatch_unexplained",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("resolved_at", None), ("sealed_key", ""), _connector="OR"),
                        name="parity_reports_shadowmismatch_forgets",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ShadowRound",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                ("read", models.CharField(max_length=60)),
                ("title", models.CharField(max_length=160)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("compared", models.PositiveIntegerField(default=0)),
                ("mismatched", models.PositiveIntegerField(default=0)),
                (
                    "newer",
                    models.PositiveIntegerField(
                        default=0, help_text="Reads that differ because people work on the new platform already."
                    ),
                ),
                (
                    "known",
                    models.PositiveIntegerField(
                        default=0, help_text="Reads that differ as the last comparison says; no mismatch."
                    ),
                ),
                (
                    "settled",
                    models.PositiveIntegerField(default=0, help_text="Reads that agreed once they were made again."),
                ),
                (
                    "unasked",
                    models.PositiveIntegerField(default=0, help_text="Sampled records that led to no comparison."),
                ),
                ("legacy", models.JSONField(default=list, help_text="What each read took legacy, in microseconds.")),
                (
                    "new",
                    models.JSONField(default=list, help_text="What each read took the new platform, in microseconds."),
                ),
                (
                    "slowed",
                    models.PositiveSmallIntegerField(
                        default=1, help_text="One of so many of the agreed reads is made."
                    ),
                ),
                ("due_at", models.DateTimeField(help_text="When the next round may begin.")),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why nothing could be read, in words fit for the customer."),
                ),
                ("expires_at", models.DateTimeField()),
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
                "ordering": ("-began_at",),
                "indexes": [models.Index(fields=["tenant", "-began_at"], name="parity_reports_shadowround_new")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "mismatched__lte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("compared"), "-", models.F("newer")
                                    ),
                                    "-",
                                    models.F("known"),
                                ),
                            )
                        ),
                        name="parity_reports_shadowround_counts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("due_at__gte", models.F("began_at")),
                            ("ended_at__gte", models.F("began_at")),
                            ("expires_at__gt", models.F("ended_at")),
                        ),
                        name="parity_reports_shadowround_times",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("slowed__gte", 1)), name="parity_reports_shadowround_slowed"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ShadowSample",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                ("read", models.CharField(max_length=60)),
                ("number", models.PositiveIntegerField(help_text="How often it was drawn: the seed follows from it.")),
                ("sealed_keys", models.TextField(help_text="Their keys in legacy, encrypted.")),
                ("drawn_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
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
                "ordering": ("entity", "read"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "entity", "read"), name="parity_reports_shadowsample_read"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("drawn_at"))),
                        name="parity_reports_shadowsample_expires",
                    ),
                ],
            },
        ),
        TenantTable("parity_reports_shadowsample"),
        TenantTable("parity_reports_shadowround"),
        TenantTable("parity_reports_shadowmismatch"),
    ]
