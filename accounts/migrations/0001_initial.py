"""The tables of accounts, and the look-ups that answer before a tenant is known."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from core.rls import GlobalTable, LookupFunction, TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("core", "0001_floor"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "slug",
                    models.SlugField(help_text="How the tenant is called in addresses.", max_length=63, unique=True),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "segment",
                    models.CharField(blank=True, help_text="How the vendor groups its customers.", max_length=40),
                ),
                (
                    "legacy_ref",
                    models.CharField(
                        help_text="Key on the legacy platform.", max_length=100, unique=True, verbose_name="legacy key"
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(default="UTC", help_text="IANA name, such as America/New_York.", max_length=64),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "email",
                    models.EmailField(
                        error_messages={"unique": "This address is taken."},
                        max_length=254,
                        unique=True,
                        verbose_name="e-mail address",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=200)),
                (
                    "is_staff",
                    models.BooleanField(default=False, help_text="One of the vendor's people.", verbose_name="staff"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StaffAssignment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("cs", "cs"),
                            ("support", "support"),
                            ("runbook_owner", "runbook owner"),
                            ("steering_group", "steering group"),
                            ("auditor", "auditor"),
                            ("technical_lead", "technical lead"),
                            ("data_lead", "data lead"),
                            ("integrations_lead", "integrations lead"),
                            ("identity_billing_lead", "identity billing lead"),
                            ("cs_lead", "cs lead"),
                            ("sre_lead", "sre lead"),
                            ("legal_privacy_lead", "legal privacy lead"),
                            ("programme_manager", "programme manager"),
                        ],
                        max_length=40,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_assignments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("admin", "Admin"), ("auditor", "Auditor"), ("member", "Member")],
                        max_length=20,
                    ),
                ),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("deactivated_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("deactivated_by", models.UUIDField(blank=True, editable=False, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
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
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="accounts_user_email_lower",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffassignment",
            constraint=models.UniqueConstraint(fields=("user", "role"), name="accounts_staffassignment_once"),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(fields=("tenant", "user"), name="accounts_member_once"),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("deactivated_at", None), ("deactivated_by", None)),
                    models.Q(("deactivated_at__isnull", False), ("deactivated_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_member_deactivated_pair",
            ),
        ),
        migrations.CreateModel(
            name="Domain",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="As DNS sees it: A-labels, lower case.", max_length=253)),
                ("text", models.CharField(help_text="As its owner reads it.", max_length=253)),
                ("token", models.CharField(help_text="Public by its nature: it is published in DNS.", max_length=63)),
                (
                    "earlier_tokens",
                    models.JSONField(default=list, help_text="Replaced ones, newest first, to recognise them."),
                ),
                ("claimed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("claimed_by", models.UUIDField(editable=False)),
                ("token_issued_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("verified_at", models.DateTimeField(editable=False, help_text="When it was first proven.", null=True)),
                ("verified_by", models.UUIDField(editable=False, null=True)),
                ("proven_at", models.DateTimeField(editable=False, help_text="When it was last proven.", null=True)),
                (
                    "failed_at",
                    models.DateTimeField(editable=False, help_text="When the current token was given up.", null=True),
                ),
                ("next_check_at", models.DateTimeField(editable=False, null=True)),
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
                "ordering": ("name",),
            },
        ),
        migrations.CreateModel(
            name="DomainCheck",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("checked_at", models.DateTimeField()),
                ("is_automatic", models.BooleanField()),
                ("code", models.CharField(help_text="A `diagnosis.Code`.", max_length=20)),
                ("summary", models.TextField()),
                ("found", models.JSONField(default=list)),
                ("expected", models.CharField(max_length=255)),
                ("fix", models.TextField(blank=True)),
                ("ttl", models.PositiveIntegerField(help_text="Seconds resolvers may keep the answer.", null=True)),
                ("is_authenticated", models.BooleanField(default=False, help_text="DNSSEC, by our own resolver.")),
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="checks", to="accounts.domain"
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
                "ordering": ("-checked_at",),
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "email",
                    models.EmailField(
                        help_text="Lower case; only an account with this address may accept.",
                        max_length=254,
                        verbose_name="e-mail address",
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("admin", "Admin"), ("auditor", "Auditor"), ("member", "Member")],
                        max_length=20,
                    ),
                ),
                ("token_digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("invited_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("invited_by", models.UUIDField(editable=False)),
                ("expires_at", models.DateTimeField(editable=False)),
                (
                    "sent_at",
                    models.DateTimeField(
                        editable=False, help_text="When the mail with the newest link left.", null=True
                    ),
                ),
                ("accepted_at", models.DateTimeField(editable=False, null=True)),
                ("accepted_by", models.UUIDField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_by", models.UUIDField(editable=False, null=True)),
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
                "ordering": ("-invited_at",),
            },
        ),
        migrations.AddIndex(
            model_name="domain",
            index=models.Index(
                condition=models.Q(("next_check_at__isnull", False)),
                fields=["next_check_at"],
                name="accounts_domain_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="accounts_domain_once"),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.UniqueConstraint(
                condition=models.Q(("verified_at__isnull", False)), fields=("name",), name="accounts_domain_one_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("proven_at", None), ("verified_at", None), ("verified_by", None)),
                    models.Q(
                        ("proven_at__gte", models.F("verified_at")),
                        ("verified_at__isnull", False),
                        ("verified_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="accounts_domain_verified_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.CheckConstraint(
                condition=models.Q(("failed_at", None), ("next_check_at", None), _connector="OR"),
                name="accounts_domain_failed_rests",
            ),
        ),
        migrations.AddIndex(
            model_name="domaincheck",
            index=models.Index(fields=["domain", "-checked_at"], name="accounts_domaincheck_latest"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                fields=("tenant", "email"),
                name="accounts_invitation_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("accepted_at", None), ("accepted_by", None)),
                    models.Q(("accepted_at__isnull", False), ("accepted_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_invitation_accepted_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("revoked_at", None), ("revoked_by", None)),
                    models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_invitation_revoked_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("accepted_at", None), ("revoked_at", None), _connector="OR"),
                name="accounts_invitation_one_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))),
                name="accounts_invitation_email_lower",
            ),
        ),
        TenantTable("accounts_tenant", column="id"),
        TenantTable("accounts_member"),
        TenantTable("accounts_invitation"),
        TenantTable("accounts_domain"),
        TenantTable("accounts_domaincheck", references={"domain_id": "accounts_domain"}),
        GlobalTable("accounts_user", reason="A person may belong to several tenants and signs in before one is known."),
        GlobalTable("accounts_staffassignment", reason="Roles of the vendor's people hold for every tenant."),
        LookupFunction(
            "membership",
            arguments="user_id uuid, slug text",
            returns="TABLE (tenant_id uuid, member_id uuid, role text)",
            body="""
                SELECT m.tenant_id, m.id, m.role
                  FROM public.accounts_member m JOIN public.accounts_tenant t ON t.id = m.tenant_id
                 WHERE m.user_id = $1 AND t.slug = $2 AND m.deactivated_at IS NULL
            """,
            reads={
                "accounts_tenant": ("id", "slug", "name"),
                "accounts_member": ("id", "tenant_id", "user_id", "role", "deactivated_at"),
            },
        ),
        LookupFunction(
            "memberships",
            arguments="user_id uuid",
            returns="TABLE (slug text, name text, role text)",
            body="""
                SELECT t.slug, t.name, m.role
                  FROM public.accounts_member m JOIN public.accounts_tenant t ON t.id = m.tenant_id
                 WHERE m.user_id = $1 AND m.deactivated_at IS NULL
            """,
            reads={},
        ),
        LookupFunction(
            "invitation",
            arguments="digest text",
            returns="TABLE (tenant_id uuid, invitation_id uuid)",
            body="SELECT i.tenant_id, i.id FROM public.accounts_invitation i WHERE i.token_digest = $1",
            reads={"accounts_invitation": ("id", "tenant_id", "token_digest")},
        ),
    ]
