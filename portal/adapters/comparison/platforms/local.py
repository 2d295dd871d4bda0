"""What the platforms share that the engine reads itself, from files: there is no server that could be asked."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from backfills.domain import keys, naming
from backfills.domain.spec import Spec
from backfills.domain.sql import Dialect
from core.ports import Rejected, Unavailable
from parity_reports.domain.file_gate import NotComparable
from parity_reports.domain.gate import Passage
from portal.adapters.comparison import texts
from portal.adapters.comparison.platforms import files
from portal.adapters.comparison.platforms.base import Asking, Rows, Sources
from portal.adapters.comparison.quoting import name, text

_WHOLE = re.compile(r"-?[0-9]{1,38}", re.ASCII)


@dataclass
class Local:
    """A platform in files; see `base.Platform`. Subclasses say where its rows are and what its values look like.

    The file is one snapshot: one that changes while a session reads it makes the session end without an answer.
    """

    name: str
    url: str = field(repr=False)
    form = "a file"
    """What the files are, in words."""
    ending = ""
    """Where each table is a file of its own in a folder: what its name ends in."""

    def __post_init__(self) -> None:
        """Read the address."""
        self.path = files.place(self.name, self.url)
        self.watch = files.Watch(self.name)
        self._columns: dict[str, dict[str, str]] = {}

    @property
    def folder(self) -> str:
        """The folder that the engine must be able to read; '' where the file is attached."""
        return ""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Do nothing: files are opened when they are read."""

    def begin(self, table: str) -> None:
        """Take note of the file that a table stands in, if it does."""
        raise NotImplementedError

    def version(self, table: str) -> str:
        """Name the state that a table's file is in; '' where a server answers, whose rows change at any time."""
        self.begin(table)
        return self.watch.version()

    def written_at(self, table: str) -> datetime:
        """Return when a table's file was written."""
        self.begin(table)
        return self.watch.written_at()

    def relation(self, table: str, columns: Collection[str]) -> str:
        """Return the relation of a table's rows, with (at least) these columns as `shown` and `read` expect them."""
        raise NotImplementedError

    def describe(self, session: Asking, table: str) -> dict[str, str]:
        """Return the columns of a table and what each is declared as."""
        raise NotImplementedError

    def shown(self, column: str, declared: str) -> str:
        """Return the SQL of a value as PostgreSQL would show it; raises NotComparable."""
        raise NotImplementedError

    def passage(self, declared: str, wanted: str) -> Passage:
        """Decide how a column passes; raises NotComparable."""
        raise NotImplementedError

    def columns(self, session: Asking, table: str) -> dict[str, str]:
        """Return the columns of a table, named as the mapping does, and what each is declared as."""
        if table not in self._columns:
            with self.speaking():
                found = self.describe(session, table)
            names = [column.lower() for column in found]
            if twice := sorted({column for column in names if names.count(column) > 1}):
                raise Rejected(f"The {self.name} platform's {table} has two columns {twice[0]}; rename one of them.")
            self._columns[table] = {column.lower(): declared for column, declared in found.items()}
        return self._columns[table]

    def gate(self, session: Asking, table: str, wanted: Mapping[str, str]) -> dict[str, Passage]:
        """Return how each wanted column passes the type gate."""
        found = {}
        for column, kind in wanted.items():
            declared = self._column(session, table, column)
            with self._naming(table, column):
                found[column] = self.passage(declared, kind)
        return found

    def is_unicode(self, session: Asking) -> bool:
        """Tell that it is: the engine reads nothing else."""
        return True

    def texts(self, session: Asking, sources: Sources) -> str:
        """Return the relation of source rows as text, with the key that the mapping makes of its columns."""
        spec, shown = sources.spec, self._source(session, sources.spec)
        columns = {column: shown[column] for column in spec.source_columns if column != spec.key_column}
        columns[spec.key_column] = keys.made(spec, shown)
        listed = ", ".join(f"{columns[column]} AS {name(column)}" for column in spec.source_columns)
        return f"(SELECT {listed} {self._from_sources(session, sources)})"

    def count_sources(self, session: Asking, sources: Sources) -> int:
        """Count source rows."""
        return self._number(session, f"SELECT count(*) {self._from_sources(session, sources)}")

    def late(self, session: Asking, sources: Sources, since: datetime) -> str:
        """Return the relation of source keys as text `k`, each with whether its row is `late`: changed since."""
        key, late = keys.made(sources.spec, self._source(session, sources.spec)), self._changed(session, sources, since)
        return f"(SELECT {key} AS k, {late} AS late {self._from_sources(session, sources)})"

    def watermark(self, session: Asking, sources: Sources) -> datetime | None:
        """Return up to when the platform tells of changes by its own clock; None where nothing tells.

        A file has none, and nobody knows when its writing began: so up to the last change that it tells of, and what
        claims to be later than the file itself does not count.
        """
        moment = self._moment(session, sources.spec)
        with self.speaking():
            ((found,),) = session.rows(
                f"SELECT epoch_us(max(m)) FROM (SELECT {moment} AS m {self._from_sources(session, sources)}) "
                f"WHERE m <= {_literal(self.watch.written_at())}"
            )
        return None if found is None else datetime.fromtimestamp(found / 1e6, UTC)

    def bounds(self, session: Asking, sources: Sources, *, size: int) -> list[str]:
        """Return the keys that end ranges of `size` source rows each."""
        key = self._native_source(session, sources.spec)
        numbered = (
            f"SELECT {key} AS k, row_number() OVER (ORDER BY {key} NULLS FIRST) AS n "
            f"{self._from_sources(session, sources)}"
        )
        with self.speaking():
            found = session.rows(
                f"SELECT k::VARCHAR FROM ({numbered}) WHERE n % {size} = 0 AND k IS NOT NULL ORDER BY n"
            )
        return [str(row[0]) for row in found]

    def values(self, session: Asking, rows: Rows, gate: Mapping[str, Passage]) -> str:
        """Return the relation of rows as typed values, with marks."""
        raise NotImplementedError

    def distinct(self, session: Asking, rows: Rows, column: str) -> str:
        """Return what stands in a column, each value once, as text `k`."""
        return f"(SELECT DISTINCT {self._shown(session, rows.table, column)} AS k {self._from(session, rows, column)})"

    def count(self, session: Asking, rows: Rows) -> int:
        """Count rows."""
        return self._number(session, f"SELECT count(*) {self._from(session, rows)}")

    def repeated(self, session: Asking, rows: Rows, key: str) -> int:
        """Count the keys that stand more than once."""
        keys = f"SELECT {self._shown(session, rows.table, key)} AS k {self._from(session, rows, key)}"
        return self._number(session, f"SELECT count(*) FROM (SELECT k FROM ({keys}) GROUP BY k HAVING count(*) > 1)")

    def orphans(self, session: Asking, rows: Rows, column: str, *, of: Rows, key: str) -> int:
        """Count the rows whose column points to no row of another table."""
        one = f"SELECT {self._shown(session, rows.table, column)} AS k {self._from(session, rows, column)}"
        other = f"SELECT {self._shown(session, of.table, key)} AS k {self._from(session, of, key)}"
        return self._number(
            session, f"SELECT count(*) FROM ({one}) AS one ANTI JOIN ({other}) AS other USING (k) WHERE k IS NOT NULL"
        )

    def explained(self, error: duckdb.Error) -> Unavailable | Rejected | None:
        """Say that the file is not what it should be, without the engine's text, which may quote a value."""
        if isinstance(error, duckdb.OutOfMemoryException | duckdb.InterruptException):
            return None
        try:
            self.watch.check()
        except Unavailable as changed:
            return changed
        file = self.watch.named(str(error))
        return Rejected(f"The {self.name} platform's {file} cannot be read: {self.trouble(str(error))}")

    def trouble(self, said: str) -> str:
        """Say what is wrong with a file and what to do, given what the engine said."""
        return f"it is not {self.form}, or it is damaged. Write it anew and try again."

    def check_unchanged(self) -> None:
        """Raise Unavailable if a file that was read has changed."""
        self.watch.check()

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Put the engine's errors into words."""
        try:
            yield
        except duckdb.Error as error:
            raise self.explained(error) or error from None

    def _column(self, session: Asking, table: str, column: str) -> str:
        found = self.columns(session, table)
        if column.lower() not in found:
            known = ", ".join(sorted(found)[:20])
            raise Rejected(
                f"The {self.name} platform's {table} has no column {column}, which the mapping names. It has: {known}."
            )
        return found[column.lower()]

    @contextmanager
    def _naming(self, table: str, column: str) -> Iterator[None]:
        try:
            yield
        except NotComparable as problem:
            raise Rejected(f"Column {column} of the {self.name} platform's {table} {problem}.") from None

    def _shown(self, session: Asking, table: str, column: str) -> str:
        declared = self._column(session, table, column)
        with self._naming(table, column):
            return self.shown(column, declared)

    def _source(self, session: Asking, spec: Spec) -> dict[str, str]:
        """Return the SQL of each source column's text, by the mapping's name."""
        if spec.source_is_file and not (self.ending and spec.source_table.lower().endswith(f".{self.ending}")):
            raise Rejected(
                f"The mapping reads {spec.entity} from the file {spec.source_table}, and the {self.name} platform's "
                f"address is not that of a folder of such files. Correct it in the settings, or name a table."
            )
        named = [column for column in spec.source_columns if column != spec.key_column or not spec.key_is_made]
        return {
            column: self._shown(session, spec.source_table, spec.source_names.get(column, column)) for column in named
        }

    def _native_source(self, session: Asking, spec: Spec) -> str:
        """Return the key of one column as it is ordered."""
        return self._ordered(self._source(session, spec)[spec.key_column], by_number=spec.key_type == "bigint")

    @staticmethod
    def _ordered(shown: str, *, by_number: bool) -> str:
        return f"TRY_CAST({shown} AS HUGEINT)" if by_number else shown

    def _from_sources(self, session: Asking, sources: Sources) -> str:
        spec, condition, shown = sources.spec, "", self._source(session, sources.spec)
        if sources.among:
            condition = _among(spec, shown, sources.among)
        elif sources.after is not None or sources.upto is not None:
            condition = self._between(spec, shown, sources)
        if sources.since:
            texts_of = {**shown, spec.key_column: keys.made(spec, shown)}
            late = (
                self._changed(session, sources, sources.since),
                _among(spec, shown, sources.also),
                naming.condition(spec, sources.named, dialect=Dialect.DUCKDB, columns=texts_of),
            )
            condition = f"({condition or 'TRUE'}) AND ({' OR '.join(late)})"
        if sources.holding:
            column, value = sources.holding
            held = f"{ {**shown, spec.key_column: keys.made(spec, shown)}[column] } = {text(value)}"
            condition = f"({condition}) AND {held}" if condition else held
        columns = [spec.source_names.get(column, column) for column in shown]
        columns += [spec.changed.column] if spec.changed else []
        fewer = self._narrowed(session, sources)
        return self._where(session, spec.source_table, spec.source_tenant, sources.tenant, condition, columns, fewer)

    def _between(self, spec: Spec, shown: Mapping[str, str], sources: Sources) -> str:
        """Return the condition that a row's key lies in a range; the order is that of the key's own columns."""
        terms = [self._ordered(shown[column], by_number=kind == "bigint") for column, kind in spec.key_parts]
        tests = [
            f"({', '.join(terms)}) {sign} ({', '.join(values)})" if (values := _values(spec, border)) else "FALSE"
            for sign, border in ((">", sources.after), ("<=", sources.upto))
            if border is not None
        ]
        return _or_none(" AND ".join(tests), terms, open_below=sources.after is None)

    def _narrowed(self, session: Asking, sources: Sources) -> str:
        """Return what a server may leave out beforehand, as a condition of its own; '' for nothing."""
        return ""

    def _moment(self, session: Asking, spec: Spec) -> str:
        """Return the SQL of the moment at which a row changed, as text would say it; NULL where it does not tell."""
        if spec.changed is None:
            raise ValueError(f"{spec.entity} does not declare when a row changed")
        shown = self._shown(session, spec.source_table, spec.changed.column)
        if spec.changed.type == "timestamp":
            return f"({texts.clock(shown)})::TIMESTAMPTZ"
        return f"({texts.instant(shown)})"

    def _changed(self, session: Asking, sources: Sources, since: datetime) -> str:
        return f"coalesce({self._moment(session, sources.spec)} >= {_literal(since)}, TRUE)"

    def _from(self, session: Asking, rows: Rows, *columns: str) -> str:
        condition = ""
        if rows.keys:
            columns = (*columns, rows.keys.column)
            shown = self._shown(session, rows.table, rows.keys.column)
            key = self._ordered(shown, by_number=rows.keys.by_number)
            open_below = rows.keys.after is None and not rows.keys.among
            condition = _or_none(rows.keys.condition(key), [key], open_below=open_below)
        return self._where(session, rows.table, rows.tenant_column, rows.tenant, condition, columns)

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
        tests = [f"{self._shown(session, table, tenant_column)} = {text(tenant)}", *([condition] if condition else [])]
        needed = sorted({tenant_column, *columns})
        return f"FROM {self.relation(table, needed)} WHERE {' AND '.join(tests)}"

    def _number(self, session: Asking, query: str) -> int:
        with self.speaking():
            return int(session.rows(query)[0][0])


