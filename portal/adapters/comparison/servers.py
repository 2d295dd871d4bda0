"""The PostgreSQL databases of both platforms, asked directly: one read-only snapshot of each, both at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg
from psycopg import IsolationLevel

from backfills.domain import source
from core.comparison import Plan
from portal.adapters.comparison import catalogue
from portal.adapters.postgres import connected, translated

SERVER_SETTINGS = {
    # Whatever is cast to text on the server must not depend on how the server is configured.
    "timezone": "UTC",
    "datestyle": "ISO,YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    # Keys and tenants are quoted as text literals: a backslash in one must mean itself there too.
    "standard_conforming_strings": "on",
    "default_transaction_read_only": "on",
}
TIMEOUT = 600
"""Seconds that one statement may take."""


@dataclass(frozen=True, slots=True)
class Server:
    """A platform's server: its version as a number (160004) and the encoding of its database."""

    version: int
    encoding: str


class Database:
    """One platform's database, in one snapshot."""

    def __init__(self, title: str, connection: psycopg.Connection) -> None:
        self.title, self.connection = title, connection

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """Return all rows of a query; an outage is Unavailable, a refusal Rejected."""
        with translated(self.title):
            return self.connection.execute(query.encode()).fetchall()

    def declared(self, table: str) -> dict[str, str]:
        """Return the type of each of a table's columns (`format_type`)."""
        with translated(self.title):
            return catalogue.declared(self.connection, table)

    @property
    def server(self) -> Server:
        """What its server is."""
        encoding = self.connection.info.parameter_status("server_encoding") or ""
        return Server(self.connection.info.server_version, encoding)


@dataclass(frozen=True, slots=True)
class Databases:
    """Both platforms' databases."""

    legacy: Database
    new: Database

    def both[Answer](self, asked: Callable[[Database], Answer]) -> tuple[Answer, Answer]:
        """Ask both at once; where one fails, the other is stopped."""
        with ThreadPoolExecutor(2) as pool:
            waiting = {pool.submit(asked, one): one for one in (self.legacy, self.new)}
            try:
                one, two = (future.result() for future in waiting)
            except BaseException:
                for database in waiting.values():
                    with suppress(psycopg.Error):
                        database.connection.cancel()
                raise
        return one, two


def count(legacy: str, plan: Plan) -> int:
    """Count an entity's rows on the legacy platform."""
    with connected(legacy, platform="legacy", statement_timeout=TIMEOUT) as connection:
        query = f"SELECT count(*) {source.of_tenant(plan.spec, plan.legacy_tenant)}"
        ((rows,),) = connection.execute(query.encode()).fetchall()
    return int(rows)


@contextmanager
def opened(*, legacy: str, new: str) -> Iterator[Databases]:
    """Take a snapshot of each platform; both are only read."""
    with (
        connected(legacy, platform="legacy", statement_timeout=TIMEOUT) as one,
        connected(new, platform="new", statement_timeout=TIMEOUT) as two,
    ):
        databases = Databases(Database("legacy", one), Database("new", two))
        for database in (databases.legacy, databases.new):
            with translated(database.title):
                for setting, value in SERVER_SETTINGS.items():
                    database.connection.execute("SELECT set_config(%s, %s, false)", [setting, value])
                database.connection.isolation_level = IsolationLevel.REPEATABLE_READ
                database.connection.read_only = True
        with one.transaction(), two.transaction():
            yield databases
