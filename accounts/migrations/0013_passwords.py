"""Passwords that were taken away, sealed for as long as they can be given back."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import LookupFunction, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_identity_map"),
    ]

    operations = [
        migrations.CreateModel(
            name="PasswordRemoval",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=500)),
                ("removed_at", models.DateTimeField()),
                ("removed_by", models.UUIDField()),
                ("reversible_until", models.DateTimeField()),
                ("sealed", models.PositiveIntegerField(default=0, help_text="Passwords that were sealed.")),
                (
                    "kept",
                    models.PositiveIntegerField(
                        default=0, help_text="People of other accounts too, whose passwords stayed."
                    ),
                ),
                (
                    "excepted",
                    models.PositiveIntegerField(
                        default=0, help_text="Members who had not signed in by their company yet."
                    ),
                ),
                ("restored_at", models.DateTimeField(null=True)),
                ("restored_by", models.UUIDField(null=True)),
                (
                    "destroyed_at",
                    models.DateTimeField(help_text="When the sealed passwords were forgotten.", null=True),
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
                "verbose_name": "removal of passwords",
                "verbose_name_plural": "removals of passwords",
                "ordering": ("-removed_at",),
            },
        ),
        migrations.CreateModel(
            name="SealedPassword",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sealed", models.TextField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.member"
                    ),
                ),
                (
                    "removal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="passwords",
                        to="accounts.passwordremoval",
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
        ),
        migrations.AddConstraint(
            model_name="passwordremoval",
            constraint=models.UniqueConstraint(
                condition=models.Q(("restored_at", None)), fields=("tenant",), name="accounts_passwordremoval_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="passwordremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="accounts_passwordremoval_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="passwordremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(("reversible_until__gt", models.F("removed_at"))),
                name="accounts_passwordremoval_reversible",
            ),
        ),
        migrations.AddConstraint(
            model_name="passwordremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("restored_at", None), ("restored_by", None)),
                    models.Q(("restored_at__isnull", False), ("restored_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_passwordremoval_restored_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="passwordremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(("restored_at", None), ("destroyed_at", None), _connector="OR"),
                name="accounts_passwordremoval_one_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="sealedpassword",
            constraint=models.UniqueConstraint(
                fields=("tenant", "removal", "member"), name="accounts_sealedpassword_once"
            ),
        ),
        TenantTable("accounts_passwordremoval"),
        TenantTable(
            "accounts_sealedpassword",
            references={"removal_id": "accounts_passwordremoval", "member_id": "accounts_member"},
        ),
        LookupFunction(
            "people_elsewhere",
            arguments="tenant_id uuid",
            returns="TABLE (user_id uuid)",
            body="""
                SELECT DISTINCT m.user_id
                  FROM public.accounts_member m JOIN public.accounts_member o ON o.user_id = m.user_id
                 WHERE m.tenant_id = $1 AND o.tenant_id <> $1 AND o.deactivated_at IS NULL
            """,
            reads={},
        ),
        LookupFunction(
            "sso_only",
            arguments="tenant_id uuid",
            returns="text",
            body="""
                SELECT c.provider_id FROM public.accounts_ssoconnection c
                 WHERE c.tenant_id = $1
                   AND (EXISTS (
                           SELECT FROM public.accounts_passwordremoval r
                            WHERE r.tenant_id = $1 AND r.restored_at IS NULL)
                        OR EXISTS (
                           SELECT FROM public.accounts_enforcement e
                             JOIN public.core_togglesetting s ON s.id = e.toggle_id
                            WHERE e.tenant_id = $1 AND e.takes_effect_at <= statement_timestamp()
                              AND s.ended_at IS NULL AND s.expires_at > statement_timestamp()))
                   AND NOT EXISTS (
                       SELECT FROM public.accounts_cutback b
                        WHERE b.tenant_id = $1 AND b.ended_at IS NULL
                          AND b.starts_at <= statement_timestamp() AND b.ends_at > statement_timestamp())
            """,
            reads={"accounts_passwordremoval": ("tenant_id", "restored_at")},
        ),
    ]
