"""A tenant's connection to its identity provider, the tests of it, and how it is found before a tenant is known."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import accounts.models.sso
from core.rls import LookupFunction, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SsoConnection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "provider_id",
                    models.CharField(
                        default=accounts.models.sso.new_provider_id, editable=False, max_length=40, unique=True
                    ),
                ),
                ("entity_id", models.CharField(blank=True, max_length=1024, verbose_name="entity ID")),
                ("sso_url", models.CharField(blank=True, max_length=2000, verbose_name="sign-in address")),
                (
                    "certificates",
                    models.JSONField(default=list, help_text="Every signing certificate, with fingerprint and dates."),
                ),
                (
                    "fingerprint",
                    models.CharField(blank=True, help_text="Differs as soon as the metadata do.", max_length=64),
                ),
                ("begun_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("begun_by", models.UUIDField(editable=False)),
                (
                    "connected_at",
                    models.DateTimeField(editable=False, help_text="When these metadata were given.", null=True),
                ),
                ("connected_by", models.UUIDField(editable=False, null=True)),
                (
                    "declined_at",
                    models.DateTimeField(editable=False, help_text="When they chose to do without.", null=True),
                ),
                ("declined_by", models.UUIDField(editable=False, null=True)),
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
                "verbose_name": "SSO connection",
            },
        ),
        migrations.CreateModel(
            name="SsoTest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(help_text="The connection's when the test began.", max_length=64)),
                ("request_id", models.CharField(help_text="Of our AuthnRequest.", max_length=64)),
                ("leaves_for", models.TextField(help_text="The address of the provider, with our request.")),
                ("started_at", models.DateTimeField()),
                ("started_by", models.UUIDField()),
                ("expires_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(blank=True, help_text="passed or failed, once it was answered.", max_length=10),
                ),
                ("verdicts", models.JSONField(default=dict, help_text="Each check's verdict; nothing of a person.")),
                ("sealed", models.TextField(blank=True)),
                ("purged_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tests", to="accounts.ssoconnection"
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
                "verbose_name": "SSO test",
                "ordering": ("-started_at",),
            },
        ),
        migrations.CreateModel(
            name="UsedAssertion",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.CharField(max_length=64)),
                ("used_at", models.DateTimeField()),
                ("forget_at", models.DateTimeField()),
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
            model_name="ssoconnection",
            constraint=models.UniqueConstraint(fields=("tenant",), name="accounts_ssoconnection_one"),
        ),
        migrations.AddConstraint(
            model_name="ssoconnection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("connected_at", None), ("connected_by", None), ("fingerprint", "")),
                    models.Q(
                        ("connected_at__isnull", False),
                        ("connected_by__isnull", False),
                        models.Q(("fingerprint", ""), _negated=True),
                        models.Q(("entity_id", ""), _negated=True),
                        models.Q(("sso_url", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="accounts_ssoconnection_connected_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="ssoconnection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("declined_at", None), ("declined_by", None)),
                    models.Q(("declined_at__isnull", False), ("declined_by__isnull", False), ("fingerprint", "")),
                    _connector="OR",
                ),
                name="accounts_ssoconnection_declined_pair",
            ),
        ),
        migrations.AddIndex(
            model_name="ssotest",
            index=models.Index(fields=["connection", "-started_at"], name="accounts_ssotest_latest"),
        ),
        migrations.AddIndex(
            model_name="ssotest",
            index=models.Index(
                condition=models.Q(("sealed", ""), _negated=True),
                fields=["answered_at"],
                name="accounts_ssotest_to_purge",
            ),
        ),
        migrations.AddConstraint(
            model_name="ssotest",
            constraint=models.UniqueConstraint(fields=("tenant", "request_id"), name="accounts_ssotest_request_once"),
        ),
        migrations.AddConstraint(
            model_name="ssotest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answered_at", None), ("outcome", "")),
                    models.Q(("answered_at__isnull", False), ("outcome__in", ("passed", "failed"))),
                    _connector="OR",
                ),
                name="accounts_ssotest_answered_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="ssotest",
            constraint=models.CheckConstraint(
                condition=models.Q(("purged_at", None), ("sealed", ""), _connector="OR"),
                name="accounts_ssotest_purged_is_empty",
            ),
        ),
        migrations.AddIndex(
            model_name="usedassertion",
            index=models.Index(fields=["forget_at"], name="accounts_usedassertion_forget"),
        ),
        migrations.AddConstraint(
            model_name="usedassertion",
            constraint=models.UniqueConstraint(fields=("tenant", "digest"), name="accounts_usedassertion_once"),
        ),
        TenantTable("accounts_ssoconnection"),
        TenantTable("accounts_ssotest", references={"connection_id": "accounts_ssoconnection"}),
        TenantTable("accounts_usedassertion"),
        LookupFunction(
            "sso_connection",
            arguments="provider_id text",
            returns="TABLE (tenant_id uuid, connection_id uuid)",
            body="SELECT c.tenant_id, c.id FROM public.accounts_ssoconnection c WHERE c.provider_id = $1",
            reads={"accounts_ssoconnection": ("id", "tenant_id", "provider_id")},
        ),
    ]
