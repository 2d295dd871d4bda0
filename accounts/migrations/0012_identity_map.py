"""The identity map: the people of both platforms, decisions about them, checkpoints of the tenant link."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable

ONE_NEW = """
ALTER TABLE accounts_legacyperson ADD CONSTRAINT accounts_legacyperson_one_new
    EXCLUDE USING btree (tenant_id WITH =, new_id WITH =) WHERE (outcome = 'mapped') DEFERRABLE INITIALLY DEFERRED
"""
"""Nobody of the new platform is two people of legacy. Deferred: one statement may hand somebody on to another."""

CONSERVED = """
-- Conservation: a mapping of people is done only while everybody it read, and nobody else that is there, has exactly one
-- outcome. Judged at the commit, in the tenant's own scope: who cannot see the people cannot balance them.
CREATE FUNCTION accounts_people_conserved() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    people bigint;
    pending bigint;
    seen bigint;
    promised bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE outcome = 'pending'), count(*) FILTER (WHERE seen_in = NEW.id)
      INTO people, pending, seen FROM accounts_legacyperson WHERE tenant_id = NEW.tenant_id;
    SELECT coalesce(sum(value::bigint), 0) INTO promised FROM jsonb_each_text(NEW.outcomes);
    IF pending > 0 OR seen <> NEW.legacy_read OR promised <> people THEN
        RAISE EXCEPTION 'not conserved: % people, % pending, % of % read, % outcomes',
            people, pending, seen, NEW.legacy_read, promised
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_maprun_conserved';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER accounts_maprun_conserved AFTER INSERT OR UPDATE ON accounts_maprun
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION accounts_people_conserved();
"""

UNCONSERVED = """
DROP TRIGGER accounts_maprun_conserved ON accounts_maprun;
DROP FUNCTION accounts_people_conserved();
"""

_PEOPLE = {
    "new_id": "accounts_newperson",
    "person_id": "accounts_legacyperson",
    "decision_id": "accounts_persondecision",
}


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_fresh_proof"),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkCheckpoint",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("people", models.PositiveIntegerField()),
                ("outcomes", models.JSONField(default=dict)),
                ("taken_at", models.DateTimeField()),
                ("taken_by", models.UUIDField()),
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
                "ordering": ("-number",),
            },
        ),
        migrations.CreateModel(
            name="MapRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.UUIDField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("new_after", models.TextField(blank=True, help_text="The last person read of the new platform.")),
                ("legacy_after", models.TextField(blank=True, help_text="The last person read of legacy.")),
                ("is_new_read", models.BooleanField(default=False)),
                ("is_legacy_read", models.BooleanField(default=False)),
                ("new_read", models.PositiveIntegerField(default=0)),
                ("legacy_read", models.PositiveIntegerField(default=0)),
                ("outcomes", models.JSONField(default=dict, help_text="How many people ended where; adds up to all.")),
                ("problem", models.CharField(blank=True, max_length=500)),
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
                "verbose_name": "mapping of people",
                "verbose_name_plural": "mappings of people",
                "ordering": ("-requested_at",),
            },
        ),
        migrations.CreateModel(
            name="NewPerson",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(help_text="The platform's own, never given to another.", max_length=255)),
                ("external_id", models.CharField(blank=True, max_length=320)),
                ("user_name", models.CharField(blank=True, help_text="In lower case.", max_length=320)),
                (
                    "email",
                    models.CharField(
                        blank=True,
                        help_text="In lower case, as DNS sees it.",
                        max_length=320,
                        verbose_name="e-mail address",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=200)),
                ("role", models.CharField(blank=True, max_length=100)),
                ("is_owner", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("seen_in", models.UUIDField(help_text="The run that read them last.")),
                ("gone_at", models.DateTimeField(null=True)),
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
                "verbose_name": "person of the new platform",
                "verbose_name_plural": "people of the new platform",
            },
        ),
        migrations.CreateModel(
            name="LegacyPerson",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(help_text="The platform's own, never given to another.", max_length=255)),
                ("external_id", models.CharField(blank=True, max_length=320)),
                ("user_name", models.CharField(blank=True, help_text="In lower case.", max_length=320)),
                (
                    "email",
                    models.CharField(
                        blank=True,
                        help_text="In lower case, as DNS sees it.",
                        max_length=320,
                        verbose_name="e-mail address",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=200)),
                ("role", models.CharField(blank=True, max_length=100)),
                ("is_owner", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("seen_in", models.UUIDField(help_text="The run that read them last.")),
                ("gone_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("pending", "Not judged yet"),
                            ("conflict", "Conflict"),
                            ("proposed", "To confirm"),
                            ("mapped", "Mapped"),
                            ("merged", "Merged"),
                            ("split", "Split"),
                            ("placeholder", "Placeholder"),
                            ("dropped", "Left behind"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "–"),
                            ("external_id", "The same external id on both platforms"),
                            ("user_name", "The same user name on both platforms"),
                            ("address", "The same e-mail address, at a domain you have proven"),
                            ("nobody", "Nobody like them on the new platform yet"),
                            (
                                "domain_not_proven",
                                "The same e-mail address as somebody, but at a domain that you have not proven",
                            ),
                            ("external_id_twice", "Several people of legacy have one external id"),
                            ("user_name_twice", "Several people of legacy have one user name"),
                            ("new_twice", "Several people of the new platform have the same id or user name"),
                            ("address_twice", "The e-mail address belongs to several people"),
                            (
                                "keys_disagree",
                                "External id and user name name two different people of the new platform",
                            ),
                            ("taken", "Somebody else of legacy is mapped to this person already"),
                            ("inactive", "Switched off in legacy"),
                            ("gone", "No longer in legacy"),
                            ("decided", "Decided by people"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="same",
                        to="accounts.legacyperson",
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
                    "new",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legacy",
                        to="accounts.newperson",
                    ),
                ),
            ],
            options={
                "verbose_name": "person of legacy",
                "verbose_name_plural": "people of legacy",
            },
        ),
        migrations.CreateModel(
            name="PersonDecision",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accept", "Confirm the proposal"),
                            ("map", "Map to somebody chosen"),
                            ("apart", "Nobody there yet"),
                            ("merge", "Merge with another of legacy"),
                            ("split", "Several people used it"),
                            ("drop", "Leave behind"),
                            ("bulk", "Many people, by a file"),
                            ("restore", "Restore a checkpoint"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for a second person"),
                            ("standing", "Stands"),
                            ("declined", "Declined"),
                            ("undone", "Undone"),
                        ],
                        max_length=10,
                    ),
                ),
                ("people", models.PositiveIntegerField(help_text="How many it changes.")),
                ("reason", models.CharField(max_length=300)),
                ("evidence", models.JSONField(default=dict, help_text="What spoke for it when it was asked for.")),
                (
                    "second_person",
                    models.CharField(blank=True, help_text="Why somebody else has to agree.", max_length=100),
                ),
                ("is_about_owner", models.BooleanField(default=False)),
                ("decided_at", models.DateTimeField()),
                ("decided_by", models.UUIDField()),
                ("agreed_at", models.DateTimeField(null=True)),
                ("agreed_by", models.UUIDField(null=True)),
                ("declined_at", models.DateTimeField(null=True)),
                ("declined_by", models.UUIDField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.UUIDField(null=True)),
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
                "verbose_name": "decision about people",
                "verbose_name_plural": "decisions about people",
                "ordering": ("-decided_at",),
            },
        ),
        migrations.CreateModel(
            name="PersonChange",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("before_outcome", models.CharField(max_length=12)),
                ("before_rule", models.CharField(blank=True, max_length=20)),
                ("after_outcome", models.CharField(max_length=12)),
                ("after_rule", models.CharField(blank=True, max_length=20)),
                (
                    "after_new",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.newperson",
                    ),
                ),
                (
                    "after_person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.legacyperson",
                    ),
                ),
                (
                    "before_new",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.newperson",
                    ),
                ),
                (
                    "before_person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.legacyperson",
                    ),
                ),
                (
                    "legacy",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="accounts.legacyperson",
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
                    "before_decision",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.persondecision",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="accounts.persondecision",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="legacyperson",
            name="decision",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="standing",
                to="accounts.persondecision",
            ),
        ),
        migrations.CreateModel(
            name="CheckpointPerson",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("outcome", models.CharField(max_length=12)),
                ("rule", models.CharField(blank=True, max_length=20)),
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
                    "legacy",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.legacyperson",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.legacyperson",
                    ),
                ),
                (
                    "checkpoint",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="accounts.linkcheckpoint",
                    ),
                ),
                (
                    "new",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.newperson",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.persondecision",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PersonPart",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("guid", models.UUIDField(help_text="Their canonical id.")),
                (
                    "decision",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="accounts.persondecision",
                    ),
                ),
                (
                    "legacy",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="accounts.legacyperson",
                    ),
                ),
                (
                    "new",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
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
            ],
        ),
        migrations.CreateModel(
            name="TenantLink",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "legacy_ref",
                    models.CharField(
                        help_text="What legacy calls the customer.", max_length=100, verbose_name="legacy key"
                    ),
                ),
                (
                    "account_id",
                    models.UUIDField(help_text="What the new platform calls the customer.", verbose_name="new account"),
                ),
                ("linked_at", models.DateTimeField()),
                ("linked_by", models.UUIDField()),
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
            model_name="linkcheckpoint",
            constraint=models.UniqueConstraint(fields=("tenant", "number"), name="accounts_linkcheckpoint_number"),
        ),
        migrations.AddConstraint(
            model_name="linkcheckpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="accounts_linkcheckpoint_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="maprun",
            index=models.Index(fields=["tenant", "-requested_at"], name="accounts_maprun_latest"),
        ),
        migrations.AddConstraint(
            model_name="maprun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("tenant",), name="accounts_maprun_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="maprun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at", None), ("state", "running")),
                    models.Q(models.Q(("state", "running"), _negated=True), ("finished_at__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_maprun_finished",
            ),
        ),
        migrations.AddConstraint(
            model_name="newperson",
            constraint=models.UniqueConstraint(fields=("tenant", "key"), name="accounts_newperson_once"),
        ),
        migrations.AddIndex(
            model_name="persondecision",
            index=models.Index(fields=["tenant", "-decided_at"], name="accounts_persondecision_latest"),
        ),
        migrations.AddConstraint(
            model_name="persondecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("agreed_by", None), models.Q(("agreed_by", models.F("decided_by")), _negated=True), _connector="OR"
                ),
                name="accounts_persondecision_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="persondecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_person", ""),
                    ("agreed_at__isnull", False),
                    ("state__in", ["waiting", "declined"]),
                    _connector="OR",
                ),
                name="accounts_persondecision_agreed",
            ),
        ),
        migrations.AddConstraint(
            model_name="persondecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agreed_at", None), ("agreed_by", None)),
                    models.Q(("agreed_at__isnull", False), ("agreed_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_persondecision_agreed_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="persondecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "declined"), ("declined_at__isnull", False), ("declined_by__isnull", False)),
                    models.Q(
                        models.Q(("state", "declined"), _negated=True), ("declined_at", None), ("declined_by", None)
                    ),
                    _connector="OR",
                ),
                name="accounts_persondecision_declined_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="persondecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "undone"), ("undone_at__isnull", False), ("undone_by__isnull", False)),
                    models.Q(models.Q(("state", "undone"), _negated=True), ("undone_at", None), ("undone_by", None)),
                    _connector="OR",
                ),
                name="accounts_persondecision_undone_pair",
            ),
        ),
        migrations.AddConstraint(
            model_name="persondecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="accounts_persondecision_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="personchange",
            index=models.Index(fields=["legacy"], name="accounts_personchange_person"),
        ),
        migrations.AddConstraint(
            model_name="personchange",
            constraint=models.UniqueConstraint(
                fields=("tenant", "decision", "legacy"), name="accounts_personchange_once"
            ),
        ),
        migrations.AddIndex(
            model_name="legacyperson",
            index=models.Index(fields=["tenant", "outcome", "key"], name="accounts_legacyperson_list"),
        ),
        migrations.AddIndex(
            model_name="legacyperson",
            index=models.Index(
                condition=models.Q(("outcome", "merged")), fields=["person"], name="accounts_legacyperson_same"
            ),
        ),
        migrations.AddConstraint(
            model_name="legacyperson",
            constraint=models.UniqueConstraint(fields=("tenant", "key"), name="accounts_legacyperson_once"),
        ),
        migrations.AddConstraint(
            model_name="legacyperson",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        ["pending", "conflict", "proposed", "mapped", "merged", "split", "placeholder", "dropped"],
                    )
                ),
                name="accounts_legacyperson_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="legacyperson",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome__in", ["mapped", "proposed"]), _negated=True),
                    ("new__isnull", False),
                    _connector="OR",
                ),
                name="accounts_legacyperson_mapped_to",
            ),
        ),
        migrations.AddConstraint(
            model_name="legacyperson",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "merged"), models.Q(("person", models.F("id")), _negated=True)),
                    models.Q(models.Q(("outcome", "merged"), _negated=True), ("person", models.F("id"))),
                    _connector="OR",
                ),
                name="accounts_legacyperson_merged_into",
            ),
        ),
        migrations.AddConstraint(
            model_name="legacyperson",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome__in", ["merged", "split"]), _negated=True),
                    ("decision__isnull", False),
                    _connector="OR",
                ),
                name="accounts_legacyperson_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpointperson",
            constraint=models.UniqueConstraint(
                fields=("tenant", "checkpoint", "legacy"), name="accounts_checkpointperson_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="personpart",
            constraint=models.UniqueConstraint(
                fields=("tenant", "decision", "legacy", "guid"), name="accounts_personpart_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenantlink",
            constraint=models.UniqueConstraint(fields=("tenant",), name="accounts_tenantlink_one"),
        ),
        TenantTable("accounts_tenantlink"),
        TenantTable("accounts_maprun"),
        TenantTable("accounts_newperson"),
        TenantTable("accounts_persondecision"),
        TenantTable("accounts_legacyperson", references=_PEOPLE),
        TenantTable(
            "accounts_personchange",
            references={
                "decision_id": "accounts_persondecision",
                "legacy_id": "accounts_legacyperson",
                "before_new_id": "accounts_newperson",
                "before_person_id": "accounts_legacyperson",
                "before_decision_id": "accounts_persondecision",
                "after_new_id": "accounts_newperson",
                "after_person_id": "accounts_legacyperson",
            },
        ),
        TenantTable(
            "accounts_personpart",
            references={
                "decision_id": "accounts_persondecision",
                "legacy_id": "accounts_legacyperson",
                "new_id": "accounts_newperson",
            },
        ),
        TenantTable("accounts_linkcheckpoint"),
        TenantTable(
            "accounts_checkpointperson",
            references={"checkpoint_id": "accounts_linkcheckpoint", "legacy_id": "accounts_legacyperson", **_PEOPLE},
        ),
        migrations.RunSQL([(ONE_NEW, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(CONSERVED, None)], UNCONSERVED),
    ]
