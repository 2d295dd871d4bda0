"""Links for those who edit DNS and have no account, and how one is found before its tenant is known."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import LookupFunction, TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_proof_by_file"),
    ]

    operations = [
        migrations.CreateModel(
            name="DomainLink",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("token_digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("made_at", models.DateTimeField(editable=False)),
                ("made_by", models.UUIDField(editable=False)),
                ("expires_at", models.DateTimeField(editable=False)),
                (
                    "opened_at",
                    models.DateTimeField(editable=False, help_text="When it was first opened.", null=True),
                ),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_by", models.UUIDField(editable=False, null=True)),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="accounts.domain"
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
                "ordering": ("-made_at",),
            },
        ),
        migrations.AddConstraint(
            model_name="domainlink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("revoked_at", None), ("revoked_by", None)),
                    models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_domainlink_revoked_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="domainlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("made_at"))), name="accounts_domainlink_ends"
            ),
        ),
        TenantTable("accounts_domainlink", references={"domain_id": "accounts_domain"}),
        LookupFunction(
            "domain_link",
            arguments="digest text",
            returns="TABLE (tenant_id uuid, link_id uuid)",
            body="SELECT l.tenant_id, l.id FROM public.accounts_domainlink l WHERE l.token_digest = $1",
            reads={"accounts_domainlink": ("id", "tenant_id", "token_digest")},
        ),
    ]