def _among(spec: Spec, shown: Mapping[str, str], wanted: Sequence[str]) -> str:
    """Return the condition that a row's key is one of these."""
    if not wanted:
        return "FALSE"
    key, numbers = keys.made(spec, shown), [str(int(one)) for one in wanted if _WHOLE.fullmatch(one)]
    condition = f"({key}) IN ({', '.join(map(text, wanted))})"
    if spec.key_type == "bigint" and numbers:
        # However it is written there: 7 and 007 are one record's key.
        return f"({condition} OR TRY_CAST({key} AS HUGEINT) IN ({', '.join(numbers)}))"
    return condition


def _values(spec: Spec, border: str) -> list[str]:
    """Return the literals of a key's columns; none for a text that is no such key."""
    found = keys.parts(spec, border) or () if spec.key_is_made else (border,)
    return [
        str(int(value)) if kind == "bigint" else text(value)
        for value, (_, kind) in zip(found, spec.key_parts, strict=bool(found))
    ]


def _or_none(condition: str, terms: Sequence[str], *, open_below: bool) -> str:
    """Let what is no such key belong to the range that has no lower end: it must not fall out of all of them."""
    if not condition or not open_below:
        return condition
    return f"({condition} OR {' OR '.join(f'{term} IS NULL' for term in terms)})"


def _literal(moment: datetime) -> str:
    return f"TIMESTAMPTZ {text(moment.astimezone(UTC).isoformat())}"
