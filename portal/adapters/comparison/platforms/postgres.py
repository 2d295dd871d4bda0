"""A platform in PostgreSQL: whatever its server can do, it does; its snapshot is a transaction's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb
from psycopg.conninfo import make_conninfo

from backfills.domain import source
from core.ports import Rejected, Unavailable
from parity_reports.domain.gate import Passage, passage
from portal.adapters.comparison import digests
from portal.adapters.comparison.catalogue import DECLARED
from portal.adapters.comparison.digests import Engine
from portal.adapters.comparison.extensions import scanner
from portal.adapters.comparison.platforms.base import Asking, Keys, Rows, Sources
from portal.adapters.comparison.quoting import name, text
from portal.adapters.comparison.servers import SERVER_SETTINGS
from portal.adapters.comparison.typed import marked, selected

_SERVER_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        **SERVER_SETTINGS,
        "statement_timeout": "600000",
        "application_name": "crossing-comparison",
    }.items()
)


def remote(platform: str, query: str) -> str:
    """Return the relation that a platform's server answers with to a query."""
    return f"postgres_query({text(platform)}, {text(query)})"


def let_through(platform: str, gate: Mapping[str, Passage], rows: str) -> str:
    """Return the relation of columns as the gate lets them through; `rows` is the server's `FROM …`."""
    return marked(gate, remote(platform, f"SELECT {selected(gate)} {rows}"))


@dataclass
class Postgres:
    """A platform's database; see `base.Platform`."""

    name: str
    url: str = field(repr=False)
    folder: str = ""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the database, read-only, under fixed settings."""
        if not self.url:
            raise Unavailable(f"No address is configured for the {self.name} platform.")
        connection.execute(f"LOAD {text(str(scanner('postgres')))}")
        # The engine takes what it is sent for UTF-8, whatever the database's encoding.
        target = make_conninfo(self.url, options=_SERVER_OPTIONS, connect_timeout=10, client_encoding="UTF8")
        try:
            connection.execute(f"ATTACH {text(target)} AS {name(self.name)} (TYPE postgres, READ_ONLY)")
        except duckdb.Error:
            # The engine's own message repeats the address and the password.
            raise Unavailable(f"The {self.name} platform's database does not answer.") from None

    def gate(self, session: Asking, table: str, wanted: Mapping[str, str]) -> dict[str, Passage]:
        """Return how each column passes the type gate, from the platform's own catalogue."""
        rows = self._ask(
            session,
            DECLARED.format(text(name(table))),
        )
        if not rows:
            raise Rejected(f"The {self.name} platform has no table {table}, or does not let Crossing read it.")
        found = {str(column): passage(str(kind)) for column, kind in rows}
        if lacking := [column for column in wanted if column not in found]:
            raise Rejected(f"The {self.name} platform's table has no column {lacking[0]}, which the mapping names.")
        return {column: found[column] for column in wanted}

    def is_unicode(self, session: Asking) -> bool:
        """Ask the server how its database is encoded."""
        return self._ask(session, "SELECT current_setting('server_encoding') AS e") == [("UTF8",)]

    def texts(self, session: Asking, sources: Sources) -> str:
        """Return raw columns as text, the tenant's rows, by the native key."""
        return remote(self.name, f"SELECT {source.selected(sources.spec)} {_sources(sources)}")

    def count_sources(self, session: Asking, sources: Sources) -> int:
        """Count source rows."""
        return self._number(session, f"SELECT count(*) AS n {_sources(sources)}")

    def bounds(self, session: Asking, sources: Sources, *, size: int) -> list[str]:
        """Return the keys that end ranges of `size` source rows each."""
        key, order = source.key(sources.spec), source.order(sources.spec)
        numbered = f"SELECT {key} AS k, row_number() OVER (ORDER BY {order}) AS n {_sources(sources)}"
        found = self._ask(session, f"SELECT k FROM ({numbered}) AS r WHERE n % {size} = 0 AND k IS NOT NULL ORDER BY n")
        return [str(row[0]) for row in found]

    def values(self, session: Asking, rows: Rows, gate: Mapping[str, Passage]) -> str:
        """Return typed columns, each as the gate lets it through."""
        return let_through(self.name, gate, _from(rows))

    def distinct(self, session: Asking, rows: Rows, column: str) -> str:
        """Return what stands in a column, each value once, as text `k`."""
        return remote(self.name, f"SELECT DISTINCT {name(column)}::text AS k {_from(rows)}")

    def count(self, session: Asking, rows: Rows) -> int:
        """Count rows."""
        return self._number(session, f"SELECT count(*) AS n {_from(rows)}")

    def repeated(self, session: Asking, rows: Rows, key: str) -> int:
        """Count the keys that stand more than once."""
        return self._number(
            session,
            f"SELECT count(*) AS n FROM (SELECT {name(key)} {_from(rows)} GROUP BY 1 HAVING count(*) > 1) AS r",
        )

    def orphans(self, session: Asking, rows: Rows, column: str, *, of: Rows, key: str) -> int:
        """Count the rows whose column points to no row of another table."""
        known = (
            f"SELECT 1 FROM {name(of.table)} AS other WHERE other.{name(of.tenant_column)} = "
            f"one.{name(rows.tenant_column)} AND other.{name(key)} = one.{name(column)}"
        )
        return self._number(
            session,
            f"SELECT count(*) AS n FROM {name(rows.table)} AS one WHERE one.{name(rows.tenant_column)} = "
            f"{text(rows.tenant)} AND one.{name(column)} IS NOT NULL AND NOT EXISTS ({known})",
        )

    def explained(self, error: duckdb.Error) -> Unavailable | Rejected | None:
        """Tell a text that is none in UTF-8 from a platform that stopped answering: trying again does not mend it."""
        if "encoding" not in str(error):
            return None
        return Rejected(
            f"A text of the {self.name} platform is none in UTF-8, so nothing is said about it. Correct it there, then"
            " compare again."
        )

    def check_unchanged(self) -> None:
        """Accept everything: the transaction's snapshot does not change."""

    def _ask(self, session: Asking, query: str) -> list[tuple[object, ...]]:
        return session.rows(f"SELECT * FROM {remote(self.name, query)}")

    def _number(self, session: Asking, query: str) -> int:
        return int(str(self._ask(session, query)[0][0]))


