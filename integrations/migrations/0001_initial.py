"""The tables of integrations."""

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
            name="Item",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("webhook", "webhook"),
                            ("api_key", "api_key"),
                            ("etl", "etl"),
                            ("siem", "siem"),
                            ("sso", "sso"),
                            ("connector", "connector"),
                        ],
                        max_length=20,
                    ),
                ),
                ("key", models.CharField(help_text="What legacy calls it.", max_length=100)),
                ("name", models.CharField(max_length=300)),
                ("address", models.CharField(blank=True, max_length=2048)),
                ("scopes", models.JSONField(default=list)),
                ("last_used_on", models.DateField(null=True)),
                ("is_active", models.BooleanField(default=True, help_text="In legacy, when it was last read.")),
                ("found_at", models.DateTimeField(help_text="When it was first read.")),
                ("gone_at", models.DateTimeField(help_text="Since when legacy has it no more.", null=True)),
                (
                    "fate",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("moves", "Moves as it is"),
                            ("recreated", "Is set up again"),
                            ("rotated", "Gets a new secret"),
                            ("retired", "Is retired"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("decided_at", models.DateTimeField(editable=False, null=True)),
                ("decided_by", models.UUIDField(editable=False, null=True)),
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
                "ordering": ("kind", "key"),
            },
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("url", models.CharField(max_length=2048)),
                ("secret", models.TextField(help_text="Sealed with FIELD_KEYS.")),
                ("registered_at", models.DateTimeField(editable=False)),
                ("registered_by", models.UUIDField(editable=False)),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("off_at", models.DateTimeField(editable=False, null=True)),
                ("off_by", models.UUIDField(editable=False, null=True)),
                (
                    "off_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("customer", "switched off by you"),
                            ("gone", "it answered 410: no more messages"),
                            ("failing", "nothing arrived for five days"),
                        ],
                        max_length=20,
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
                (
                    "item",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="endpoints",
                        to="integrations.item",
                    ),
                ),
            ],
            options={
                "ordering": ("registered_at",),
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("message_id", models.CharField(max_length=60)),
                ("event", models.CharField(max_length=100)),
                ("body", models.TextField(help_text="The exact text that is signed.")),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "pending"), ("delivered", "delivered"), ("failed", "failed")],
                        default="pending",
                        max_length=12,
                    ),
                ),
                (
                    "tries",
                    models.PositiveSmallIntegerField(default=0, help_text="Attempts since it was (last) asked for."),
                ),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="integrations.endpoint"
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
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("attempted_at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(help_text="None where nobody answered.", null=True)),
                ("took_ms", models.PositiveIntegerField(default=0)),
                ("trouble", models.CharField(blank=True, help_text="Why nobody answered.", max_length=300)),
                ("excerpt", models.CharField(blank=True, help_text="Of the answer, redacted.", max_length=400)),
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
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="integrations.message"
                    ),
                ),
            ],
            options={
                "ordering": ("-attempted_at",),
            },
        ),
        migrations.CreateModel(
            name="HarnessRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.UUIDField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("has_passed", models.BooleanField(null=True)),
                ("results", models.JSONField(default=list, help_text="One `probes.Result` per message.")),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="integrations.endpoint"
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
                "indexes": [models.Index(fields=["endpoint", "-requested_at"], name="integrations_run_latest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)),
                        fields=("tenant", "endpoint"),
                        name="integrations_harnessrun_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at", None), ("has_passed", None)),
                            models.Q(("finished_at__isnull", False), ("has_passed__isnull", False)),
                            _connector="OR",
                        ),
                        name="integrations_harnessrun_finished_pair",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.UniqueConstraint(fields=("tenant", "kind", "key"), name="integrations_item_once"),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("fate", "")),
                    models.Q(
                        models.Q(("fate", ""), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="integrations_item_decided_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("fate", "retired"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="integrations_item_retired_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("off_at", None)), fields=("tenant", "url"), name="integrations_endpoint_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(
                condition=models.Q(("item__isnull", False), ("off_at", None)),
                fields=("tenant", "item"),
                name="integrations_endpoint_one_per_item",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("off_at", None), ("off_by", None), ("off_why", "")),
                    models.Q(
                        ("off_at__isnull", False), ("off_by__isnull", False), models.Q(("off_why", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="integrations_endpoint_off_pair",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("next_attempt_at__isnull", False)),
                fields=["next_attempt_at"],
                name="integrations_message_due",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["tenant", "state", "-requested_at"], name="integrations_message_listed"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("tenant", "message_id"), name="integrations_message_once"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_attempt_at__isnull", False), ("settled_at", None), ("state", "pending")),
                    models.Q(
                        ("next_attempt_at", None), ("settled_at__isnull", False), ("state__in", ["delivered", "failed"])
                    ),
                    _connector="OR",
                ),
                name="integrations_message_settled",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["message", "-attempted_at"], name="integrations_attempt_latest"),
        ),
        TenantTable("integrations_item"),
        TenantTable("integrations_endpoint", references={"item_id": "integrations_item"}),
        TenantTable("integrations_harnessrun", references={"endpoint_id": "integrations_endpoint"}),
        TenantTable("integrations_message", references={"endpoint_id": "integrations_endpoint"}),
        TenantTable("integrations_attempt", references={"message_id": "integrations_message"}),
    ]
