"""Sign-in by the company alone: from when, who gets in when it fails, the way back, and what a session is asked."""

import datetime
import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

from core.rls import LookupFunction, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_failover"),
        ("core", "0008_items"),
    ]

    operations = [
        migrations.CreateModel(
            name="BreakGlassOwner",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("seat", models.PositiveSmallIntegerField()),
                ("named_at", models.DateTimeField()),
                ("named_by", models.UUIDField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.UUIDField(null=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.member"
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
                "verbose_name": "break-glass owner",
                "ordering": ("seat",),
            },
        ),
        migrations.CreateModel(
            name="Cutback",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=500)),
                (
                    "hours",
                    models.PositiveSmallIntegerField(help_text="How long it is to last, once both have approved it."),
                ),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.UUIDField()),
                ("lapses_at", models.DateTimeField(help_text="Until when it may be approved.")),
                ("customer_approved_at", models.DateTimeField(null=True)),
                ("customer_approved_by", models.UUIDField(null=True)),
                ("vendor_approved_at", models.DateTimeField(null=True)),
                ("vendor_approved_by", models.UUIDField(null=True)),
                (
                    "preflight",
                    models.JSONField(
                        default=dict, help_text="How many members had a password that works, at the start."
                    ),
                ),
                ("starts_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(help_text="When its end was written down.", null=True)),
                ("ended_by", models.UUIDField(null=True)),
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
                "verbose_name": "cutback",
                "ordering": ("-requested_at",),
            },
        ),
        migrations.CreateModel(
            name="Enforcement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("takes_effect_at", models.DateTimeField()),
                (
                    "forecast",
                    models.JSONField(default=dict, help_text="How many people were foreseen to get in, by outcome."),
                ),
                (
                    "accepted_list",
                    models.CharField(
                        blank=True,
                        help_text="Digest of the list of people locked out that was seen and accepted.",
                        max_length=64,
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
                    "toggle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.togglesetting"
                    ),
                ),
            ],
            options={
                "verbose_name": "enforcement of single sign-on",
                "verbose_name_plural": "enforcements of single sign-on",
                "ordering": ("-takes_effect_at",),
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "toggle"), name="accounts_enforcement_own_toggle")
                ],
            },
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("issued_at", models.DateTimeField()),
                ("lapses_at", models.DateTimeField(help_text="Set when another code of its set was used.", null=True)),
                ("used_at", models.DateTimeField(null=True)),
                ("replaced_at", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="codes", to="accounts.breakglassowner"
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
                "ordering": ("issued_at",),
            },
        ),
        migrations.AddConstraint(
            model_name="breakglassowner",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("tenant", "seat"), name="accounts_breakglass_seat_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglassowner",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("tenant", "member"),
                name="accounts_breakglass_person_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglassowner",
            constraint=models.CheckConstraint(condition=models.Q(("seat__in", (1, 2))), name="accounts_breakglass_two"),
        ),
        migrations.AddConstraint(
            model_name="breakglassowner",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ended_by", None)),
                    models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_breakglass_ended_pair",
            ),
        ),
        migrations.AddIndex(
            model_name="cutback",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["ends_at"], name="accounts_cutback_ending"
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("tenant",), name="accounts_cutback_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="accounts_cutback_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.CheckConstraint(
                condition=models.Q(("hours__gte", 1), ("hours__lte", 24)), name="accounts_cutback_hours"
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("customer_approved_at", None), ("customer_approved_by", None)),
                    models.Q(("customer_approved_at__isnull", False), ("customer_approved_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_cutback_customer_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("vendor_approved_at", None), ("vendor_approved_by", None)),
                    models.Q(("vendor_approved_at__isnull", False), ("vendor_approved_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_cutback_vendor_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("customer_approved_by", None),
                    ("vendor_approved_by", None),
                    models.Q(("customer_approved_by", models.F("vendor_approved_by")), _negated=True),
                    _connector="OR",
                ),
                name="accounts_cutback_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ends_at", None), ("starts_at", None)),
                    models.Q(
                        ("customer_approved_at__isnull", False),
                        ("ends_at__gt", models.F("starts_at")),
                        (
                            "ends_at__lte",
                            django.db.models.expressions.CombinedExpression(
                                models.F("starts_at"), "+", models.Value(datetime.timedelta(days=1))
                            ),
                        ),
                        ("vendor_approved_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="accounts_cutback_bounded",
            ),
        ),
        migrations.AddConstraint(
            model_name="cutback",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ended_by", None)),
                    models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_cutback_ended_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="recoverycode",
            constraint=models.CheckConstraint(
                condition=models.Q(("used_at", None), ("replaced_at", None), _connector="OR"),
                name="accounts_recoverycode_one_end",
            ),
        ),
        TenantTable("accounts_enforcement", references={"toggle_id": "core_togglesetting"}),
        TenantTable("accounts_breakglassowner", references={"member_id": "accounts_member"}),
        TenantTable("accounts_recoverycode", references={"owner_id": "accounts_breakglassowner"}),
        TenantTable("accounts_cutback"),
        LookupFunction(
            "recovery_code",
            arguments="digest text",
            returns="TABLE (tenant_id uuid, code_id uuid)",
            body="SELECT c.tenant_id, c.id FROM public.accounts_recoverycode c WHERE c.digest = $1",
            reads={"accounts_recoverycode": ("id", "tenant_id", "digest")},
        ),
        LookupFunction(
            "sso_only",
            arguments="tenant_id uuid",
            returns="text",
            body="""
                SELECT c.provider_id FROM public.accounts_ssoconnection c
                 WHERE c.tenant_id = $1
                   AND EXISTS (
                       SELECT FROM public.accounts_enforcement e JOIN public.core_togglesetting s ON s.id = e.toggle_id
                        WHERE e.tenant_id = $1 AND e.takes_effect_at <= statement_timestamp()
                          AND s.ended_at IS NULL AND s.expires_at > statement_timestamp())
                   AND NOT EXISTS (
                       SELECT FROM public.accounts_cutback b
                        WHERE b.tenant_id = $1 AND b.ended_at IS NULL
                          AND b.starts_at <= statement_timestamp() AND b.ends_at > statement_timestamp())
            """,
            reads={
                "accounts_enforcement": ("tenant_id", "toggle_id", "takes_effect_at"),
                "accounts_cutback": ("tenant_id", "starts_at", "ends_at", "ended_at"),
                "core_togglesetting": ("id", "expires_at", "ended_at"),
                "accounts_ssoconnection": ("tenant_id", "provider_id"),
            },
        ),
        # What a function returns cannot be replaced.
        migrations.RunSQL(
            [
                "SET LOCAL ROLE crossing_lookup",
                "DROP FUNCTION crossing.membership(uuid, text)",
                "DROP FUNCTION crossing.memberships(uuid)",
                "RESET ROLE",
            ]
        ),
        LookupFunction(
            "membership",
            arguments="user_id uuid, slug text",
            returns="TABLE (tenant_id uuid, member_id uuid, role text, sso_only text)",
            body="""
                SELECT m.tenant_id, m.id, m.role, coalesce(crossing.sso_only(m.tenant_id), '')
                  FROM public.accounts_member m JOIN public.accounts_tenant t ON t.id = m.tenant_id
                 WHERE m.user_id = $1 AND t.slug = $2 AND m.deactivated_at IS NULL
            """,
            reads={},
        ),
        LookupFunction(
            "memberships",
            arguments="user_id uuid",
            returns="TABLE (slug text, name text, role text, tenant_id uuid, sso_only text)",
            body="""
                SELECT t.slug, t.name, m.role, m.tenant_id, coalesce(crossing.sso_only(m.tenant_id), '')
                  FROM public.accounts_member m JOIN public.accounts_tenant t ON t.id = m.tenant_id
                 WHERE m.user_id = $1 AND m.deactivated_at IS NULL
            """,
            reads={},
        ),
    ]
