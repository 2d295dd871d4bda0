"""A platform in MySQL or MariaDB. Its server makes a text of every value, for the scanner's own types change some.

They would make a double of a wide decimal, NULL of a zero date, true of a 2, and a moment in the server's zone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb

from backfills.domain import keys
from core.ports import Rejected, Unavailable
from parity_reports.domain.file_gate import NotComparable
from parity_reports.domain.gate import Passage
from portal.adapters.comparison import texts
from portal.adapters.comparison.extensions import scanner
from portal.adapters.comparison.platforms import written
from portal.adapters.comparison.platforms.base import Asking, Sources
from portal.adapters.comparison.quoting import name, text

_CHUNK = 50_000
"""Rows that are fetched at a time: the scanner keeps an answer in memory that the engine's limit does not count."""

_INSTEAD = "convert it there, in a view for instance"
_NUMBER = re.compile(r"-?[0-9]{1,60}([.][0-9]{1,60})?", re.ASCII)
_SNAPSHOTS = ("REPEATABLE-READ", "SERIALIZABLE")
_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json"})
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
_NUMBERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year", "bit"})
_FLOATS = frozenset({"float", "double"})
_ORDERED = (_TEXTS - {"enum", "set", "json"}) | (_NUMBERS - {"bit"})
"""Types of which `>` means the same as ORDER BY, between a column and a literal: an enumeration has two orders."""

_SAID_BY = {
    "text": _TEXTS, "enum": _TEXTS, "uuid": _TEXTS, "bytea": _BYTES, "smallint": _NUMBERS, "integer": _NUMBERS,
    "bigint": _NUMBERS, "numeric": _NUMBERS | _FLOATS, "double precision": _FLOATS | _NUMBERS,
    "boolean": frozenset({"tinyint", "bit"}), "date": frozenset({"date"}), "time": frozenset({"time"}),
    "timestamp": frozenset({"datetime"}), "timestamptz": frozenset({"timestamp"}),
}  # fmt: skip
"""The types whose values a wanted column may be read from; any other would need a guess."""


_CLOCKS = {"timestamp": "timestamptz", "datetime": "timestamp"}
"""What the two are in a mapping's words, of which one is the other's name there."""

_MOMENTS = {"timestamp": ("datetime",), "timestamptz": ("timestamp", "datetime")}
"""Types of a column that tells when a row changed, by the mapping's word for it, which the server compares as we do.

It would compare a text letter by letter, whatever offset stands in it, and a date with midnight.
"""


