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

CONTEXT = """
-- The subject of this connection's context, or NULL unless it is signed for this backend and still holds.
CREATE FUNCTION crossing_private.ctx_subject() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text[] := string_to_array(current_setting('crossing.context', true), '|');
    message bytea;
BEGIN
    IF part IS NULL OR cardinality(part) <> 3 OR part[2] !~ '^[0-9]{1,12}$'
       OR part[2]::bigint < extract(epoch FROM clock_timestamp()) THEN
        RETURN NULL;
    END IF;
    message := convert_to(part[1] || '|' || part[2] || '|' || pg_backend_pid(), 'UTF8');
    IF EXISTS (
        SELECT FROM crossing_private.tenancy_key
         WHERE encode(sha256(outer_pad || sha256(inner_pad || message)), 'hex') = part[3]
    ) THEN
        RETURN part[1];
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION crossing.ctx_tenant() RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE subject text := crossing_private.ctx_subject();
BEGIN
    IF subject LIKE 'tenant:%' THEN
        RETURN substr(subject, 8)::uuid;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION crossing.ctx_staff() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(crossing_private.ctx_subject() LIKE 'staff:%', false);
END $$;

REVOKE ALL ON FUNCTION crossing_private.ctx_subject(), crossing.ctx_tenant(), crossing.ctx_staff() FROM PUBLIC;
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
