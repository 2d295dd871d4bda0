"""A provider's certificates as rows of their own, and the address where its metadata stand."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable

TAKE_OVER = (
    # The owner is no tenant: without this it would find no row.
    "ALTER TABLE accounts_ssoconnection NO FORCE ROW LEVEL SECURITY",
    """
    INSERT INTO accounts_ssocertificate (id, tenant_id, connection_id, fingerprint, der, subject, not_before, not_after,
                                         source, added_at, added_by, missed, retired_because)
    SELECT gen_random_uuid(), c.tenant_id, c.id, e->>'fingerprint', e->>'der', e->>'subject',
           (e->>'not_before')::timestamptz, (e->>'not_after')::timestamptz, 'file', c.connected_at, c.connected_by, 0, ''
      FROM accounts_ssoconnection c CROSS JOIN jsonb_array_elements(c.certificates) e
     WHERE c.connected_at IS NOT NULL
    """,
    "SET CONSTRAINTS ALL IMMEDIATE",
    "ALTER TABLE accounts_ssoconnection FORCE ROW LEVEL SECURITY",
)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_enforcement"),
    ]

    operations = [
        migrations.AddField(
            model_name="ssotest",
            name="signed_by",
            field=models.CharField(
                blank=True, help_text="The certificate that the answer is signed with.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="ssoconnection",
            name="attributes",
            field=models.JSONField(
                default=dict, help_text="Which attribute says what of a person, where it is chosen."
            ),
        ),
        migrations.AlterField(
            model_name="ssoconnection",
            name="fingerprint",
            field=models.CharField(
                blank=True, help_text="Differs as soon as provider or sign-in address do.", max_length=64
            ),
        ),
        migrations.CreateModel(
            name="SsoCertificate",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(help_text="SHA-256.", max_length=64)),
                ("der", models.TextField(help_text="Base64, without armour.")),
                ("subject", models.CharField(max_length=200)),
                ("not_before", models.DateTimeField(verbose_name="valid from")),
                ("not_after", models.DateTimeField(verbose_name="valid until")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("file", "Your metadata"),
                            ("address", "Your metadata address"),
                            ("hand", "Added by hand"),
                        ],
                        max_length=10,
                    ),
                ),
                ("added_at", models.DateTimeField()),
                ("added_by", models.UUIDField()),
                ("signed_at", models.DateTimeField(help_text="When an answer was last signed with it.", null=True)),
                (
                    "missed",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Readings of the metadata in a row that lack it."
                    ),
                ),
                ("missing_since", models.DateTimeField(null=True)),
                (
                    "warned_days",
                    models.PositiveSmallIntegerField(help_text="Of which step before its end people know.", null=True),
                ),
                ("retired_at", models.DateTimeField(null=True)),
                ("retired_by", models.UUIDField(null=True)),
                (
                    "retired_because",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("person", "Retired by hand"),
                            ("gone", "No longer in your metadata"),
                            ("replaced", "Of the provider before"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="certificates",
                        to="accounts.ssoconnection",
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
                "verbose_name": "SSO certificate",
                "ordering": ("retired_at", "-not_after"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("retired_at", None)),
                        fields=["not_after"],
                        name="accounts_ssocertificate_ending",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "connection", "fingerprint"), name="accounts_ssocertificate_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("retired_at", None), ("retired_because", ""), ("retired_by", None)),
                            models.Q(
                                ("retired_at__isnull", False),
                                ("retired_by__isnull", False),
                                models.Q(("retired_because", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="accounts_ssocertificate_retired_pair",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("missed", 0), ("missing_since", None)),
                            models.Q(("missed__gt", 0), ("missing_since__isnull", False)),
                            _connector="OR",
                        ),
                        name="accounts_ssocertificate_missing_pair",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SsoSource",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("url", models.CharField(max_length=2000, verbose_name="metadata address")),
                ("followed_at", models.DateTimeField()),
                ("followed_by", models.UUIDField()),
                ("due_at", models.DateTimeField(help_text="When it is read next.")),
                ("read_at", models.DateTimeField(help_text="When it was last read and understood.")),
                ("failures", models.PositiveSmallIntegerField(default=0, help_text="Readings in a row that failed.")),
                ("problem", models.TextField(blank=True, help_text="Why the last reading failed.")),
                ("proposal", models.JSONField(null=True)),
                ("proposed_at", models.DateTimeField(null=True)),
                ("refused", models.CharField(blank=True, max_length=64)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.ssoconnection"
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
                "verbose_name": "SSO metadata address",
                "verbose_name_plural": "SSO metadata addresses",
                "indexes": [models.Index(fields=["due_at"], name="accounts_ssosource_due")],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "connection"), name="accounts_ssosource_one"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proposal", None), ("proposed_at", None)),
                            models.Q(("proposal__isnull", False), ("proposed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="accounts_ssosource_proposed_pair",
                    ),
                ],
            },
        ),
        migrations.RunSQL([(statement, None) for statement in TAKE_OVER], migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name="ssoconnection",
            name="certificates",
        ),
        TenantTable("accounts_ssocertificate", references={"connection_id": "accounts_ssoconnection"}),
        TenantTable("accounts_ssosource", references={"connection_id": "accounts_ssoconnection"}),
    ]