@dataclass
class MySql(written.Written):
    """A platform's database; see `base.Platform`. Its snapshot is that of one transaction of InnoDB's.

    A tenant's rows are fetched by ranges of the first column of the primary key that is not the tenant's.
    """

    name: str
    url: str = field(repr=False)
    form = "MySQL"

    def __post_init__(self) -> None:
        """Leave the address to `attach`."""
        self._columns: dict[str, dict[str, str]] = {}
        self._keys: dict[str, list[str]] = {}

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the database, read-only, in UTC."""
        connection.execute(f"LOAD {text(str(scanner('mysql')))}")
        connection.execute("SET mysql_session_time_zone = '+00:00'")
        try:
            connection.execute(f"ATTACH {text(_dsn(self.url))} AS {name(self.name)} (TYPE mysql, READ_ONLY)")
        except duckdb.Error:
            # The engine's own message repeats the address and the password.
            raise Unavailable(f"The {self.name} platform's database does not answer.") from None

    def describe(self, session: Asking, table: str) -> dict[str, str]:
        """Return the columns of a table with their types; refuse one of which the server has no snapshot."""
        self._check_snapshots(session)
        found = self._catalogued(session, table, "columns", "column_name", "data_type")
        if not found:
            raise Rejected(f"The {self.name} platform has no table {table}, or does not let Crossing read it.")
        stored = self._catalogued(session, table, "tables", "engine", "table_type")
        engine = stored[0][0] or "" if stored else ""
        if engine not in ("InnoDB", ""):  # a view has none of its own
            raise Rejected(
                f"The {self.name} platform's {table} is stored by {engine}, which has no snapshots: it could change "
                "while it is read. Convert it to InnoDB, or compare with an export of it."
            )
        keyed = self._catalogued(session, table, "key_column_usage", "column_name", "constraint_name")
        self._keys[table] = [column for column, key in keyed if key == "PRIMARY"]
        return {column: kind.lower() for column, kind in found}

    def passage(self, declared: str, wanted: str) -> Passage:
        """Decide by what the mapping declares, if the column's type says such values at all."""
        if declared not in _SAID_BY.get(wanted.partition("(")[0], ()):
            called = _CLOCKS.get(declared, "")
            instead = f"a mapping calls it {called}" if called and wanted in _CLOCKS.values() else _INSTEAD
            raise NotComparable(f"is {declared}, which says no {wanted} exactly; {instead}")
        return super().passage(declared, wanted)

    def shown(self, column: str, declared: str) -> str:
        """Return the text of a value as PostgreSQL would show it."""
        quoted = name(column)
        if declared in _FLOATS:
            return texts.shown_float(f"{quoted}::DOUBLE")
        if declared in ("datetime", "timestamp", "time"):
            plain = f"regexp_replace({quoted}, '[.]0+$|([.][0-9]*[1-9])0+$', '\\1')"
            return f"({plain} || '+00')" if declared == "timestamp" else plain
        if declared in _TEXTS | _BYTES | _NUMBERS | {"date"}:
            return quoted
        raise NotComparable(f"is {declared}, which cannot be compared exactly; {_INSTEAD}")

    def begin(self, table: str) -> None:
        """Do nothing: there is no file."""

    def version(self, table: str) -> str:
        """Return nothing: a server's rows change at any time."""
        return ""

    def watermark(self, session: Asking, sources: Sources) -> datetime | None:
        """Return the server's clock."""
        ((now,),) = self._ask(session, "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR) AS now")
        return datetime.fromisoformat(f"{now}+00:00")

    def grants(self, session: Asking) -> list[str]:
        """Return what our role may do, in the server's words."""
        return [str(row[0]) for row in self._ask(session, "SHOW GRANTS")]

    def explained(self, error: duckdb.Error) -> Unavailable | Rejected | None:
        """Add nothing to what is said of every platform."""
        return None

    def check_unchanged(self) -> None:
        """Accept everything: the transaction's snapshot does not change."""

    def _where(
        self,
        session: Asking,
        table: str,
        tenant_column: str,
        tenant: str,
        condition: str,
        columns: Sequence[str],
        fewer: str = "",
    ) -> str:
        """Fetch the tenant's rows; the engine then judges tenants and keys by their bytes, whatever the collation."""
        needed = sorted({tenant_column, *columns})
        fetched = self._fetched(session, table, (tenant_column, tenant), needed, fewer)
        tests = [f"{self._shown(session, table, tenant_column)} = {text(tenant)}", *([condition] if condition else [])]
        return f"FROM {fetched} WHERE {' AND '.join(tests)}"

    def _narrowed(self, session: Asking, sources: Sources) -> str:
        """Let the server leave out what is out of the range, by the first column of the key, and what is not late.

        It may send more than is asked for, and never less: so only where its comparison is surely that of the engine.
        """
        spec, tests = sources.spec, self._holding(session, sources)
        column, kind = spec.key_parts[0]
        native = spec.source_names.get(column, column)
        declared, quoted = self._column(session, spec.source_table, native), _quoted(native)
        if kind == "bigint" and declared in _NUMBERS - {"bit"}:
            ordered, literal = quoted, "{}"
        elif kind == "text" and declared in _TEXTS:
            # Its collation equates all that its bytes do, and orders otherwise.
            ordered, literal = f"CAST({_as_text(native, declared)} AS BINARY)", "_utf8mb4 X'{}'"
        else:
            return "".join(f" AND {test}" for test in tests)

        def values(wanted: Sequence[str | None]) -> list[str]:
            parts = [keys.parts(spec, one) for one in wanted if one is not None]
            firsts = [part[0] if kind == "bigint" else part[0].encode().hex() for part in parts if part]
            return [literal.format(first) for first in firsts]

        def among(wanted: Sequence[str]) -> str:
            return f"{quoted} IN ({', '.join(found)})" if (found := values(wanted)) else "FALSE"

        if sources.among:
            tests.append(among(sources.among))
        tests += [f"{ordered} >= {value}" for value in values([sources.after])]
        tests += [f"({ordered} <= {value} OR {quoted} IS NULL)" for value in values([sources.upto])]
        if sources.since and spec.changed and not any(sources.named.values()):  # what names what, the engine works out
            found = self._column(session, spec.source_table, spec.changed.column)
            if found in _MOMENTS[spec.changed.type]:
                late = _late(_quoted(spec.changed.column), sources.since)
                tests.append(f"({late} OR {among(sources.also)})")
        return "".join(f" AND {test}" for test in tests)

    def _holding(self, session: Asking, sources: Sources) -> list[str]:
        """Return how the server leaves out what does not hold a text, where it surely keeps all that do."""
        spec = sources.spec
        if not sources.holding or (spec.key_is_made and sources.holding[0] == spec.key_column):
            return []
        column, value = sources.holding
        native = spec.source_names.get(column, column)
        declared, quoted = self._column(session, spec.source_table, native), _quoted(native)
        if declared in _TEXTS - {"enum", "set", "json"}:
            return [f"{quoted} = {_literal(value)}"]
        if declared in _NUMBERS - {"bit"} and _NUMBER.fullmatch(value):
            return [f"{quoted} = {value}"]
        return []

    def _fetched(self, session: Asking, table: str, tenant: tuple[str, str], columns: Sequence[str], fewer: str) -> str:
        kinds = {column: self._column(session, table, column) for column in columns}
        listed = ", ".join(f"{_as_text(column, kind)} AS {_quoted(column)}" for column, kind in kinds.items())
        schema, plain = self._place(table)
        of_schema = "" if schema == "DATABASE()" else f"{_quoted(table.rpartition('.')[0])}."
        rows = f"FROM {of_schema}{_quoted(plain)} WHERE {_quoted(tenant[0])} = {_literal(tenant[1])}{fewer}"
        relation = name(f"{self.name} rows of {plain}")
        session.rows(f"CREATE OR REPLACE TEMP TABLE {relation} ({', '.join(f'{name(c)} VARCHAR' for c in columns)})")
        for part in self._parts(session, table, tenant[0], rows):
            session.rows(f"INSERT INTO {relation} FROM {self._query(f'SELECT {listed} {rows}{part}')}")
        ((there,),) = self._ask(session, f"SELECT CAST(COUNT(*) AS CHAR) AS n {rows}")
        ((here,),) = session.rows(f"SELECT count(*) FROM {relation}")
        if str(there) != str(here):
            raise Unavailable(
                f"Of {there} rows of the {self.name} platform's {table}, {here} were read. Compare again."
            )
        return relation

    def _parts(self, session: Asking, table: str, tenant_column: str, rows: str) -> list[str]:
        """Return conditions that divide rows by a key's column: each row meets one, whatever its collation equates."""
        keyed = [(column, self._column(session, table, column)) for column in self._keys[table]]
        usable = [one for one in keyed if one[1] in _ORDERED and one[0].lower() != tenant_column.lower()]
        if not usable:
            return [""]
        (column, kind), after = usable[0], ""
        key, parts = _quoted(column), list[str]()
        while True:
            ordered = f"{rows}{after} ORDER BY {key} LIMIT 1 OFFSET {_CHUNK - 1}"
            end = self._ask(session, f"SELECT {_as_text(column, kind)} AS k {ordered}")
            if not end:
                return [*parts, after]
            upto = str(end[0][0])
            border = upto if kind in _NUMBERS else _literal(upto)
            parts.append(f"{after} AND {key} <= {border}")
            after = f" AND {key} > {border}"

    def _catalogued(self, session: Asking, table: str, view: str, one: str, two: str) -> list[tuple[str, str]]:
        """Return two columns of a view of the server's catalogue about a table, in the order of its columns."""
        schema, plain = self._place(table)
        order = "" if view == "tables" else " ORDER BY ordinal_position"
        found = self._ask(
            session,
            f"SELECT CONVERT({one} USING utf8mb4) AS a, CONVERT({two} USING utf8mb4) AS b "
            f"FROM information_schema.{view} WHERE table_schema = {schema} AND table_name = {_literal(plain)}{order}",
        )
        return [(str(first or ""), str(second or "")) for first, second in found]

    def _check_snapshots(self, session: Asking) -> None:
        found = self._ask(session, "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')")
        if not found or any(str(row[1]).upper() not in _SNAPSHOTS for row in found):
            raise Rejected(
                f"The {self.name} platform's server reads without a snapshot (transaction_isolation); set it to "
                "REPEATABLE-READ for Crossing's role and try again."
            )

    def _place(self, table: str) -> tuple[str, str]:
        """Return the SQL of a table's schema, and its name."""
        schema, _, plain = table.rpartition(".")
        return _literal(schema) if schema else "DATABASE()", plain

    def _query(self, query: str) -> str:
        # Streamed answers come over connections of their own, outside of the transaction and its snapshot.
        return f"mysql_query({text(self.name)}, {text(query)}, stream_results = false)"

    def _ask(self, session: Asking, query: str) -> list[tuple[object, ...]]:
        return session.rows(f"FROM {self._query(query)}")


