"""What a tenant's directory sends by SCIM, and its calls."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_sign_in"),
        ("core", "0008_items"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProvisionedGroup",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("external_id", models.CharField(blank=True, max_length=320, verbose_name="external id")),
                (
                    "name_key",
                    models.CharField(help_text="Its name in the form in which names are compared.", max_length=320),
                ),
                (
                    "resource",
                    models.JSONField(default=dict, help_text="The attributes that are kept, as they were sent."),
                ),
                ("facts", models.JSONField(default=dict, help_text="The same in the form in which they are compared.")),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("modified_at", models.DateTimeField()),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "role",
                    models.CharField(
                        blank=True,
                        choices=[("owner", "Owner"), ("admin", "Admin"), ("auditor", "Auditor"), ("member", "Member")],
                        max_length=20,
                    ),
                ),
                ("role_set_at", models.DateTimeField(null=True)),
                ("role_set_by", models.UUIDField(null=True)),
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
        migrations.CreateModel(
            name="ProvisionedUser",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("external_id", models.CharField(blank=True, max_length=320, verbose_name="external id")),
                (
                    "name_key",
                    models.CharField(help_text="Its name in the form in which names are compared.", max_length=320),
                ),
                (
                    "resource",
                    models.JSONField(default=dict, help_text="The attributes that are kept, as they were sent."),
                ),
                ("facts", models.JSONField(default=dict, help_text="The same in the form in which they are compared.")),
                ("version", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField()),
                ("modified_at", models.DateTimeField()),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "is_active",
                    models.BooleanField(default=True, help_text="What was said last; saying nothing changes nothing."),
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
        migrations.CreateModel(
            name="ProvisionedMembership",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="accounts.provisionedgroup",
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="accounts.provisioneduser",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProvisionedEmail",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("value", models.CharField(max_length=320, null=True)),
                ("type", models.CharField(max_length=200, null=True)),
                ("is_primary", models.BooleanField(null=True)),
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="emails",
                        to="accounts.provisioneduser",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Provisioning",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("enabled_at", models.DateTimeField(null=True)),
                ("enabled_by", models.UUIDField(null=True)),
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
                "verbose_name_plural": "provisioning",
            },
        ),
        migrations.CreateModel(
            name="ProvisioningCall",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("called_at", models.DateTimeField()),
                ("method", models.CharField(max_length=7)),
                (
                    "kind",
                    models.CharField(help_text="User, Group, or the part of the service that was read.", max_length=30),
                ),
                ("resource_id", models.UUIDField(null=True)),
                (
                    "about",
                    models.CharField(blank=True, help_text="The attributes that the call names.", max_length=300),
                ),
                ("status", models.PositiveSmallIntegerField()),
                ("scim_type", models.CharField(blank=True, max_length=30)),
                ("refusal", models.CharField(blank=True, max_length=500)),
                ("outcome", models.CharField(blank=True, help_text="A `plans.Outcome`.", max_length=30)),
                ("was_trial", models.BooleanField(help_text="Whether members were left alone.")),
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
                "ordering": ("-called_at", "-pk"),
            },
        ),
        migrations.AddIndex(
            model_name="provisionedgroup",
            index=models.Index(fields=["tenant", "created_at", "id"], name="accounts_scim_group_order"),
        ),
        migrations.AddConstraint(
            model_name="provisionedgroup",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), models.Q(("external_id", ""), _negated=True)),
                fields=("tenant", "external_id"),
                name="accounts_provisionedgroup_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="provisionedgroup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("role_set_at", None), ("role_set_by", None)),
                    models.Q(("role_set_at__isnull", False), ("role_set_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_provisionedgroup_role_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="provisionedgroup",
            constraint=models.CheckConstraint(
                condition=models.Q(("name_key", ""), _negated=True), name="accounts_provisionedgroup_named"
            ),
        ),
        migrations.AddIndex(
            model_name="provisioneduser",
            index=models.Index(fields=["tenant", "created_at", "id"], name="accounts_scim_user_order"),
        ),
        migrations.AddConstraint(
            model_name="provisioneduser",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("tenant", "name_key"),
                name="accounts_provisioneduser_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="provisioneduser",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), models.Q(("external_id", ""), _negated=True)),
                fields=("tenant", "external_id"),
                name="accounts_provisioneduser_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="provisioneduser",
            constraint=models.CheckConstraint(
                condition=models.Q(("name_key", ""), _negated=True), name="accounts_provisioneduser_named"
            ),
        ),
        migrations.AddConstraint(
            model_name="provisionedmembership",
            constraint=models.UniqueConstraint(
                fields=("tenant", "group", "user"), name="accounts_provisionedmembership_once"
            ),
        ),
        migrations.AddIndex(
            model_name="provisionedemail",
            index=models.Index(fields=["tenant", "value"], name="accounts_scim_email"),
        ),
        migrations.AddConstraint(
            model_name="provisioning",
            constraint=models.UniqueConstraint(fields=("tenant",), name="accounts_provisioning_one"),
        ),
        migrations.AddConstraint(
            model_name="provisioning",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("enabled_at", None), ("enabled_by", None)),
                    models.Q(("enabled_at__isnull", False), ("enabled_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_provisioning_enabled_pair",
            ),
        ),
        migrations.AddIndex(
            model_name="provisioningcall",
            index=models.Index(
                models.F("tenant"),
                models.OrderBy(models.F("called_at"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                name="accounts_scim_call_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="provisioningcall",
            index=models.Index(fields=["called_at"], name="accounts_scim_call_oldest"),
        ),
        TenantTable("accounts_provisioning"),
        TenantTable("accounts_provisioneduser"),
        TenantTable("accounts_provisionedgroup"),
        TenantTable("accounts_provisionedemail", references={"user_id": "accounts_provisioneduser"}),
        TenantTable(
            "accounts_provisionedmembership",
            references={"group_id": "accounts_provisionedgroup", "user_id": "accounts_provisioneduser"},
        ),
        TenantTable("accounts_provisioningcall", references={"token_id": "core_token"}),
    ]
