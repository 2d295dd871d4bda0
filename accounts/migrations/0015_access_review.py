"""Access reviews: who had which role where, and what was decided about each."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_provisioning_outcomes"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessReview",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("begun_at", models.DateTimeField()),
                ("begun_by", models.UUIDField()),
                ("due_on", models.DateField()),
                ("people", models.PositiveIntegerField(help_text="How many lines it has.")),
                ("finished_at", models.DateTimeField(null=True)),
                ("finished_by", models.UUIDField(null=True)),
                (
                    "summary",
                    models.JSONField(
                        default=dict, help_text="How many by difference and decision, once it is finished."
                    ),
                ),
                (
                    "sha256",
                    models.CharField(
                        blank=True, help_text="Of the finished lines: the ledger holds it too.", max_length=64
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
                "ordering": ("-begun_at",),
            },
        ),
        migrations.CreateModel(
            name="AccessLine",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("old_role", models.CharField(blank=True, max_length=100)),
                (
                    "platform_role",
                    models.CharField(blank=True, help_text="On the new platform itself.", max_length=100),
                ),
                ("role", models.CharField(blank=True, help_text="In Crossing.", max_length=20)),
                ("is_old_owner", models.BooleanField(default=False)),
                ("is_platform_owner", models.BooleanField(default=False)),
                (
                    "difference",
                    models.CharField(
                        choices=[
                            ("more", "More"),
                            ("only_new", "Only new"),
                            ("less", "Less"),
                            ("only_old", "Only old"),
                            ("same", "Same"),
                        ],
                        max_length=10,
                    ),
                ),
                ("ways", models.JSONField(default=list, help_text="The ways in that were open to them.")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="last seen")),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "To decide"),
                            ("attested", "Attested"),
                            ("asked", "Waits for a second owner"),
                            ("revoked", "Taken away"),
                        ],
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.UUIDField(null=True)),
                ("agreed_at", models.DateTimeField(null=True)),
                ("agreed_by", models.UUIDField(null=True)),
                (
                    "legacy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.legacyperson",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.member"
                    ),
                ),
                (
                    "new",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.newperson",
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
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="accounts.accessreview"
                    ),
                ),
            ],
            options={
                "verbose_name": "line of an access review",
                "verbose_name_plural": "lines of access reviews",
                "ordering": ("number",),
            },
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at", None)), fields=("tenant",), name="accounts_accessreview_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("finished_by", None)),
                    models.Q(("finished_at__isnull", False), ("finished_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_accessreview_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("sha256", "")),
                    models.Q(("finished_at__isnull", False), models.Q(("sha256", ""), _negated=True)),
                    _connector="OR",
                ),
                name="accounts_accessreview_summed",
            ),
        ),
        migrations.AddIndex(
            model_name="accessline",
            index=models.Index(fields=["tenant", "review", "verdict"], name="accounts_accessline_open"),
        ),
        migrations.AddConstraint(
            model_name="accessline",
            constraint=models.UniqueConstraint(
                fields=("tenant", "review", "number"), name="accounts_accessline_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="accessline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None)),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_accessline_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agreed_at", None), ("agreed_by", None)),
                    models.Q(("agreed_at__isnull", False), ("agreed_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_accessline_agreed_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("verdict", "")),
                    models.Q(models.Q(("verdict", ""), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_accessline_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("role", "owner"), ("verdict", "revoked"), _negated=True),
                    ("agreed_at__isnull", False),
                    _connector="OR",
                ),
                name="accounts_accessline_owner_agreed",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("agreed_by", None), models.Q(("agreed_by", models.F("decided_by")), _negated=True), _connector="OR"
                ),
                name="accounts_accessline_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("member__isnull", False), ("legacy__isnull", False), ("new__isnull", False), _connector="OR"
                ),
                name="accounts_accessline_somebody",
            ),
        ),
        TenantTable("accounts_accessreview"),
        TenantTable(
            "accounts_accessline",
            references={
                "review_id": "accounts_accessreview",
                "member_id": "accounts_member",
                "legacy_id": "accounts_legacyperson",
                "new_id": "accounts_newperson",
            },
        ),
    ]