def _as_text(column: str, kind: str) -> str:
    """Return the server's SQL of a value as text."""
    quoted = _quoted(column)
    if kind in _BYTES:
        return f"CONCAT('\\\\x', LOWER(HEX({quoted})))"
    if kind in _FLOATS:
        return f"CAST({quoted} * 1E0 AS CHAR)"  # a float as the double that it is, with all its digits
    if kind in ("bit", "year"):
        return f"CAST({quoted} + 0 AS CHAR)"
    return f"CONVERT({quoted} USING utf8mb4)" if kind in _TEXTS else f"CAST({quoted} AS CHAR)"


def _late(clock: str, since: datetime) -> str:
    """Return the server's SQL of whether a row changed since, or tells nothing: by NULL, or a day that never was."""
    moment = since.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    day, last = f"DAYOFMONTH({clock})", f"DAYOFMONTH(LAST_DAY({clock}))"
    return f"{clock} >= '{moment}' OR NOT COALESCE({day} BETWEEN 1 AND {last}, FALSE)"


def _quoted(identifier: str) -> str:
    return "`" + identifier.replace("`", "``") + "`"


def _literal(value: str) -> str:
    """Quote a text so that no mode of the server reads anything else in it."""
    return f"_utf8mb4 X'{value.encode().hex()}'"


def _dsn(url: str) -> str:
    """Return the scanner's form of an address."""
    parts = urlsplit(url)
    given: Mapping[str, str] = {
        "host": parts.hostname or "",
        "port": str(parts.port or 3306),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.lstrip("/")),
        **dict(parse_qsl(parts.query)),
    }
    escaped = {key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in given.items()}
    return " ".join(f'{key}="{value}"' for key, value in escaped.items() if value)
