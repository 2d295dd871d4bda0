"""The legacy platform in PostgreSQL, read through the role that may only read."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from backfills.domain import keys, source
from backfills.domain.naming import Named
from backfills.domain.spec import Spec
from core.moving import SourceKeys, SourceRows
from core.ports import Rejected
from portal.adapters.legacy import bounds
from portal.adapters.postgres import connected

_TELLING = 50_000
"""Among so many keys or up to twice as many, drawn by their hashes, the borders of dozens of ranges are right within
some percent."""

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class PostgresLegacy:
    """Reads what a spec names, one tenant at a time, in key order."""

    def __init__(self, *, url: str, statement_timeout: int = 120) -> None:
        self.url, self.statement_timeout = url, statement_timeout

    def count(self, *, spec: Spec, tenant_ref: str) -> int:
        """Count a tenant's objects; see `core.ports.LegacyPlatform`. Raises Rejected where one has no key."""
        rows = source.of_tenant(spec, tenant_ref)
        count, keyless = self._ask(f"SELECT count(*), count(*) FILTER (WHERE {source.keyless(spec)}) {rows}")[0]
        if keyless:
            raise Rejected(keys.missing(spec, int(keyless)))
        return int(count)

    def keys(self, *, spec: Spec, tenant_ref: str) -> SourceKeys:
        """Tell which objects there are; see `core.ports.LegacyPlatform`."""
        digest, rows = keys.digest(source.key(spec)), source.of_tenant(spec, tenant_ref)
        count, total = self._ask(f"SELECT count(*), coalesce(sum({digest}), 0) {rows}")[0]
        return SourceKeys(int(count), int(total))

    def divide(self, *, spec: Spec, tenant_ref: str, parts: int) -> tuple[str, ...]:
        """Find borders between ranges; see `core.ports.LegacyPlatform`."""
        if parts < 2:
            return ()
        order, rows = source.order(spec), source.of_tenant(spec, tenant_ref)
        # Some of many keys tell as much as all, whose sorting would cost more than anything else that is done once.
        # The same ones each time: the same rows are divided alike.
        # An equality lets the server expect few of them, and look for them with several of its workers.
        ((count,),) = self._ask(f"SELECT count(*) {rows}")
        every = 1 << max(0, (count // _TELLING).bit_length() - 1)
        some = f"(hashtextextended({source.key(spec)}, 0) & {every - 1}) = 0"
        numbered = (
            f"SELECT {source.key(spec)} AS k, ntile({int(parts)}) OVER (ORDER BY {order}) AS part,"
            f" row_number() OVER (ORDER BY {order}) AS n {rows} AND {some}"
        )
        borders = self._ask(f"SELECT DISTINCT ON (part) k FROM ({numbered}) AS numbered ORDER BY part, n DESC")  # noqa: S608 - quoted there
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
        """Read the next rows; see `core.ports.LegacyPlatform`."""
        conditions = [
            source.bounded(spec, sign, border) for sign, border in ((">", after), ("<=", until)) if border is not None
        ]
        if since is not None:
            late = (source.changed(spec, since), source.among(spec, also), source.naming(spec, named or {}))
            conditions.append(f"({' OR '.join(late)})")
        rows = self._copy(spec, tenant_ref, conditions, limit + 1)
        if rows.count <= limit:
            return rows
        kept = _without_last(rows, column=_key_column(spec))
        if kept.last_key == rows.last_key:  # whoever reads on behind that key would never see the second
            raise Rejected(keys.not_unique(spec))
        return kept

    def version(self, *, spec: Spec) -> str:
        """Return nothing: a server's rows change at any time."""
        return ""

    def watermark(self, *, spec: Spec, tenant_ref: str) -> datetime | None:
        """Tell since when nothing is open; see `core.ports.LegacyPlatform`."""
        moment: datetime = self._ask(_SETTLED)[0][0]
        return moment

    def blind_spot(self, *, spec: Spec) -> str:
        """Say why a transaction may be open without our knowing; see `core.ports.LegacyPlatform`."""
        standby, may_see, is_silent = self._ask(_SEEING)[0]
        if standby:
            return "Legacy is read from a standby, which does not tell what is open on the server that it copies."
        if not may_see:
            return "Legacy's database does not let us see which transactions are open there."
        return "Some sessions of legacy's database do not tell what they do (track_activities)." if is_silent else ""

    def as_of(self, *, spec: Spec, tenant_ref: str) -> datetime | None:
        """Return nothing: a server holds what there is."""
        return None

    def held(self, *, spec: Spec, tenant_ref: str, since: datetime) -> Iterator[bytes]:
        """Read all keys; see `core.ports.LegacyPlatform`."""
        rows = source.of_tenant(spec, tenant_ref)
        query = f"COPY (SELECT {source.key(spec)}, {source.changed(spec, since)} {rows}) TO STDOUT"
        with (
            connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection,
            connection.cursor() as cursor,
            cursor.copy(query.encode()) as copy,
        ):
            for block in copy:
                yield bytes(block)

    def read_keys(self, *, spec: Spec, tenant_ref: str, keys: Sequence[str]) -> SourceRows:
        """Read the rows with these keys; see `core.ports.LegacyPlatform`."""
        return self._copy(spec, tenant_ref, [source.among(spec, keys)], len(keys)) if keys else SourceRows()

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        with connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            return connection.execute(query.encode()).fetchall()

    def _copy(self, spec: Spec, tenant_ref: str, conditions: Sequence[str], limit: int) -> SourceRows:
        narrowed = "".join(f" AND {condition}" for condition in conditions)
        query = (
            f"COPY (SELECT {source.selected(spec)} {source.of_tenant(spec, tenant_ref)}{narrowed}"
            f" ORDER BY {source.order(spec)} LIMIT {int(limit)}) TO STDOUT"
        )
        with (
            connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection,
            connection.cursor() as cursor,
            cursor.copy(query.encode()) as copy,
        ):
            data = bytearray()
            for row in copy:  # a million times in a run: nothing may be called here
                data += row
                if len(data) > bounds.LARGEST:
                    bounds.check(len(data), spec)
        return rows_of(bytes(data), column=_key_column(spec))


# Until when all is settled: nothing that began before is still open. The statement's own time comes first, so what
# begins while it looks is later. Every open transaction counts but our own, which only read: one that wrote nothing yet
# may. A prepared one is in no session any more, and tells when it was prepared. A standby has what it has replayed.
# `least` passes NULLs over.
_SETTLED = """
SELECT least(
    statement_timestamp(),
    CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() END,
    (SELECT min(xact_start) FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type NOT IN ('autovacuum worker', 'walsender')
        AND (usename = current_user AND application_name IN ('crossing', 'crossing-comparison')) IS NOT TRUE),
    (SELECT min(prepared) FROM pg_prepared_xacts WHERE database = current_database()))
"""
_SEEING = """
SELECT pg_is_in_recovery(), pg_has_role('pg_read_all_stats', 'USAGE'),
       EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'disabled')
"""


def _key_column(spec: Spec) -> int:
    return list(spec.source_columns).index(spec.key_column)


def rows_of(data: bytes, *, column: int) -> SourceRows:
    """Describe rows in COPY text format, whose key stands in a column (from 0)."""
    count = data.count(b"\n")  # COPY escapes line breaks inside values
    if not count:
        return SourceRows()
    first, last = data[: data.find(b"\n")], data[data.rfind(b"\n", 0, -1) + 1 : -1]
    return SourceRows(data, count, _key(first, column), _key(last, column))


def _without_last(rows: SourceRows, *, column: int) -> SourceRows:
    """Return two rows or more without the last."""
    data = rows.data[: rows.data.rfind(b"\n", 0, -1) + 1]
    last = data[data.rfind(b"\n", 0, -1) + 1 : -1]
    return SourceRows(data, rows.count - 1, rows.first_key, _key(last, column))


def _key(line: bytes, column: int) -> str:
    field = line.split(b"\t")[column].decode()
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), field)


__all__ = ["PostgresLegacy", "rows_of"]
