"""Gives the demo's new platform its clean schema; Crossing's runs fill it."""

from pathlib import Path
from uuid import UUID

import psycopg

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
