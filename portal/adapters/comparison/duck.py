"""One DuckDB session over several PostgreSQL platforms: signed scanner, bounded memory, one snapshot per side."""

import importlib.util
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from psycopg.conninfo import make_conninfo

from core.ports import Rejected, Unavailable

logger = logging.getLogger(__name__)

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
_SERVER_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        **SERVER_SETTINGS,
        "statement_timeout": "600000",
        "application_name": "crossing-comparison",
    }.items()
)


class Session:
    """All platforms inside one DuckDB transaction: every read of one platform sees the same snapshot."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.built: set[str] = set()
        """Relations made from the present snapshots that later statements may use again."""

    def run(self, statement: str) -> None:
        """Execute a statement for its effect."""
        self._connection.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return all rows of a statement whose result is known to be small."""
        return self._connection.execute(statement).fetchall()

    def stream(self, statement: str, size: int = 1000) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement without holding them all."""
        result = self._connection.execute(statement)
        while rows := result.fetchmany(size):
            yield from rows

    def ask(self, platform: str, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query that the platform's own server answers."""
        return self.rows(f"SELECT * FROM {remote(platform, query)}")

    @contextmanager
    def beside(self) -> Iterator["Session"]:
        """Open a second transaction over the same platforms, for another thread; what it makes is kept.

        It has snapshots of its own, so that one platform must be read in one of the two alone.
        """
        connection = self._connection.cursor()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("BEGIN")
            yield Session(connection)
            connection.execute("COMMIT")
        finally:
            # As of the first connection: never leave it to the destructor.
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            connection.close()

    def interrupt(self) -> None:
        """Stop what another thread runs here."""
        self._connection.interrupt()

    def renew(self) -> None:
        """Give every snapshot back; the next read sees what has been committed since."""
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN")
        self.built.clear()


@contextmanager
def session(platforms: Mapping[str, str], *, memory_limit: str, threads: int) -> Iterator[Session]:
    """Open a read-only session over platforms given as {name: database URL}.

    Raises `Unavailable` when a platform does not answer or stops answering half-way, `Rejected` for what trying
    again cannot mend. Neither text carries a value, an address or a credential.
    """
    with tempfile.TemporaryDirectory(prefix="crossing-comparison-") as spill:
        connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit,
                "threads": threads,
                "temp_directory": spill,
                "allow_unsigned_extensions": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": False,
            },
        )
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"LOAD {text(str(scanner()))}")
            for name, url in platforms.items():
                _attach(connection, name, url)
            connection.execute("SET enable_external_access = false")
            connection.execute("BEGIN")
            yield Session(connection)
        except duckdb.Error as error:
            raise _translated(error) from None
        finally:
            # A transaction left to the destructor would abort this whole process if its platform is gone.
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            connection.close()


def text(value: str) -> str:
    """Quote a text literal; the same in DuckDB and PostgreSQL."""
    if "\0" in value:
        raise Rejected("A text with a zero byte cannot be compared.")
    return "'" + value.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """Quote an identifier; a dotted one part by part."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in identifier.split("."))


def remote(platform: str, query: str) -> str:
    """Return the relation that a platform's server answers with to a query."""
    return f"postgres_query({text(platform)}, {text(query)})"


def _attach(connection: duckdb.DuckDBPyConnection, platform: str, url: str) -> None:
    if not url:
        raise Unavailable(f"No address is configured for the {platform} platform.")
    target = make_conninfo(url, options=_SERVER_OPTIONS, connect_timeout=10)
    try:
        connection.execute(f"ATTACH {text(target)} AS {name(platform)} (TYPE postgres, READ_ONLY)")
    except duckdb.Error:
        # The engine's own message repeats the address and the password.
        raise Unavailable(f"The {platform} platform's database does not answer.") from None


def _translated(error: duckdb.Error) -> Unavailable | Rejected:
    """Name the failure without the engine's text, which may quote a customer's value."""
    logger.warning("comparison engine failed: %s", type(error).__name__)
    if isinstance(error, duckdb.OutOfMemoryException):
        return Unavailable("The comparison ran out of memory; a smaller segment size helps.")
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return Rejected("The mapping names a table or column that one of the platforms does not have.")
    return Unavailable("A platform stopped answering before everything was read.")


@cache
def scanner() -> Path:
    """Find the scanner extension in its wheel; the engine checks its signature when it loads it."""
    spec = importlib.util.find_spec("duckdb_extension_postgres_scanner")
    places = spec.submodule_search_locations if spec else None
    for place in places or ():
        for found in Path(place).rglob("postgres_scanner.duckdb_extension"):
            return found
    raise Rejected("The PostgreSQL scanner of the comparison engine is not installed.")
