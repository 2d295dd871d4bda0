-- The roles and the database of Crossing. Idempotent: run it again to repair attributes, or to change a password.
-- The demo and the tests run this very file; production runs it as a superuser with the client `psql`:
--
--   export CROSSING_OWNER_PASSWORD=… CROSSING_APP_PASSWORD=… CROSSING_BACKUP_PASSWORD=…
--   psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=postgres --file=portal/house/roles.sql
--
--   crossing_owner   LOGIN    owns the schema, runs migrations; never serves a request
--   crossing_app     LOGIN    serves; owns nothing, sees the rows of the signed tenant context only
--   crossing_staff   NOLOGIN  entered from crossing_app by SET ROLE, for a named and audited reason
--   crossing_audit   NOLOGIN  owns the ledger, so that nobody who logs in can disable its triggers
--   crossing_lookup  NOLOGIN  owns the narrow SECURITY DEFINER look-ups made before the tenant is known
--   crossing_backup  LOGIN    reads everything and streams the WAL; the only role that bypasses row-level security

\getenv owner_password CROSSING_OWNER_PASSWORD
\getenv app_password CROSSING_APP_PASSWORD
\getenv backup_password CROSSING_BACKUP_PASSWORD

-- Passwords must not end in the server's log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET password_encryption = 'scram-sha-256';
SET client_min_messages = 'warning';

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['crossing_owner', 'crossing_app', 'crossing_staff', 'crossing_audit', 'crossing_lookup',
                  'crossing_backup']) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE crossing_owner WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';
ALTER ROLE crossing_app WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'app_password';
ALTER ROLE crossing_staff WITH NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE crossing_audit WITH NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE crossing_lookup WITH NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE crossing_backup WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION BYPASSRLS PASSWORD :'backup_password';

-- The app role may become staff, but has none of its rights until it says so.
GRANT crossing_staff TO crossing_app WITH INHERIT FALSE, SET TRUE, ADMIN FALSE;
-- Migrations create what these two own, and have none of their rights otherwise.
GRANT crossing_audit TO crossing_owner WITH INHERIT FALSE, SET TRUE, ADMIN FALSE;
GRANT crossing_lookup TO crossing_owner WITH INHERIT FALSE, SET TRUE, ADMIN FALSE;
GRANT pg_read_all_data TO crossing_backup;

-- A forgotten transaction must not hold the ledger's head.
ALTER ROLE crossing_app SET idle_in_transaction_session_timeout = '2min';
ALTER ROLE crossing_app SET timezone = 'UTC';
ALTER ROLE crossing_owner SET timezone = 'UTC';

SELECT 'CREATE DATABASE crossing OWNER crossing_owner TEMPLATE template0 ENCODING ''UTF8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'crossing') \gexec
ALTER DATABASE crossing OWNER TO crossing_owner;
REVOKE ALL ON DATABASE crossing FROM PUBLIC;
GRANT CONNECT ON DATABASE crossing TO crossing_app, crossing_backup;
