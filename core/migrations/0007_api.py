"""Tokens that are rotated and that stop with their issuer, and the answers kept for repeated writes."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import LOOKUP, LookupFunction, TenantTable

DROP = [f"SET LOCAL ROLE {LOOKUP}", "DROP FUNCTION crossing.token", "RESET ROLE"]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("core", "0006_dead_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="replaced_at",
            field=models.DateTimeField(blank=True, help_text="When a rotation gave it an earlier end.", null=True),
        ),
        migrations.AddField(
            model_name="token",
            name="replaced_by",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("replaced_at", None), ("replaced_by", None)),
                    models.Q(("replaced_at__isnull", False), ("replaced_by__isnull", False)),
                    _connector="OR",
                ),
                name="core_token_replaced_pair",
            ),
        ),
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(help_text="SHA-256 of method, address and body.", max_length=64)),
                ("started_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("content_type", models.CharField(blank=True, default="", max_length=100)),
                ("location", models.CharField(blank=True, default="", max_length=300)),
                ("body", models.BinaryField(default=b"")),
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
                    "token",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.token"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="core_keptanswer_expiring")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "token", "key"), name="core_keptanswer_one_per_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("status", None)),
                            models.Q(("answered_at__isnull", False), ("status__isnull", False)),
                            _connector="OR",
                        ),
                        name="core_keptanswer_answered_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("started_at"))), name="core_keptanswer_expires"
                    ),
                ],
            },
        ),
        TenantTable("core_keptanswer", references={"token_id": "core_token"}),
        migrations.RunSQL([(DROP[0], None), (DROP[1], None), (DROP[2], None)], migrations.RunSQL.noop),
        migrations.RunSQL(
            [(f'GRANT SELECT (id, is_active) ON "accounts_user" TO {LOOKUP}', None)], migrations.RunSQL.noop
        ),
        LookupFunction(
            "token",
            arguments="digest bytea",
            returns="TABLE (tenant_id uuid, token_id uuid, scopes text[], expires_at timestamptz, revoked_at timestamptz, issuer_role text)",
            body="""
                SELECT found.tenant_id, found.id, found.scopes::text[], found.expires_at, found.revoked_at, m.role::text
                  FROM public.core_token AS found
                  LEFT JOIN (public.accounts_member m JOIN public.accounts_user u ON u.id = m.user_id AND u.is_active)
                    ON m.tenant_id = found.tenant_id AND m.user_id = found.created_by AND m.deactivated_at IS NULL
                 WHERE found.sha256 = $1
            """,
            reads={"core_token": ("tenant_id", "id", "scopes", "expires_at", "revoked_at", "sha256", "created_by")},
        ),
    ]
