"""The schemas of the floor and the functions that check a tenancy context."""

from django.db import migrations

ROLES = """
DO $$
DECLARE missing text;
BEGIN
    SELECT string_agg(wanted, ', ') INTO missing
      FROM unnest(ARRAY['crossing_app', 'crossing_staff', 'crossing_audit', 'crossing_lookup']) AS wanted
     WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'The database lacks the roles %', missing
              USING HINT = 'Create them as docs/operations.md shows, then migrate again.';
    END IF;
END $$
"""

SCHEMAS = """
CREATE SCHEMA crossing;
CREATE SCHEMA crossing_private;
REVOKE ALL ON SCHEMA crossing, crossing_private FROM PUBLIC;
GRANT USAGE ON SCHEMA crossing TO crossing_app, crossing_staff, crossing_audit, crossing_lookup;

-- The padded keys of HMAC-SHA-256 (RFC 2104). Nobody but the owner can read this schema.
CREATE TABLE crossing_private.tenancy_key (
    inner_pad bytea PRIMARY KEY CHECK (octet_length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (octet_length(outer_pad) = 64)
)
"""

SIGNED = """
    SELECT {answer}
      FROM (SELECT string_to_array(current_setting('crossing.context', true), '|') AS part OFFSET 0) AS given
     WHERE cardinality(part) = 3 AND part[1] LIKE '{kind}:%'
       AND CASE WHEN part[2] ~ '^[0-9]{{1,12}}$'
                THEN part[2]::bigint >= extract(epoch FROM clock_timestamp()) ELSE false END
       AND EXISTS (
           SELECT FROM crossing_private.tenancy_key
            WHERE encode(sha256(outer_pad || sha256(inner_pad || convert_to(
                      part[1] || '|' || part[2] || '|' || pg_backend_pid(), 'UTF8'))), 'hex') = part[3])
"""
"""The subject of this connection's context, if it is signed for this backend and still holds."""

# Bodies of the SQL standard: names are bound here and now, so that no search path can divert them, and without the
# price of setting one. In plpgsql with a search path each check costs three times as much, on every query.
CONTEXT = f"""
CREATE FUNCTION crossing.ctx_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
RETURN ({SIGNED.format(answer="substr(part[1], 8)::uuid", kind="tenant")});

CREATE FUNCTION crossing.ctx_staff() RETURNS boolean LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
RETURN EXISTS ({SIGNED.format(answer="", kind="staff")});

REVOKE ALL ON FUNCTION crossing.ctx_tenant(), crossing.ctx_staff() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crossing.ctx_tenant(), crossing.ctx_staff()
   TO crossing_app, crossing_staff, crossing_audit, crossing_lookup
"""


class Migration(migrations.Migration):
    """Create what every policy refers to. Owner-side: the keys follow after `migrate` (`core.owner`)."""

    initial = True
    dependencies = ()

    operations = [
        migrations.RunSQL([ROLES], migrations.RunSQL.noop),
        migrations.RunSQL(
            [SCHEMAS, CONTEXT],
            ["DROP SCHEMA crossing CASCADE", "DROP SCHEMA crossing_private CASCADE"],
        ),
    ]
