"""What people may do: what was seen of it on both platforms, and requests for access."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("entitlements", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="snapshot",
            name="features",
            field=models.JSONField(
                help_text="What the new plan includes; empty: no subscription there yet.", null=True
            ),
        ),
        migrations.AddField(
            model_name="snapshot",
            name="people",
            field=models.JSONField(default=dict, help_text="Legacy role by the member's user id."),
        ),
        migrations.AddField(
            model_name="snapshot",
            name="policies",
            field=models.JSONField(help_text="What the organisation allows on the new platform.", null=True),
        ),
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("ability", models.CharField(help_text="What they could not do.", max_length=100)),
                (
                    "wanted",
                    models.CharField(help_text="What they lack: `role:admin`, `flag:bulk-rebooking`.", max_length=100),
                ),
                ("reason", models.CharField(max_length=500)),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.UUIDField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=[("granted", "Granted"), ("declined", "Declined")], max_length=20
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=500)),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.UUIDField(null=True)),
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
                "ordering": ("-requested_at",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at", None)),
                        fields=("tenant", "member", "wanted"),
                        name="entitlements_request_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("answered_by", None), ("outcome", "")),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                                ("outcome__in", ["granted", "declined"]),
                            ),
                            _connector="OR",
                        ),
                        name="entitlements_request_answered_pair",
                    ),
                ],
            },
        ),
        TenantTable(
            "entitlements_accessrequest",
            references={"member_id": "accounts_member"},
            grants="SELECT, INSERT, UPDATE",
        ),
    ]
