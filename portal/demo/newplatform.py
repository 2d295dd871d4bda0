"""Gives the demo's new platform its clean schema; Crossing's runs fill it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

DDL = Path(__file__).with_name("newplatform.sql")


def create(url: str) -> None:
    """Create the schema in one transaction, unless it is there already. `url` is the vendor's administrator's."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regnamespace('platform')").fetchone() == (None,):
            connection.execute(DDL.read_bytes())


def forbid(url: str, *, account_id: UUID, policy: str) -> None:
    """Do what an administrator of the customer does on the new platform: forbid something to their organisation."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO platform.policy VALUES (%s, %s, false) ON CONFLICT DO NOTHING", [account_id, policy]
        )


def export(url: str, *, table: str, tenant: str, account_id: UUID) -> Iterator[str]:
    """Yield a customer's rows of a table as CSV with a header line; `tenant` is the column that says whose they are."""
    query = sql.SQL("COPY (SELECT * FROM {} WHERE {} = {}) TO STDOUT WITH (FORMAT csv, HEADER)").format(
        sql.Identifier(*table.split(".")), sql.Identifier(tenant), sql.Literal(str(account_id))
    )
    with psycopg.connect(url) as connection, connection.cursor().copy(query) as copy:
        for block in copy:
            yield bytes(block).decode()
