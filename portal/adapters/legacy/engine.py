"""The legacy platform in MySQL, MariaDB, SQLite, DuckDB, Parquet or CSV, read by the engine that compares them.

A row is staged as the very texts that a comparison maps (`Local.texts`), so both judge the same, by one type gate.
"""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched

from backfills.domain import keys
from backfills.domain.naming import Named
from backfills.domain.spec import Spec
from backfills.domain.sql import Dialect
from core import tenancy
from core.moving import SourceKeys, SourceRows
from core.ports import Rejected
from portal.adapters.comparison import digests, duck
from portal.adapters.comparison.digests import Engine
from portal.adapters.comparison.duck import Session, name, text
from portal.adapters.comparison.platforms import Platform, Sources, platform
from portal.adapters.comparison.platforms.base import keys_alone
from portal.adapters.comparison.platforms.local import Local
from portal.adapters.legacy import bounds

_RANGES = 4
"""Ranges at most: where there is no index, each of them costs a reading of the whole file."""

_PIECE = 10_000
"""Keys that are handed out at a time."""

_ESCAPED = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
"""What COPY's text format writes otherwise; the backslash first."""
_SPECIAL = "[\\\\\t\n\r]"


type _Asked = tuple[str, str | None, datetime | None, Named]
"""Of a reading: tenant, until which key, since when, and which keys of others rows name."""


@dataclass(slots=True)
class _Held:
    """A range's rows, read in one snapshot, of which batch after batch is handed out; all but `after` stays."""

    spec: Spec
    asked: _Asked
    also: frozenset[str]
    after: str | None
    pages: Generator[SourceRows, int]

    def next(self, limit: int) -> SourceRows:
        """Hand out the next rows."""
        rows = self.pages.send(limit)
        self.after = rows.last_key
        return rows

    def follows(self, spec: Spec, asked: _Asked, also: set[str], after: str | None) -> bool:
        """Tell whether what it holds next is what is asked for; keys that are behind it need not be read again."""
        if (spec.digest, asked, after) != (self.spec.digest, self.asked, self.after):
            return False
        return all(after is not None and keys.rank(spec, one) <= keys.rank(spec, after) for one in also - self.also)


