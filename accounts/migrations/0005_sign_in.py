"""Linked identities, proposals and standing rules; sign-ins by a tenant's provider, and how a domain finds it."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

from core.rls import LookupFunction, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_domain_links"),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkedIdentity",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("external_id", models.CharField(blank=True, max_length=320, verbose_name="external id")),
                (
                    "user_name",
                    models.CharField(blank=True, help_text="In lower case.", max_length=320, verbose_name="user name"),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("approval", "approved"),
                            ("rule", "standing rule"),
                            ("joined", "joined by signing in"),
                            ("provisioning", "provisioned"),
                            ("mapping", "identity map"),
                        ],
                        max_length=20,
                    ),
                ),
                ("linked_at", models.DateTimeField()),
                ("linked_by", models.UUIDField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="identities", to="accounts.member"
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
                "verbose_name": "linked identity",
                "verbose_name_plural": "linked identities",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("external_id", ""), _negated=True),
                        fields=("tenant", "external_id"),
                        name="accounts_linkedidentity_id_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("user_name", ""), _negated=True),
                        fields=("tenant", "user_name"),
                        name="accounts_linkedidentity_name_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("external_id", ""), ("user_name", ""), _negated=True),
                        name="accounts_linkedidentity_has_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("user_name", django.db.models.functions.text.Lower("user_name"))),
                        name="accounts_linkedidentity_name_lower",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LinkProposal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("external_id", models.CharField(blank=True, max_length=320, verbose_name="external id")),
                ("user_name", models.CharField(blank=True, max_length=320, verbose_name="user name")),
                ("reason", models.CharField(help_text="A `signing_in.Reason`.", max_length=30)),
                ("proposed_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.UUIDField(null=True)),
                ("is_approved", models.BooleanField(null=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="link_proposals", to="accounts.member"
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
                "ordering": ("-proposed_at",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "member", "external_id", "user_name"), name="accounts_linkproposal_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("is_approved", None)),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                ("is_approved__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="accounts_linkproposal_decided_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("external_id", ""), ("user_name", ""), _negated=True),
                        name="accounts_linkproposal_has_key",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SsoSignIn",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(help_text="The connection's when the sign-in began.", max_length=64)),
                ("request_id", models.CharField(help_text="Of our AuthnRequest.", max_length=64)),
                (
                    "leaves_for",
                    models.TextField(blank=True, help_text="The address of the provider, with our request."),
                ),
                ("browser", models.CharField(max_length=64)),
                (
                    "leads_to",
                    models.CharField(blank=True, help_text="The page of ours that was asked for.", max_length=2000),
                ),
                ("started_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True, help_text="A `signing_in.Outcome`, once it was answered.", max_length=10
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, help_text="A `signing_in.Reason`, once it was answered.", max_length=30
                    ),
                ),
                ("verdicts", models.JSONField(default=dict, help_text="Each check's verdict; nothing of a person.")),
                ("sealed", models.TextField(blank=True)),
                ("purged_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(help_text="When the browser that asked was signed in.", null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to="accounts.ssoconnection",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sso_sign_ins",
                        to="accounts.member",
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
                "verbose_name": "SSO sign-in",
                "ordering": ("-started_at",),
                "indexes": [
                    models.Index(fields=["tenant", "-started_at"], name="accounts_ssosignin_latest"),
                    models.Index(
                        condition=models.Q(("sealed", ""), _negated=True),
                        fields=["answered_at"],
                        name="accounts_ssosignin_to_purge",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "request_id"), name="accounts_ssosignin_request_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("outcome", ""), ("reason", ""), ("used_at", None)),
                            models.Q(
                                ("answered_at__isnull", False),
                                models.Q(("outcome", ""), _negated=True),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="accounts_ssosignin_answered_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("used_at", None),
                            models.Q(("member__isnull", False), ("outcome__in", ("signed_in", "joined"))),
                            _connector="OR",
                        ),
                        name="accounts_ssosignin_used_has_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purged_at", None), ("sealed", ""), _connector="OR"),
                        name="accounts_ssosignin_purged_is_empty",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StandingRule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("domain", models.CharField(help_text="As DNS sees it.", max_length=253)),
                (
                    "kind",
                    models.CharField(
                        choices=[("link", "link members by their address"), ("join", "let new people join")],
                        max_length=10,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("made_by", models.UUIDField()),
                ("ended_at", models.DateTimeField(null=True)),
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
                "ordering": ("domain", "kind"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("tenant", "domain", "kind"),
                        name="accounts_standingrule_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ended_by", None)),
                            models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="accounts_standingrule_ended_pair",
                    ),
                ],
            },
        ),
        TenantTable("accounts_linkedidentity", references={"member_id": "accounts_member"}),
        TenantTable("accounts_linkproposal", references={"member_id": "accounts_member"}),
        TenantTable(
            "accounts_ssosignin",
            references={"connection_id": "accounts_ssoconnection", "member_id": "accounts_member"},
        ),
        TenantTable("accounts_standingrule"),
        LookupFunction(
            "sso_of_domain",
            arguments="domain text",
            returns="TABLE (provider_id text)",
            body="""
                SELECT c.provider_id
                  FROM public.accounts_domain d JOIN public.accounts_ssoconnection c ON c.tenant_id = d.tenant_id
                 WHERE d.name = $1 AND d.verified_at IS NOT NULL AND c.connected_at IS NOT NULL
            """,
            reads={
                "accounts_domain": ("name", "tenant_id", "verified_at"),
                "accounts_ssoconnection": ("provider_id", "tenant_id", "connected_at"),
            },
        ),
    ]
