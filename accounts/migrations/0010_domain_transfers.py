"""Domains that another account holds may be asked for, proven afresh and handed over."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_sso_trust"),
    ]

    operations = [
        migrations.AddField(
            model_name="domain",
            name="contested_at",
            field=models.DateTimeField(
                editable=False, help_text="When another account that asks for it showed to control it.", null=True
            ),
        ),
        migrations.AddField(
            model_name="domain",
            name="passed_on_at",
            field=models.DateTimeField(editable=False, help_text="When it went to another account.", null=True),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.CheckConstraint(
                condition=models.Q(("contested_at", None), ("verified_at__isnull", False), _connector="OR"),
                name="accounts_domain_contested_is_held",
            ),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.CheckConstraint(
                condition=models.Q(("passed_on_at", None), ("verified_at", None), _connector="OR"),
                name="accounts_domain_passed_on",
            ),
        ),
        migrations.CreateModel(
            name="DomainTransfer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Waits for a fresh proof"),
                            ("proven", "Waits for our approval"),
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.CharField(help_text="Why the domain is theirs, in the words of who asks.", max_length=500),
                ),
                ("asked_at", models.DateTimeField(editable=False)),
                ("asked_by", models.UUIDField(editable=False)),
                (
                    "proven_at",
                    models.DateTimeField(
                        editable=False, help_text="When the token of this request was seen.", null=True
                    ),
                ),
                ("decided_at", models.DateTimeField(editable=False, null=True)),
                ("decided_by", models.UUIDField(editable=False, null=True)),
                (
                    "answer",
                    models.CharField(blank=True, help_text="What whoever decided says to who asked.", max_length=500),
                ),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="transfers", to="accounts.domain"
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
                "ordering": ("-asked_at",),
            },
        ),
        migrations.AddConstraint(
            model_name="domaintransfer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["asked", "proven"])),
                fields=("tenant", "domain"),
                name="accounts_domaintransfer_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="domaintransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["asked", "proven", "approved", "declined", "withdrawn"])),
                name="accounts_domaintransfer_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="domaintransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True),
                        ("decided_by__isnull", True),
                        ("state__in", ["asked", "proven"]),
                    ),
                    models.Q(
                        models.Q(("state__in", ["asked", "proven"]), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="accounts_domaintransfer_decided_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="domaintransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["proven", "approved"]), _negated=True),
                    ("proven_at__isnull", False),
                    _connector="OR",
                ),
                name="accounts_domaintransfer_proven_first",
            ),
        ),
        TenantTable("accounts_domaintransfer", references={"domain_id": "accounts_domain"}),
    ]