@dataclass
class EngineLegacy:
    """Reads what a spec names, one tenant at a time, in key order; see `core.ports.LegacyPlatform`.

    A range of keys is read at once, in one snapshot, and held until its last batch is handed out, or for `patience`
    seconds after somebody last asked: a file has no index, and each reading of it is one of the whole.
    """

    url: str = field(repr=False)
    memory_limit: str = "600MB"
    threads: int = 2
    patience: float = 60

    def __post_init__(self) -> None:
        """Hold nothing yet."""
        self._lock = threading.RLock()
        self._held: _Held | None = None
        self._forgetting: threading.Timer | None = None

    def version(self, *, spec: Spec) -> str:
        """Name the state of the entity's file; '' for a server."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        return _local(platform(self.url, name="legacy")).version(spec.source_table)

    def count(self, *, spec: Spec, tenant_ref: str) -> int:
        """Count a tenant's objects. Raises Rejected where one has no key, or none of its type, or another's."""
        spec = keys_alone(spec)
        columns = {column: name(column) for column, _ in spec.key_parts}
        order = f"({keys.order(spec, name(spec.key_column), Dialect.DUCKDB)})"
        with self.reading() as (session, there):
            ((count, missing, wrong, different),) = session.rows(
                f"SELECT count(*), count(*) FILTER ({name(spec.key_column)} IS NULL), "
                f"count(*) FILTER ({keys.misshapen(spec, columns)}), count(DISTINCT {order}) "
                f"FROM {there.texts(session, Sources(spec, tenant_ref))}"
            )
        if missing:
            raise Rejected(keys.missing(spec, missing))
        if wrong:
            raise Rejected(keys.unreadable(spec, wrong))
        if different < count:  # 7 and 007 among them: one number, of which no range could hold both
            raise Rejected(keys.not_unique(spec))
        return int(count)

    def keys(self, *, spec: Spec, tenant_ref: str) -> SourceKeys:
        """Tell which objects there are."""
        digest = digests.digest(Engine.DUCKDB, name(spec.key_column))
        with self.reading() as (session, there):
            ((count, total),) = session.rows(
                f"SELECT count(*), coalesce(sum({digest}), 0) "
                f"FROM {there.texts(session, Sources(keys_alone(spec), tenant_ref))}"
            )
            return SourceKeys(int(count), int(total), there.version(spec.source_table))

    def divide(self, *, spec: Spec, tenant_ref: str, parts: int) -> tuple[str, ...]:
        """Find borders between ranges."""
        if parts < 2:
            return ()
        key, order = name(spec.key_column), keys.order(spec, name(spec.key_column), Dialect.DUCKDB)
        with self.reading() as (session, there):
            numbered = (
                f"SELECT {key} AS k, ntile({min(parts, _RANGES)}) OVER (ORDER BY {order}) AS part, "
                f"row_number() OVER (ORDER BY {order}) AS n "
                f"FROM {there.texts(session, Sources(keys_alone(spec), tenant_ref))}"
            )
            borders = session.rows(f"SELECT max_by(k, n) FROM ({numbered}) GROUP BY part ORDER BY part")
        return tuple(str(key) for (key,) in borders[:-1])

    def read(
        self,
        *,
        spec: Spec,
        tenant_ref: str,
        after: str | None,
        limit: int,
        until: str | None = None,
        since: datetime | None = None,
        also: Sequence[str] = (),
        named: Named | None = None,
    ) -> SourceRows:
        """Read the next rows."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        naming = {name: tuple(keys) for name, keys in (named or {}).items()}
        asked, wanted = (tenant_ref, until, since, naming), set(also)
        with self._lock:
            held = self._held
            if held is None or not held.follows(spec, asked, wanted, after):
                self._forget()
                sources = Sources(spec, tenant_ref, after, until, since=since, also=tuple(also), named=naming)
                pages = self._pages(sources)
                held = self._held = _Held(spec, asked, frozenset(wanted), after, pages)
            try:
                rows = held.next(limit)
            except BaseException:
                self._forget()
                raise
            if rows.count < limit:
                self._forget()
            else:
                self._forget_later(held)
            return rows

    def watermark(self, *, spec: Spec, tenant_ref: str) -> datetime | None:
        """Tell up to when the platform tells of changes."""
        with self.reading() as (session, there):
            return there.watermark(session, Sources(keys_alone(spec), tenant_ref))

    def blind_spot(self, *, spec: Spec) -> str:
        """Say that none of these tells which transactions are open."""
        if self.version(spec=spec):
            return "A file does not tell what was still being changed when it was written."
        return "Legacy's database is not asked which transactions are open there: Crossing asks PostgreSQL alone."

    def as_of(self, *, spec: Spec, tenant_ref: str) -> datetime | None:
        """Tell as of when a file holds everything."""
        told = spec.exported
        if told is None or not self.version(spec=spec):
            return None
        if told.column:
            return self.watermark(spec=replace(spec, changed=told.column), tenant_ref=tenant_ref)
        written_at = _local(platform(self.url, name="legacy")).written_at(spec.source_table)
        return min(written_at, told.at or written_at - timedelta(minutes=told.within_minutes or 0))

    def held(self, *, spec: Spec, tenant_ref: str, since: datetime) -> Iterator[bytes]:
        """Read all keys."""
        with self.reading() as (session, there):
            rows = there.late(session, Sources(keys_alone(spec), tenant_ref), since)
            line = f"{_escaped('k')} || CASE WHEN late THEN '\tt\n' ELSE '\tf\n' END"
            for some in batched(session.stream(f"SELECT {line} FROM {rows}"), _PIECE):
                yield "".join(line for (line,) in some).encode()

    def read_keys(self, *, spec: Spec, tenant_ref: str, keys: Sequence[str]) -> SourceRows:
        """Read the rows with these keys."""
        if not keys:
            return SourceRows()
        tenancy.forbid_transaction("Talking to the legacy platform")
        with closing(self._pages(Sources(spec, tenant_ref, among=tuple(keys)))) as pages:
            return pages.send(len(keys))

    @contextmanager
    def reading(self) -> Iterator[tuple[Session, Local]]:
        """Open the platform for reading; nothing is raised but Unavailable and Rejected."""
        tenancy.forbid_transaction("Talking to the legacy platform")
        address = {"legacy": self.url}
        with (
            duck.session(address, memory_limit=self.memory_limit, threads=self.threads) as session,
            session.reading("legacy"),
        ):
            yield session, _local(session.platform("legacy"))

    def _pages(self, sources: Sources) -> Generator[SourceRows, int]:
        """Read rows in one snapshot, give that back, and hand out as many as are sent for, in key order."""
        pages = self._read(sources)
        next(pages)
        return pages

    def _read(self, sources: Sources) -> Generator[SourceRows, int]:
        spec = sources.spec
        key, order = name(spec.key_column), keys.order(spec, name(spec.key_column), Dialect.DUCKDB)
        line = " || '\t' || ".join(f"coalesce({_escaped(name(column))}, '\\N')" for column in spec.source_columns)
        with self.reading() as (session, there):
            session.run(
                f"CREATE TEMP TABLE held AS SELECT *, strlen(line) AS size FROM (SELECT {key} AS k, "
                f"{line} || '\n' AS line, row_number() OVER (ORDER BY {order}) AS n "
                f"FROM {there.texts(session, sources)})"
            )
            version = there.version(spec.source_table)
            session.renew()
            done = 0
            limit = yield SourceRows()
            while True:
                rows = f"FROM held WHERE n > {done} AND n <= {done + limit + 1}"
                ((size,),) = session.rows(f"SELECT coalesce(sum(size), 0) {rows}")
                bounds.check(int(size), spec)
                found = session.rows(f"SELECT k, line {rows} ORDER BY n")
                if len(found) > limit and _is_one_key(spec, *(key for key, _ in found[limit - 1 :])):
                    raise Rejected(keys.not_unique(spec))
                done += limit
                limit = yield _rows(spec, found[:limit], version)

    def _forget_later(self, held: _Held) -> None:
        if self._forgetting:
            self._forgetting.cancel()
        self._forgetting = threading.Timer(self.patience, self._forget, [held])
        self._forgetting.daemon = True
        self._forgetting.start()

    def _forget(self, only: _Held | None = None) -> None:
        """Let go of what is held; of `only` that, where it is given."""
        with self._lock:
            held = self._held
            if held is None or (only is not None and only is not held):
                return
            self._held = None
            held.pages.close()
            if self._forgetting:
                self._forgetting.cancel()


def _local(found: Platform) -> Local:
    if not isinstance(found, Local):
        raise TypeError(f"{type(found).__name__} is read by an adapter of its own")
    return found


def _is_one_key(spec: Spec, one: str, two: str) -> bool:
    return keys.rank(spec, one) == keys.rank(spec, two)


def _rows(spec: Spec, found: list[tuple[str, str]], version: str) -> SourceRows:
    if not found:
        return SourceRows(version=version)
    data = "".join(line for _, line in found)
    if "\0" in data:
        count = sum("\0" in line for _, line in found)
        raise Rejected(
            f"{count:,} rows of {spec.source_table} in legacy hold a zero byte in a text, which no text of the new"
            " platform can hold. Take it out there, or leave it out in a view or an export that the mapping reads."
        )
    return SourceRows(data.encode(), len(found), found[0][0], found[-1][0], version)


def _escaped(value: str) -> str:
    """Return the SQL of a text in COPY's format."""
    escaped = value
    for plain, instead in _ESCAPED:
        escaped = f"replace({escaped}, {text(plain)}, {text(instead)})"
    return f"CASE WHEN regexp_matches({value}, {text(_SPECIAL)}) THEN {escaped} ELSE {value} END"


__all__ = ["EngineLegacy"]
