-- The demo's two platforms, as a vendor would run them, and what the tests need besides. Never run this in production.
--
--   demo_owner     LOGIN  owns the databases `legacy` and `newplatform`: the vendor's own administrator
--   legacy_reader  LOGIN  reads `legacy`: all that Crossing is given there
--   new_loader     LOGIN  writes the target tables of `newplatform` and owns its schema `crossing_stage`

\getenv demo_password CROSSING_DEMO_OWNER_PASSWORD
\getenv reader_password CROSSING_LEGACY_READER_PASSWORD
\getenv loader_password CROSSING_NEW_LOADER_PASSWORD

SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET client_min_messages = 'warning';

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['demo_owner', 'legacy_reader', 'new_loader']) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE demo_owner WITH LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'demo_password';
ALTER ROLE legacy_reader WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'reader_password';
ALTER ROLE new_loader WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'loader_password';
GRANT pg_read_all_stats TO legacy_reader;  -- to see since when transactions are open
ALTER ROLE legacy_reader SET default_transaction_read_only = 'on';

-- Tests clone databases from a template that the owner built, and drop them under sessions that still linger.
ALTER ROLE crossing_owner WITH CREATEDB;
GRANT pg_signal_backend TO crossing_owner, demo_owner;

SELECT format('CREATE DATABASE %I OWNER demo_owner TEMPLATE template0 ENCODING ''UTF8''', name)
FROM unnest(ARRAY['legacy', 'newplatform']) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec

REVOKE ALL ON DATABASE legacy, newplatform FROM PUBLIC;
GRANT CONNECT ON DATABASE legacy TO legacy_reader;

\ir demo_grants.sql
