"""The database: its roles, the row-level security of every table, its migrations, its clock and its backups."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core import tenancy
from core.rls import THIRD_PARTY_TABLES
from portal.doctor import Symptom

OLDEST_SERVER = 160000
"""The first version that can grant membership WITH INHERIT FALSE, SET TRUE."""
RUN_ROLES = "run portal/house/roles.sql as docs/operations.md shows"
FORBIDDEN = {
    "rolsuper": "SUPERUSER",
    "rolbypassrls": "BYPASSRLS",
    "rolcreaterole": "CREATEROLE",
    "rolreplication": "REPLICATION",
}
LOGINS = {"crossing_owner": True, "crossing_app": True, "crossing_staff": False, "crossing_audit": False,
          "crossing_lookup": False}  # fmt: skip
LAXEST_CLOCK = 2.0
"""Seconds by which our clock and the database's may differ: signatures and expiries compare the two."""


def rows(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """Run a query of the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or [])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def server() -> Iterator[Symptom]:
    """The database server."""
    ((version, user, number, now),) = rows(
        "SELECT current_setting('server_version'), current_user, current_setting('server_version_num')::int, "
        "extract(epoch FROM clock_timestamp())::float8"
    )
    old = f"use PostgreSQL 16 or newer; {version} cannot separate the roles" if number < OLDEST_SERVER else ""
    yield Symptom(f"PostgreSQL {version} answers", old)
    wrong = "" if user == "crossing_app" else f"DATABASE_URL must connect as crossing_app, not {user}"
    yield Symptom(f"we are connected as {user}", wrong)
    apart = abs(now - time.time())
    late = f"the clocks differ by {apart:.1f} s: run an NTP client on both machines" if apart > LAXEST_CLOCK else ""
    yield Symptom("our clock and the database's agree", late)


def roles() -> Iterator[Symptom]:
    """The attributes of the database roles."""
    columns = ", ".join(FORBIDDEN)
    found = {row[0]: row[1:] for row in rows(f"SELECT rolname, rolcanlogin, {columns} FROM pg_roles")}  # noqa: S608 - our constants
    for name, logs_in in LOGINS.items():
        if name not in found:
            yield Symptom(f"role {name}", f"it does not exist: {RUN_ROLES}")
            continue
        has, *attributes = found[name]
        excess = [word for word, present in zip(FORBIDDEN.values(), attributes, strict=True) if present]
        excess += ["LOGIN"] if has and not logs_in else []
        yield Symptom(f"role {name} is unprivileged", f"it has {', '.join(excess)}: {RUN_ROLES}" if excess else "")
    owned = rows(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner "
        "WHERE r.rolname IN ('crossing_app', 'crossing_staff') LIMIT 3"
    )
    names = ", ".join(row[0] for row in owned)
    yield Symptom(
        "crossing_app and crossing_staff own nothing", f"they own {names}: give it to its owner" if owned else ""
    )
    inherits = rows(
        "SELECT 1 FROM pg_auth_members m WHERE m.member = 'crossing_app'::regrole "
        "AND (m.roleid <> 'crossing_staff'::regrole OR m.inherit_option OR NOT m.set_option)"
    )
    member = rows("SELECT 1 FROM pg_auth_members WHERE member = 'crossing_app'::regrole")
    fix = RUN_ROLES if inherits or not member else ""
    yield Symptom("crossing_app may become crossing_staff, and inherits nothing", fix)


def row_security() -> Iterator[Symptom]:
    """Row-level security of the tables."""
    open_tables = rows(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped "
        "WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND c.relname <> ALL (%s) "
        "AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1",
        [[*THIRD_PARTY_TABLES]],
    )
    names = ", ".join(row[0] for row in open_tables)
    yield Symptom(
        "row-level security is forced on every table of a tenant",
        f"{names} stand open: migrate, and look for who disabled it" if open_tables else "",
    )
    ((count,),) = rows("SELECT count(*) FROM accounts_tenant")
    yield Symptom("without a context the database shows no tenant", f"it shows {count}: stop serving" if count else "")
    wanted = uuid4()
    with tenancy.scope(tenant_id=wanted):
        ((seen,),) = rows("SELECT crossing.ctx_tenant()")
    yield Symptom(
        "the database accepts contexts signed with TENANCY_KEY",
        "" if seen == wanted else "it does not know the key: run `manage.py migrate`, which installs it",
    )


def migrations() -> Iterator[Symptom]:
    """The migrations."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    named = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in waiting[:3])
    fix = f"{len(waiting)} wait ({named} …): run `manage.py migrate`" if waiting else ""
    yield Symptom("every migration is applied", fix)


def backups() -> Iterator[Symptom]:
    """The backups (production only)."""
    if settings.DEMO or settings.TESTS:
        return
    ((receivers, names),) = rows(
        "SELECT (SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names')"
    )
    yield Symptom(
        "a receiver streams the WAL (RPO of at most 5 minutes)",
        "" if receivers else "none does: start pg_receivewal as docs/operations.md shows",
    )
    yield Symptom(
        "commits wait for the receiver",
        "" if names else "synchronous_standby_names is empty: acknowledged commits can be lost, see docs/operations.md",
    )
