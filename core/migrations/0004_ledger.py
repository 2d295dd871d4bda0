"""The ledger: entries, the heads of their chains, checkpoints, and the personal data beside them."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from core.rls import (
    APP,
    AUDIT,
    OF_ONE_TENANT,
    AppendOnlyTable,
    TenantTable,
    give_to_audit,
    grant,
    policies,
)

FUNCTIONS = """
GRANT CREATE ON SCHEMA crossing TO crossing_audit;
SET LOCAL ROLE crossing_audit;

CREATE FUNCTION crossing.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'The ledger only grows: % of % is refused', tg_op, tg_table_name
          USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION crossing.ledger_genesis(chain uuid) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(convert_to('crossing-ledger-v1|' || chain, 'UTF8'))
$$;

-- Puts an entry in line. Whoever inserts gives the body alone: the columns cannot say anything else than it does.
CREATE FUNCTION crossing.ledger_append() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE body json;
BEGIN
    IF NEW.body IS NULL OR NEW.body IS NOT JSON OBJECT WITH UNIQUE KEYS THEN
        RAISE EXCEPTION 'A ledger entry is a JSON object' USING ERRCODE = 'check_violation';
    END IF;
    body := NEW.body::json;
    NEW.id := (body->>'id')::uuid;
    NEW.chain := (body->>'chain')::uuid;
    NEW.event := body->>'event';
    NEW.at := (body->>'at')::timestamptz;
    NEW.actor_kind := body->'actor'->>'kind';
    NEW.actor_id := (body->'actor'->>'id')::uuid;
    NEW.subject_type := body->'subject'->>'type';
    NEW.subject_id := body->'subject'->>'id';
    NEW.data := (body->'data')::jsonb;
    INSERT INTO public.core_ledger_head (id, seq, hash)
    VALUES (NEW.chain, 0, crossing.ledger_genesis(NEW.chain)) ON CONFLICT DO NOTHING;
    SELECT h.seq + 1, h.hash INTO NEW.seq, NEW.prev
      FROM public.core_ledger_head h WHERE h.id = NEW.chain FOR UPDATE;
    NEW.hash := sha256(NEW.prev || convert_to(NEW.body, 'UTF8'));
    UPDATE public.core_ledger_head SET seq = NEW.seq, hash = NEW.hash WHERE id = NEW.chain;
    RETURN NEW;
END $$;

-- Puts a checkpoint in line, and only over the chain's true head. The signature is checked by whoever verifies.
CREATE FUNCTION crossing.ledger_seal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    body json := NEW.body::json;
    head record;
    last record;
BEGIN
    NEW.id := gen_random_uuid();
    NEW.chain := (body->>'chain')::uuid;
    NEW.number := (body->>'number')::bigint;
    NEW.seq := (body->>'seq')::bigint;
    NEW.at := (body->>'at')::timestamptz;
    NEW.hash := sha256(convert_to(NEW.body, 'UTF8'));
    SELECT h.seq, encode(h.hash, 'hex') AS hash INTO head
      FROM public.core_ledger_head h WHERE h.id = NEW.chain FOR UPDATE;
    SELECT c.number, encode(c.hash, 'hex') AS hash INTO last
      FROM public.core_ledger_checkpoint c WHERE c.chain = NEW.chain ORDER BY c.number DESC LIMIT 1;
    IF head.seq IS DISTINCT FROM NEW.seq OR head.hash IS DISTINCT FROM body->>'head'
       OR NEW.number IS DISTINCT FROM coalesce(last.number, 0) + 1
       OR body->>'prev' IS DISTINCT FROM coalesce(last.hash, encode(crossing.ledger_genesis(NEW.chain), 'hex')) THEN
        RAISE EXCEPTION 'The checkpoint does not continue the chain' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- Locks a chain and tells its head, to whoever may see the chain.
