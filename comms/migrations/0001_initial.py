"""The tables of comms."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.rls import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=150)),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("1", "Urgent: our data or our work is at risk"),
                            ("2", "High: we cannot go on preparing"),
                            ("3", "Normal: something does not work as it should"),
                            ("4", "Low: a question"),
                        ],
                        max_length=1,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("in_progress", "In progress"),
                            ("waiting", "Waiting for you"),
                            ("resolved", "Resolved"),
                            ("closed", "Closed"),
                        ],
                        default="new",
                        max_length=20,
                    ),
                ),
                ("check_id", models.CharField(blank=True, max_length=100, verbose_name="check")),
                (
                    "finding",
                    models.JSONField(
                        blank=True, default=dict, help_text="What the check had found when the case was opened."
                    ),
                ),
                ("phase", models.CharField(help_text="The tenant's phase when the case was opened.", max_length=20)),
                ("opened_at", models.DateTimeField(editable=False)),
                ("respond_by", models.DateTimeField(editable=False)),
                ("resolve_by", models.DateTimeField(editable=False)),
                ("responded_at", models.DateTimeField(editable=False, null=True)),
                (
                    "paused_at",
                    models.DateTimeField(editable=False, help_text="Since when it waits for the customer.", null=True),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="The deadline that runs now; empty while none does.",
                        null=True,
                        verbose_name="clock runs out",
                    ),
                ),
                ("escalation", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("escalates_at", models.DateTimeField(editable=False, null=True)),
                ("resolved_at", models.DateTimeField(editable=False, null=True)),
                ("closed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "feedback",
                    models.CharField(blank=True, help_text="The shortcoming behind it, in our words.", max_length=200),
                ),
                ("ships_on", models.DateField(blank=True, help_text="When it is put right for everybody.", null=True)),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "feedback_owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
            options={
                "ordering": ("-opened_at",),
            },
        ),
        migrations.CreateModel(
            name="CaseEntry",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("is_ours", models.BooleanField(help_text="Written by one of the vendor's people.")),
                ("written_at", models.DateTimeField(editable=False)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="comms.case"
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
                    "written_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("written_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="Mailing",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("template", models.CharField(max_length=60)),
                ("version", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("announce", "Announce"),
                            ("reminder", "Reminder"),
                            ("cutover", "Cutover"),
                            ("after", "Afterwards"),
                            ("signature", "Go/no-go"),
                            ("support", "Support"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("sponsors", "Owners (executive sponsors)"),
                            ("admins", "Admins"),
                            ("end_users", "Everybody else"),
                            ("deciders", "Owners and admins"),
                            ("signers", "Who signs"),
                            ("asker", "Who asked"),
                            ("ladder", "Our people on call"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "occasion",
                    models.CharField(help_text="What it is sent for; never twice for the same one.", max_length=120),
                ),
                (
                    "is_essential",
                    models.BooleanField(help_text="Reaches those too who want no reminders.", verbose_name="essential"),
                ),
                ("due_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("issued", "Sent"),
                            ("skipped", "Skipped"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="planned",
                        max_length=20,
                    ),
                ),
                ("note", models.TextField(blank=True, help_text="The customer's own words, plain text.")),
                ("subject", models.CharField(blank=True, max_length=400)),
                ("text", models.TextField(blank=True)),
                ("link", models.CharField(blank=True, max_length=500)),
                ("planned_at", models.DateTimeField(editable=False)),
                ("issued_at", models.DateTimeField(editable=False, null=True)),
                ("skipped_at", models.DateTimeField(editable=False, null=True)),
                ("skipped_by", models.UUIDField(editable=False, null=True)),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True)),
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
                "ordering": ("due_at", "template"),
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "On its way"),
                            ("sent", "Sent"),
                            ("refused", "Refused by the mail server"),
                            ("given_up", "Given up"),
                            ("unsure", "May have left"),
                        ],
                        default="waiting",
                        max_length=20,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField(help_text="When it is tried (again).")),
                ("claimed_until", models.DateTimeField(editable=False, null=True)),
                ("sent_at", models.DateTimeField(editable=False, null=True)),
                (
                    "problem",
                    models.CharField(
                        blank=True, help_text="What the mail server said, without addresses.", max_length=200
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
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
                    "mailing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="comms.mailing"
                    ),
                ),
            ],
            options={
                "ordering": ("mailing", "id"),
            },
        ),
        migrations.CreateModel(
            name="Preference",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("essential_only_since", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
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
        migrations.CreateModel(
            name="StatusUpdate",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("info", "News"), ("incident", "Incident"), ("resolved", "Resolved")], max_length=20
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("text", models.TextField()),
                ("written_at", models.DateTimeField(editable=False)),
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
                    "written_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-written_at",),
            },
        ),
        migrations.CreateModel(
            name="BannerDismissal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("banner", models.CharField(max_length=100)),
                ("dismissed_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
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
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "person", "banner"), name="comms_bannerdismissal_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["tenant", "-opened_at"], name="comms_case_newest"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="comms_case_clock"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("escalates_at__isnull", False)),
                fields=["escalates_at"],
                name="comms_case_escalates",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["new", "in_progress", "waiting", "resolved", "closed"])),
                name="comms_case_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("severity__in", ["1", "2", "3", "4"])), name="comms_case_severity"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paused_at__isnull", False), ("state", "waiting")),
                    models.Q(models.Q(("state", "waiting"), _negated=True), ("paused_at", None)),
                    _connector="OR",
                ),
                name="comms_case_clock_stands_while_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("due_at__isnull", False), ("state__in", ("new", "in_progress"))),
                    models.Q(models.Q(("state__in", ("new", "in_progress")), _negated=True), ("due_at", None)),
                    _connector="OR",
                ),
                name="comms_case_clock_runs_while_ours",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolved_at__isnull", False), ("state__in", ("resolved", "closed"))),
                    models.Q(models.Q(("state__in", ("resolved", "closed")), _negated=True), ("resolved_at", None)),
                    _connector="OR",
                ),
                name="comms_case_resolved_when",
            ),
        ),
        migrations.AddIndex(
            model_name="caseentry",
            index=models.Index(fields=["case", "written_at"], name="comms_caseentry_in_order"),
        ),
        migrations.AddIndex(
            model_name="mailing",
            index=models.Index(condition=models.Q(("state", "planned")), fields=["due_at"], name="comms_mailing_due"),
        ),
        migrations.AddIndex(
            model_name="mailing",
            index=models.Index(fields=["tenant", "-due_at"], name="comms_mailing_newest"),
        ),
        migrations.AddConstraint(
            model_name="mailing",
            constraint=models.UniqueConstraint(
                fields=("tenant", "template", "occasion", "audience"), name="comms_mailing_once_per_occasion"
            ),
        ),
        migrations.AddConstraint(
            model_name="mailing",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["planned", "issued", "skipped", "withdrawn"])),
                name="comms_mailing_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="mailing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("issued_at__isnull", False),
                        ("state", "issued"),
                        models.Q(("subject", ""), _negated=True),
                        models.Q(("text", ""), _negated=True),
                    ),
                    models.Q(models.Q(("state", "issued"), _negated=True), ("issued_at", None)),
                    _connector="OR",
                ),
                name="comms_mailing_issued_with_its_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="mailing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("skipped_at", None), ("skipped_by", None)),
                    models.Q(("skipped_at__isnull", False), ("skipped_by__isnull", False)),
                    _connector="OR",
                ),
                name="comms_mailing_skipped_pair",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["next_at"], name="comms_delivery_due"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "sending")), fields=["claimed_until"], name="comms_delivery_claimed"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("tenant", "mailing", "person"), name="comms_delivery_once_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "sending", "sent", "refused", "given_up", "unsure"])),
                name="comms_delivery_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", False), ("state", "sent")),
                    models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at", None)),
                    _connector="OR",
                ),
                name="comms_delivery_sent_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("claimed_until__isnull", False), ("state", "sending")),
                    models.Q(models.Q(("state", "sending"), _negated=True), ("claimed_until", None)),
                    _connector="OR",
                ),
                name="comms_delivery_claimed_while_sending",
            ),
        ),
        migrations.AddConstraint(
            model_name="preference",
            constraint=models.UniqueConstraint(fields=("tenant", "person"), name="comms_preference_once"),
        ),
        migrations.AddIndex(
            model_name="statusupdate",
            index=models.Index(fields=["tenant", "-written_at"], name="comms_statusupdate_newest"),
        ),
        TenantTable("comms_mailing"),
        TenantTable("comms_delivery", references={"mailing_id": "comms_mailing"}),
        TenantTable("comms_preference"),
        TenantTable("comms_case"),
        TenantTable("comms_caseentry", references={"case_id": "comms_case"}, grants="SELECT, INSERT"),
        TenantTable("comms_statusupdate", grants="SELECT, INSERT"),
        TenantTable("comms_bannerdismissal"),
    ]
