"""One DuckDB session over several platforms: bounded memory, no other file or address, one snapshot per side."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from core.ports import Rejected, Unavailable
from portal.adapters.comparison.platforms import Platform, platform
from portal.adapters.comparison.platforms.postgres import remote
from portal.adapters.comparison.quoting import name, text

__all__ = ["Session", "name", "remote", "session", "text"]

logger = logging.getLogger(__name__)


class Session:
    """All platforms inside one DuckDB transaction: every read of one platform sees the same snapshot."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, platforms: Mapping[str, Platform]) -> None:
        self._connection, self._platforms = connection, platforms
        self.built: set[str] = set()
        """Relations made from the present snapshots that later statements may use again."""

    def platform(self, name: str) -> Platform:
        """Return a platform of this session."""
        return self._platforms[name]

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
    def reading(self, platform: str) -> Iterator[None]:
        """Put what goes wrong while one platform is read into that platform's words."""
        try:
            yield
        except duckdb.Error as error:
            if (explained := self._platforms[platform].explained(error)) is None:
                raise
            raise explained from None

    @contextmanager
    def beside(self) -> Iterator["Session"]:
        """Open a second transaction over the same platforms, for another thread; what it makes is kept.

        It has snapshots of its own, so that one platform must be read in one of the two alone.
        """
        connection = self._connection.cursor()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("BEGIN")
            yield Session(connection, self._platforms)
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
        self.check_unchanged()
        self._connection.execute("BEGIN")
        self.built.clear()

    def check_unchanged(self) -> None:
        """Raise Unavailable if a file that was read is no longer what it was."""
        for one in self._platforms.values():
            one.check_unchanged()


@contextmanager
def session(platforms: Mapping[str, str], *, memory_limit: str, threads: int, exchange: str = "") -> Iterator[Session]:
    """Open a read-only session over platforms given as {name: address}; `exchange` is a folder of ours for its files.

    Raises `Unavailable` when a platform does not answer, stops answering half-way or changes while it is read and
    nothing protects from that, `Rejected` for what trying again cannot mend. Neither text carries a value, an address
    or a credential.
    """
    sides = {name: platform(url, name=name) for name, url in platforms.items()}
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
            for side in sides.values():
                side.attach(connection)
            if folders := [folder for folder in (exchange, *(side.folder for side in sides.values())) if folder]:
                connection.execute(f"SET allowed_directories = [{', '.join(map(text, folders))}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("BEGIN")
            opened = Session(connection, sides)
            yield opened
            opened.check_unchanged()
        except duckdb.Error as error:
            raise _translated(error) from None
        finally:
            # A transaction left to the destructor would abort this whole process if its platform is gone.
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            connection.close()


def _translated(error: duckdb.Error) -> Unavailable | Rejected:
    """Name the failure without the engine's text, which may quote a customer's value."""
    logger.warning("the engine failed: %s", type(error).__name__)
    if isinstance(error, duckdb.OutOfMemoryException):
        return Unavailable("The engine ran out of memory; more of it, or smaller segments, help.")
    if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
        return Rejected("The mapping names a table or column that one of the platforms does not have.")
    return Unavailable("A platform stopped answering before everything was read.")