CREATE FUNCTION crossing.ledger_head(chain uuid) RETURNS TABLE (seq bigint, hash bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF $1 = crossing.ctx_tenant() OR crossing.ctx_staff() THEN
        RETURN QUERY SELECT h.seq, h.hash FROM public.core_ledger_head h WHERE h.id = $1 FOR UPDATE;
    END IF;
END $$;

REVOKE ALL ON FUNCTION crossing.refuse_change(), crossing.ledger_genesis(uuid), crossing.ledger_append(),
                       crossing.ledger_seal(), crossing.ledger_head(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crossing.ledger_head(uuid) TO crossing_app, crossing_staff;
RESET ROLE;
REVOKE CREATE ON SCHEMA crossing FROM crossing_audit
"""

HEADS = [
    *policies("core_ledger_head", OF_ONE_TENANT.format(column="id")),
    f"CREATE POLICY audit ON core_ledger_head TO {AUDIT} USING (true) WITH CHECK (true)",
    *grant("core_ledger_head", app="", staff="SELECT"),
    *give_to_audit("core_ledger_head"),
]
"""The triggers alone move a head; staff reads which chains have grown."""

PROGRAMME_CHAIN = f"""
CREATE POLICY programme ON core_ledger_entry FOR INSERT TO {APP}
  WITH CHECK (chain = '00000000-0000-0000-0000-000000000000')
"""
"""Anyone may add to the programme's chain, such as that somebody signed in; only staff reads it."""


class Migration(migrations.Migration):
    """Create the ledger and hand it to the audit role."""

    dependencies = [
        ("accounts", "0001_initial"),
        ("core", "0003_approvals"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerHead",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        editable=False,
                        help_text="The chain.",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("seq", models.BigIntegerField(editable=False)),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "core_ledger_head",
            },
        ),
        migrations.CreateModel(
            name="LedgerCheckpoint",
            fields=[
                (
                    "id",
                    models.UUIDField(editable=False, primary_key=True, serialize=False),
                ),
                ("chain", models.UUIDField(editable=False)),
                ("number", models.BigIntegerField(editable=False)),
                (
                    "seq",
                    models.BigIntegerField(editable=False, help_text="The last entry it covers."),
                ),
                ("at", models.DateTimeField(editable=False)),
                ("body", models.TextField(editable=False)),
                ("signature", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "core_ledger_checkpoint",
                "ordering": ("chain", "-number"),
                "constraints": [
                    models.UniqueConstraint(fields=("chain", "number"), name="core_ledger_checkpoint_place")
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(editable=False, primary_key=True, serialize=False),
                ),
                (
                    "chain",
                    models.UUIDField(
                        editable=False,
                        help_text="The tenant's id, or the nil UUID for the programme.",
                    ),
                ),
                ("seq", models.BigIntegerField(editable=False)),
                ("event", models.TextField(editable=False)),
                ("at", models.DateTimeField(editable=False)),
                ("actor_kind", models.TextField(editable=False)),
                ("actor_id", models.UUIDField(editable=False, null=True)),
                ("subject_type", models.TextField(editable=False)),
                ("subject_id", models.TextField(editable=False)),
                ("data", models.JSONField(editable=False)),
                ("body", models.TextField(editable=False)),
                ("prev", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "verbose_name_plural": "ledger entries",
                "db_table": "core_ledger_entry",
                "ordering": ("chain", "-seq"),
                "constraints": [models.UniqueConstraint(fields=("chain", "seq"), name="core_ledger_entry_place")],
            },
        ),
        migrations.CreateModel(
            name="LedgerDatum",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("entry_id", models.UUIDField(editable=False)),
                ("name", models.CharField(editable=False, max_length=100)),
                ("salt", models.BinaryField()),
                ("value", models.TextField(editable=False)),
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
                "verbose_name_plural": "ledger data",
                "db_table": "core_ledger_datum",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "entry_id", "name"),
                        name="core_ledger_datum_once",
                    )
                ],
            },
        ),
        migrations.RunSQL([FUNCTIONS], migrations.RunSQL.noop),
        migrations.RunSQL([PROGRAMME_CHAIN, *HEADS]),
        AppendOnlyTable("core_ledger_entry", column="chain", insert=["body"], append="ledger_append"),
        AppendOnlyTable(
            "core_ledger_checkpoint",
            column="chain",
            insert=["body", "signature"],
            append="ledger_seal",
        ),
        TenantTable("core_ledger_datum", grants="SELECT, INSERT, DELETE"),
    ]
