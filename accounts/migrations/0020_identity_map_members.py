"""The identity map: members of the directory as people to be, batches of a run, names erased once the move is over."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from core.rls import TenantTable

CONSERVED = """
CREATE OR REPLACE FUNCTION accounts_people_conserved() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    people bigint;
    pending bigint;
    seen bigint;
    promised bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE outcome = 'pending'), count(*) FILTER (WHERE {seen})
      INTO people, pending, seen FROM accounts_legacyperson WHERE tenant_id = NEW.tenant_id;
    SELECT coalesce(sum(value::bigint), 0) INTO promised FROM jsonb_each_text(NEW.outcomes);
    IF pending > 0 OR seen <> NEW.legacy_read OR promised <> people THEN
        RAISE EXCEPTION 'not conserved: % people, % pending, % of % read, % outcomes',
            people, pending, seen, NEW.legacy_read, promised
            USING ERRCODE = 'check_violation', CONSTRAINT = 'accounts_maprun_conserved';
    END IF;
    RETURN NULL;
END $$
"""
"""As before, but who was read is who is not gone: a row need not be written again to say that it was."""

ANALYZE = """
CREATE FUNCTION crossing.analyze_people() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    grown regclass;
BEGIN
    FOR grown IN
        SELECT oid FROM pg_class
         WHERE oid IN ('public.accounts_legacyperson'::regclass, 'public.accounts_newperson'::regclass)
           AND pg_relation_size(oid) / current_setting('block_size')::bigint > 2 * relpages
    LOOP
        EXECUTE format('ANALYZE %s', grown);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION crossing.analyze_people() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crossing.analyze_people() TO crossing_app, crossing_staff
"""
"""The serving roles own no table, and only an owner may have the planner look at one: at those that have doubled."""

BEGIN_AGAIN = """
ALTER TABLE accounts_maprun NO FORCE ROW LEVEL SECURITY;
UPDATE accounts_maprun SET new_after = '', legacy_after = '', is_new_read = false, is_legacy_read = false,
                           new_read = 0, legacy_read = 0
 WHERE state = 'running';
ALTER TABLE accounts_maprun FORCE ROW LEVEL SECURITY
"""
"""A run on its way has no batches: it reads from the first again."""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0019_company_sign_in_told")]

    operations = [
        migrations.CreateModel(
            name="MapBatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("is_legacy", models.BooleanField()),
                ("ids", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveField(
            model_name="legacyperson",
            name="seen_in",
        ),
        migrations.RemoveField(
            model_name="newperson",
            name="seen_in",
        ),
        migrations.AddField(
            model_name="maprun",
            name="is_members_read",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="maprun",
            name="members_after",
            field=models.TextField(blank=True, help_text="The last member read."),
        ),
        migrations.AddField(
            model_name="maprun",
            name="members_read",
            field=models.PositiveIntegerField(default=0, help_text="Members whom the directory knows."),
        ),
        migrations.AddField(
            model_name="newperson",
            name="is_member",
            field=models.BooleanField(default=False, help_text="A member here; the id is the member's."),
        ),
        migrations.AddField(
            model_name="tenantlink",
            name="erased_at",
            field=models.DateTimeField(help_text="When the names of its people were erased.", null=True),
        ),
        migrations.AddField(
            model_name="tenantlink",
            name="erased_by",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name="legacyperson",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.tenant",
            ),
        ),
        migrations.AlterField(
            model_name="newperson",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="tenantlink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("erased_at", None), ("erased_by", None)),
                    models.Q(("erased_at__isnull", False), ("erased_by__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_tenantlink_erased_pair",
            ),
        ),
        migrations.AddField(
            model_name="mapbatch",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="batches", to="accounts.maprun"
            ),
        ),
        migrations.AddField(
            model_name="mapbatch",
            name="tenant",
            field=models.ForeignKey(
                editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant"
            ),
        ),
        TenantTable("accounts_mapbatch", references={"run_id": "accounts_maprun"}),
        migrations.RunSQL([(CONSERVED.format(seen="gone_at IS NULL"), None)], migrations.RunSQL.noop),
        migrations.RunSQL([(ANALYZE, None)], "DROP FUNCTION crossing.analyze_people()"),
        migrations.RunSQL([(BEGIN_AGAIN, None)], migrations.RunSQL.noop),
    ]
