-- What Crossing's two roles may do in the demo platforms; also run in each pair of test databases.
-- Needs psql variables legacy_database and new_database, and a connection as superuser or demo_owner.

\if :{?legacy_database}
\else
    \set legacy_database legacy
\endif
\if :{?new_database}
\else
    \set new_database newplatform
\endif

\connect :legacy_database
SET ROLE demo_owner;
GRANT USAGE ON SCHEMA public TO legacy_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO legacy_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE demo_owner IN SCHEMA public GRANT SELECT ON TABLES TO legacy_reader;

\connect :new_database
SET ROLE demo_owner;
-- Rows are inspected in temporary tables before they move.
REVOKE ALL ON DATABASE :"new_database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"new_database" TO new_loader;
GRANT USAGE ON SCHEMA public TO new_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO new_loader;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO new_loader;
ALTER DEFAULT PRIVILEGES FOR ROLE demo_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO new_loader;
ALTER DEFAULT PRIVILEGES FOR ROLE demo_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO new_loader;
RESET ROLE;
CREATE SCHEMA IF NOT EXISTS crossing_stage AUTHORIZATION new_loader;
