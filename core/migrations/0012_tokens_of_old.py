"""Tokens from before 0010 say through which token they were issued: their entries in the ledger name it.

What a token had issued went over to the one that replaced it, as it does since.
"""

from django.db import migrations

from core.rls import AUDIT

TOLD = """
INSERT INTO token_told
WITH RECURSIVE replaced AS (
    SELECT (e.data->>'replaces')::uuid AS old, u.id AS new, e.seq
      FROM token_unsaid u
      JOIN core_ledger_entry e ON e.chain = u.tenant_id AND e.subject_id = u.id::text AND e.event = 'core.token.rotated'
), through AS (
    SELECT u.id, e.actor_id AS token, e.seq
      FROM token_unsaid u
      JOIN core_ledger_entry e ON e.chain = u.tenant_id AND e.subject_id = u.id::text AND e.actor_kind = 'token'
                              AND e.event IN ('core.token.issued', 'core.token.rotated')
     WHERE u.issued_through IS NULL
    UNION ALL
    SELECT t.id, r.new, r.seq FROM through t JOIN replaced r ON r.old = t.token AND r.seq > t.seq
)
SELECT DISTINCT ON (id) id, token FROM through ORDER BY id, seq DESC
"""

BY_THE_LEDGER = (
    # The owner is no tenant: without this it would find no row.
    "ALTER TABLE core_token NO FORCE ROW LEVEL SECURITY",
    "CREATE TEMPORARY TABLE token_unsaid ON COMMIT DROP AS SELECT id, tenant_id, issued_through FROM core_token",
    "CREATE TEMPORARY TABLE token_told (id uuid, token uuid) ON COMMIT DROP",
    f"GRANT SELECT ON token_unsaid TO {AUDIT}",
    f"GRANT INSERT ON token_told TO {AUDIT}",
    f"SET LOCAL ROLE {AUDIT}",  # who alone may read all of the ledger
    TOLD,
    "RESET ROLE",
    "UPDATE core_token t SET issued_through = told.token FROM token_told told WHERE told.id = t.id",
    "DROP TABLE token_unsaid, token_told",
    "ALTER TABLE core_token FORCE ROW LEVEL SECURITY",
)


class Migration(migrations.Migration):
    dependencies = [("core", "0011_ledger_subjects")]

    operations = [migrations.RunSQL([(statement, None) for statement in BY_THE_LEDGER], migrations.RunSQL.noop)]
