"""The legacy platform in PostgreSQL, read through the role that may only read."""

import re
from collections.abc import Sequence

from psycopg import sql

from backfills.domain.spec import Spec
from core.moving import SourceRows
from portal.adapters.postgres import connected

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class PostgresLegacy:
    """Reads what a spec names, one tenant at a time, in key order."""

    def __init__(self, *, url: str, statement_timeout: int = 120) -> None:
        self.url, self.statement_timeout = url, statement_timeout

    def count(self, *, spec: Spec, tenant_ref: str) -> int:
        """Count a tenant's objects; see `core.ports.LegacyPlatform`."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE {} = %s").format(
            _table(spec), sql.Identifier(spec.source_tenant)
        )
        with connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            row = connection.execute(query, [tenant_ref]).fetchone()
        return int(row[0]) if row else 0

    def divide(self, *, spec: Spec, tenant_ref: str, parts: int) -> tuple[str, ...]:
        """Find borders between ranges; see `core.ports.LegacyPlatform`."""
        if parts < 2:
            return ()
        query = sql.SQL(
            "SELECT max(k)::text FROM (SELECT {key} AS k, ntile({parts}) OVER (ORDER BY {key}) AS part"
            " FROM {table} AS s WHERE {tenant} = {ref}) AS numbered GROUP BY part ORDER BY part"
        ).format(
            key=_key(spec),
            parts=sql.Literal(parts),
            table=_table(spec),
            tenant=sql.Identifier(spec.source_tenant),
            ref=sql.Literal(tenant_ref),
        )
        with connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection:
            return tuple(key for (key,) in connection.execute(query).fetchall()[:-1])

    def read(
        self, *, spec: Spec, tenant_ref: str, after: str | None, limit: int, until: str | None = None
    ) -> SourceRows:
        """Read the next rows; see `core.ports.LegacyPlatform`."""
        borders: list[sql.Composable] = [
            sql.SQL("{} {} {}").format(_key(spec), sql.SQL(sign), _typed(spec, border))
            for sign, border in ((">", after), ("<=", until))
            if border is not None
        ]
        return self._copy(spec, tenant_ref, sql.SQL(" AND ").join(borders or [sql.SQL("TRUE")]), limit)

    def read_keys(self, *, spec: Spec, tenant_ref: str, keys: Sequence[str]) -> SourceRows:
        """Read the rows with these keys; see `core.ports.LegacyPlatform`."""
        if not keys:
            return SourceRows()
        listed = sql.SQL(", ").join(_typed(spec, key) for key in keys)
        return self._copy(spec, tenant_ref, sql.SQL("{} IN ({})").format(_key(spec), listed), len(keys))

    def _copy(self, spec: Spec, tenant_ref: str, condition: sql.Composable, limit: int) -> SourceRows:
        columns = sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier(column)) for column in spec.source_columns
        )
        query = sql.SQL(
            "COPY (SELECT {columns} FROM {table} AS s WHERE {tenant} = {ref} AND {condition}"
            " ORDER BY {key} LIMIT {limit}) TO STDOUT"
        ).format(
            columns=columns,
            table=_table(spec),
            tenant=sql.Identifier(spec.source_tenant),
            ref=sql.Literal(tenant_ref),
            condition=condition,
            key=_key(spec),
            limit=sql.Literal(limit),
        )
        with (
            connected(self.url, platform="legacy", statement_timeout=self.statement_timeout) as connection,
            connection.cursor() as cursor,
            cursor.copy(query) as copy,
        ):
            data = b"".join(bytes(block) for block in copy)
        return rows_of(data, column=list(spec.source_columns).index(spec.key_column))


def rows_of(data: bytes, *, column: int) -> SourceRows:
    """Describe rows in COPY text format, whose key stands in a column (from 0)."""
    lines = data.split(b"\n")[:-1]  # COPY escapes line breaks inside values
    if not lines:
        return SourceRows()

    def key(line: bytes) -> str:
        field = line.split(b"\t")[column].decode()
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), field)

    return SourceRows(data, len(lines), key(lines[0]), key(lines[-1]))


def _table(spec: Spec) -> sql.Composed:
    return sql.SQL(".").join(sql.Identifier(part) for part in spec.source_table.split("."))


def _key(spec: Spec) -> sql.Composable:
    """Return the native key (not the text of the same name that is read), so that its index serves; text bytewise."""
    column = sql.Identifier("s", spec.key_column)
    return sql.SQL('{} COLLATE "C"').format(column) if spec.key_type == "text" else column


def _typed(spec: Spec, key: str) -> sql.Composable:
    return sql.Literal(key) if spec.key_type == "text" else sql.Literal(int(key))


__all__ = ["PostgresLegacy", "rows_of"]
