"""What the owner of the database does after `migrate`: grants on packages' tables, and the tenancy keys."""

from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from core import rls, tenancy


def finish_migration(*, using: str = "default", **_: Any) -> None:
    """Grant the packages' tables to the app and staff roles and bring the keys up to date.

    Does nothing for any role but the owner. Safe to repeat. A package's table that nobody listed in
    `rls.THIRD_PARTY_TABLES` gets no grant, so it fails at its first use and in the catalogue test.
    """
    connection = connections[using]
    if not _owns_the_floor(connection):
        return
    with transaction.atomic(using=using):
        _grant_third_party(connection)
        _install_keys(connection)


def _owns_the_floor(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'crossing_private'")
        row = cursor.fetchone()
    return bool(row and row[0])


def _grant_third_party(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        present = {row[0] for row in cursor.fetchall()}
        for table, reason in rls.THIRD_PARTY_TABLES.items():
            if table not in present:
                continue
            grants = "SELECT" if table in rls.READ_ONLY else rls.EVERYTHING
            cursor.execute(rls.comment(table, reason))
            for statement in rls.grant(table, app=grants, staff=grants):
                cursor.execute(statement)


def _install_keys(connection: BaseDatabaseWrapper) -> None:
    wanted = [tenancy.pads(key) for key in tenancy.signing_keys()]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM crossing_private.tenancy_key")
        cursor.executemany(
            "INSERT INTO crossing_private.tenancy_key (inner_pad, outer_pad) VALUES (%s, %s)",
            wanted,
        )
