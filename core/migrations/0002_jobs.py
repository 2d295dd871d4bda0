"""The queue's jobs and the outbox's events."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from core.rls import TenantTable

SEQUENCE = """
CREATE SEQUENCE core_job_sequence;
GRANT USAGE ON SEQUENCE core_job_sequence TO crossing_app, crossing_staff
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("core", "0001_floor"),
    ]

    operations = [
        migrations.RunSQL([SEQUENCE], ["DROP SEQUENCE core_job_sequence"]),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("payload", models.JSONField(default=dict)),
                (
                    "published_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
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
                "indexes": [
                    models.Index(
                        models.F("tenant"),
                        models.OrderBy(models.F("published_at"), descending=True),
                        name="core_event_latest",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("task", models.CharField(max_length=200)),
                ("key", models.CharField(blank=True, default="", max_length=200)),
                ("lane", models.CharField(blank=True, default="", max_length=400)),
                (
                    "sequence",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("core_job_sequence"), function="nextval"),
                        editable=False,
                    ),
                ),
                ("payload", models.JSONField(default=dict)),
                ("requested_by", models.UUIDField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("done", "done"),
                            ("dead", "dead"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("max_attempts", models.PositiveIntegerField(default=5)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "not_before",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("rung_at", models.DateTimeField(blank=True, null=True)),
                (
                    "claim",
                    models.UUIDField(
                        blank=True,
                        help_text="Proof of the present claim; a worker without it is late.",
                        null=True,
                    ),
                ),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, default="", max_length=200)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_asked_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_asked_by", models.UUIDField(blank=True, null=True)),
                ("done", models.BigIntegerField(default=0)),
                (
                    "first_done",
                    models.BigIntegerField(default=0, help_text="What this attempt first said was done."),
                ),
                (
                    "measured_at",
                    models.DateTimeField(blank=True, help_text="When it first said so.", null=True),
                ),
                ("total", models.BigIntegerField(blank=True, null=True)),
                (
                    "message",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What it is doing; the tenant sees it.",
                        max_length=500,
                    ),
                ),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why the last attempt failed; the tenant sees it.",
                        max_length=500,
                    ),
                ),
                (
                    "error",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Class of the error, for staff.",
                        max_length=200,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ("sequence",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")),
                        fields=["not_before"],
                        name="core_job_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("state", "running")),
                        fields=["claimed_until"],
                        name="core_job_running",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("state__in", ["queued", "running"]),
                            models.Q(("lane", ""), _negated=True),
                        ),
                        fields=["tenant", "lane", "sequence"],
                        name="core_job_lane",
                    ),
                    models.Index(
                        models.F("tenant"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="core_job_latest",
                    ),
                    models.Index(
                        models.F("task"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="core_job_by_task",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "queued"), models.Q(("key", ""), _negated=True)),
                        fields=("tenant", "task", "key"),
                        name="core_job_one_waits_per_key",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "running"), models.Q(("lane", ""), _negated=True)),
                        fields=("tenant", "lane"),
                        name="core_job_one_runs_per_lane",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["queued", "running", "done", "dead", "cancelled"],
                            )
                        ),
                        name="core_job_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "running"),
                                ("claim__isnull", False),
                                ("claimed_until__isnull", False),
                                ("started_at__isnull", False),
                            ),
                            models.Q(
                                models.Q(("state", "running"), _negated=True),
                                ("claim", None),
                                ("claimed_until", None),
                            ),
                            _connector="OR",
                        ),
                        name="core_job_claimed_while_running",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("finished_at", None),
                                ("state__in", ["queued", "running"]),
                            ),
                            models.Q(
                                models.Q(("state__in", ["queued", "running"]), _negated=True),
                                ("finished_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="core_job_finished_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cancel_asked_at", None), ("cancel_asked_by", None)),
                            models.Q(
                                ("cancel_asked_at__isnull", False),
                                ("cancel_asked_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="core_job_cancel_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("done__gte", 0),
                            models.Q(("total", None), ("total__gte", 0), _connector="OR"),
                        ),
                        name="core_job_progress_counts",
                    ),
                ],
            },
        ),
        TenantTable("core_event"),
        # The house's own jobs have no tenant: only a staff scope sees them.
        TenantTable("core_job"),
    ]