def _sources(sources: Sources) -> str:
    """Return FROM and WHERE; a row without its key belongs to the range that has no lower end, or it would to none."""
    spec, tests = sources.spec, [source.of_tenant(sources.spec, sources.tenant)]
    if sources.after is not None:
        tests.append(source.bounded(spec, ">", sources.after))
    if sources.upto is not None:
        upto = source.bounded(spec, "<=", sources.upto)
        tests.append(upto if sources.after is not None else f"({upto} OR {source.keyless(spec)})")
    if sources.among:
        tests.append(source.among(spec, sources.among))
    if sources.since:
        tests.append(f"({source.changed(spec, sources.since)} OR {source.among(spec, sources.also)})")
    if sources.sample:
        tests.append(digests.sampled(Engine.POSTGRES, source.key(spec), sources.sample))
    return " AND ".join(tests)


def _native(keys: Keys) -> str:
    """Return a native key as the server compares it: text bytewise, whatever its collation."""
    return name(keys.column) if keys.by_number else f'{name(keys.column)} COLLATE "C"'


def _from(rows: Rows) -> str:
    condition = rows.keys.condition(_native(rows.keys)) if rows.keys else ""
    if condition and rows.keys and rows.keys.after is None and not rows.keys.among:
        condition = f"{condition} OR {name(rows.keys.column)} IS NULL"  # as of `_sources`
    if rows.keys and rows.keys.sample:
        condition = digests.sampled(Engine.POSTGRES, f"{name(rows.keys.column)}::text", rows.keys.sample)
    narrowed = f" AND ({condition})" if condition else ""
    return f"FROM {name(rows.table)} WHERE {name(rows.tenant_column)} = {text(rows.tenant)}{narrowed}"
