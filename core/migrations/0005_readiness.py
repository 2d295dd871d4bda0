"""What the checks found, and what holds for a time only: toggles, holds, tokens."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from core.rls import LookupFunction, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("core", "0004_ledger"),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=100)),
                (
                    "subject",
                    models.CharField(
                        blank=True, default="", help_text="What is held; empty: everything.", max_length=200
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("placed_at", models.DateTimeField()),
                ("placed_by", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by", models.UUIDField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RecordedFinding",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("check_id", models.CharField(max_length=200)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("pass", "pass"), ("warn", "warn"), ("block", "block"), ("unknown", "unknown")],
                        max_length=10,
                    ),
                ),
                ("summary", models.CharField(max_length=500)),
                ("fix", models.TextField(blank=True, default="")),
                ("link", models.CharField(blank=True, default="", max_length=500)),
                ("facts", models.JSONField(default=dict)),
                ("evidence", models.JSONField(default=dict)),
                ("evaluation_id", models.UUIDField(help_text="The evaluation it was part of.")),
                ("evaluated_at", models.DateTimeField()),
                ("evaluated_by", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
                ("took_ms", models.PositiveIntegerField(default=0)),
                (
                    "error",
                    models.CharField(blank=True, default="", help_text="Class of a crash, for staff.", max_length=200),
                ),
                ("is_latest", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="ToggleSetting",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("reason", models.CharField(max_length=500)),
                ("switched_on_at", models.DateTimeField()),
                ("switched_on_by", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by", models.UUIDField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="What it is used for.", max_length=100)),
                ("prefix", models.CharField(help_text="How a person recognises it; no secret.", max_length=20)),
                ("sha256", models.BinaryField(max_length=32, unique=True)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), size=None),
                ),
                ("created_at", models.DateTimeField()),
                ("created_by", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_by", models.UUIDField(blank=True, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="job",
            name="core_job_finished_pair",
        ),
        migrations.RemoveIndex(
            model_name="job",
            name="core_job_lane",
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "running"]), models.Q(("lane", ""), _negated=True)),
                fields=["tenant", "lane", "sequence"],
                name="core_job_lane",
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("state__in", ["queued", "running"])),
                    models.Q(
                        models.Q(("state__in", ["queued", "running"]), _negated=True), ("finished_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="core_job_finished_pair",
            ),
        ),
        migrations.AddField(
            model_name="hold",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="recordedfinding",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="togglesetting",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["tenant", "kind"], name="core_hold_standing"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["expires_at"], name="core_hold_expiring"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ended_by", None)),
                    models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                    _connector="OR",
                ),
                name="core_hold_ended_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("placed_at"))), name="core_hold_expires"
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="core_hold_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="recordedfinding",
            index=models.Index(
                models.F("tenant"),
                models.F("check_id"),
                models.OrderBy(models.F("evaluated_at"), descending=True),
                name="core_recordedfinding_history",
            ),
        ),
        migrations.AddIndex(
            model_name="recordedfinding",
            index=models.Index(
                condition=models.Q(("is_latest", True)), fields=["expires_at"], name="core_recordedfinding_expiring"
            ),
        ),
        migrations.AddConstraint(
            model_name="recordedfinding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_latest", True)),
                fields=("tenant", "check_id"),
                name="core_recordedfinding_one_latest",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordedfinding",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["pass", "warn", "block", "unknown"])),
                name="core_recordedfinding_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="recordedfinding",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("evaluated_at"))),
                name="core_recordedfinding_expires_later",
            ),
        ),
        migrations.AddIndex(
            model_name="togglesetting",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["expires_at"], name="core_togglesetting_expiring"
            ),
        ),
        migrations.AddConstraint(
            model_name="togglesetting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("tenant", "name"), name="core_togglesetting_one_on"
            ),
        ),
        migrations.AddConstraint(
            model_name="togglesetting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ended_by", None)),
                    models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                    _connector="OR",
                ),
                name="core_togglesetting_ended_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="togglesetting",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("switched_on_at"))), name="core_togglesetting_expires"
            ),
        ),
        migrations.AddConstraint(
            model_name="togglesetting",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="core_togglesetting_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("revoked_at", None), ("revoked_by", None)),
                    models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                    _connector="OR",
                ),
                name="core_token_revoked_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))), name="core_token_expires"
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(condition=models.Q(("scopes__len__gt", 0)), name="core_token_scoped"),
        ),
        TenantTable("core_recordedfinding"),
        TenantTable("core_togglesetting"),
        TenantTable("core_hold"),
        TenantTable("core_token"),
        LookupFunction(
            "token",
            arguments="digest bytea",
            returns="TABLE (tenant_id uuid, token_id uuid, scopes text[], expires_at timestamptz, revoked_at timestamptz)",
            body="""
                SELECT found.tenant_id, found.id, found.scopes::text[], found.expires_at, found.revoked_at
                  FROM public.core_token AS found WHERE found.sha256 = $1
            """,
            reads={"core_token": ("tenant_id", "id", "scopes", "expires_at", "revoked_at", "sha256")},
        ),
    ]
