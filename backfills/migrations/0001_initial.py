"""Runs with their conservation ledger, batches and dead letters."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable

CONSERVED = """
-- Conservation: a run counts as accounted for only while its outcomes add up to its source rows. Judged at the commit,
-- in the tenant's own scope: who cannot see the totals cannot balance them.
CREATE FUNCTION backfills_conserved() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    asked uuid;
    promised bigint;
    counted bigint;
BEGIN
    IF TG_TABLE_NAME = 'backfills_run' THEN
        asked := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        asked := OLD.run_id;
    ELSE
        asked := NEW.run_id;
    END IF;
    SELECT source_total INTO promised FROM backfills_run WHERE id = asked AND state IN ('succeeded', 'stopped');
    IF FOUND THEN
        SELECT coalesce(sum(count), 0) INTO counted FROM backfills_outcometotal WHERE run_id = asked;
        IF counted <> promised THEN
            RAISE EXCEPTION 'not conserved: % source rows, % outcomes', promised, counted
                USING ERRCODE = 'check_violation', CONSTRAINT = 'backfills_run_conserved';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER backfills_run_conserved AFTER INSERT OR UPDATE ON backfills_run
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION backfills_conserved();
CREATE CONSTRAINT TRIGGER backfills_total_conserved AFTER INSERT OR UPDATE OR DELETE ON backfills_outcometotal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION backfills_conserved();
"""

UNCONSERVED = """
DROP TRIGGER backfills_run_conserved ON backfills_run;
DROP TRIGGER backfills_total_conserved ON backfills_outcometotal;
DROP FUNCTION backfills_conserved();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Run",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("retrying", "Retrying"),
                            ("succeeded", "Succeeded"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("spec", models.CharField(help_text="Entity, version and digest of the mapping spec.", max_length=120)),
                (
                    "source_total",
                    models.BigIntegerField(blank=True, help_text="Rows in legacy, as last counted.", null=True),
                ),
                ("read", models.BigIntegerField(default=0)),
                ("batches", models.IntegerField(default=0)),
                (
                    "changed",
                    models.BigIntegerField(default=0, help_text="Rows of the new platform that the run wrote."),
                ),
                ("supplemented", models.IntegerField(default=0, help_text="Rows that the mapping itself supplied.")),
                (
                    "retry_after_key",
                    models.TextField(blank=True, help_text="The last rejected row that the retry has judged again."),
                ),
                ("problem", models.TextField(blank=True, help_text="Why it did not succeed; fit for the customer.")),
                ("requested_by", models.UUIDField(blank=True, editable=False, null=True)),
                ("requested_at", models.DateTimeField(editable=False)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                (
                    "moved_at",
                    models.DateTimeField(blank=True, help_text="When its last batch was committed.", null=True),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
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
                "ordering": ("-requested_at", "-id"),
            },
        ),
        migrations.CreateModel(
            name="OutcomeTotal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "fate",
                    models.CharField(
                        choices=[
                            ("migrated", "Migrated"),
                            ("transformed", "Transformed"),
                            ("merged", "Merged"),
                            ("dropped", "Dropped"),
                            ("quarantined", "Quarantined"),
                        ],
                        max_length=20,
                    ),
                ),
                ("rule", models.CharField(blank=True, max_length=80)),
                ("count", models.BigIntegerField()),
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="totals", to="backfills.run"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("entity", models.CharField(max_length=60)),
                ("source_key", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("resolved", "Resolved")], default="open", max_length=20
                    ),
                ),
                ("rule", models.CharField(max_length=80)),
                ("sqlstate", models.CharField(blank=True, max_length=5)),
                ("column", models.CharField(blank=True, max_length=80)),
                ("spec", models.CharField(max_length=120)),
                ("attempts", models.IntegerField(default=1)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("payload", models.BinaryField(blank=True)),
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="dead_letters", to="backfills.run"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.IntegerField()),
                ("first_key", models.TextField()),
                ("last_key", models.TextField()),
                ("rows", models.BigIntegerField()),
                ("changed", models.BigIntegerField()),
                ("committed_at", models.DateTimeField()),
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
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="batch_rows", to="backfills.run"
                    ),
                ),
            ],
            options={
                "ordering": ("number",),
            },
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["tenant", "entity", "-requested_at"], name="backfills_run_latest"),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["queued", "running", "paused", "retrying", "succeeded", "stopped", "failed"])
                ),
                name="backfills_run_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["paused", "queued", "retrying", "running"])),
                fields=("tenant", "entity"),
                name="backfills_run_one_active",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["paused", "queued", "retrying", "running"]),
                    ("finished_at__isnull", False),
                    _connector="OR",
                ),
                name="backfills_run_finished",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["succeeded", "stopped"]), _negated=True),
                    ("source_total__isnull", False),
                    _connector="OR",
                ),
                name="backfills_run_counted",
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["failed", "stopped"]), _negated=True),
                    models.Q(("problem", ""), _negated=True),
                    _connector="OR",
                ),
                name="backfills_run_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="outcometotal",
            constraint=models.UniqueConstraint(fields=("tenant", "run", "fate", "rule"), name="backfills_total_once"),
        ),
        migrations.AddConstraint(
            model_name="outcometotal",
            constraint=models.CheckConstraint(condition=models.Q(("count__gte", 0)), name="backfills_total_count"),
        ),
        migrations.AddConstraint(
            model_name="outcometotal",
            constraint=models.CheckConstraint(
                condition=models.Q(("fate__in", ["migrated", "transformed", "merged", "dropped", "quarantined"])),
                name="backfills_total_fate",
            ),
        ),
        migrations.AddConstraint(
            model_name="outcometotal",
            constraint=models.CheckConstraint(
                condition=models.Q(("fate", "migrated"), models.Q(("rule", ""), _negated=True), _connector="OR"),
                name="backfills_total_names_rule",
            ),
        ),
        migrations.AddIndex(
            model_name="deadletter",
            index=models.Index(fields=["tenant", "entity", "state", "rule"], name="backfills_letter_groups"),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.UniqueConstraint(fields=("tenant", "entity", "source_key"), name="backfills_letter_once"),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.CheckConstraint(
                condition=models.Q(("attempts__gte", 1)), name="backfills_letter_attempts"
            ),
        ),
        migrations.AddConstraint(
            model_name="deadletter",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_at__gte", models.F("first_at"))), name="backfills_letter_times"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.UniqueConstraint(fields=("tenant", "run", "number"), name="backfills_batch_once"),
        ),
        TenantTable("backfills_run"),
        TenantTable("backfills_batch", references={"run_id": "backfills_run"}),
        TenantTable("backfills_outcometotal", references={"run_id": "backfills_run"}),
        TenantTable("backfills_deadletter", references={"run_id": "backfills_run"}),
        migrations.RunSQL(CONSERVED, UNCONSERVED),
    ]
