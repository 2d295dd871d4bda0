"""An account's objects on the new platform in PostgreSQL: read, removed, merged, and put back as they were."""

from collections.abc import Iterator, Mapping, Sequence
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from backfills.domain.merging import OnDrift
from backfills.domain.spec import Spec
from core.ports import Rejected
from core.reconciling import Field
from portal.adapters.batch import OF, table


class Objects:
    """An account's objects of an entity, with where they came from, inside somebody's transaction."""

    def __init__(self, connection: psycopg.Connection, spec: Spec, account_id: UUID, provenance: str) -> None:
        self.connection, self.spec, self.account_id = connection, spec, account_id
        self.given = {"account": account_id, "entity": spec.entity, "system": spec.system}
        self.filled = [column for column in spec.columns if column.name != spec.target_key]
        self.names = {
            "filled": sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(one.name)) for one in self.filled),
            "target": table(spec.target_table),
            "tenant": sql.Identifier(spec.target_tenant),
            "key": sql.Identifier(spec.target_key),
            "provenance": table(provenance),
            "of": OF,
        }

    def _run(self, statement: str, **more: object) -> psycopg.Cursor[tuple[object, ...]]:
        return self.connection.execute(sql.SQL(statement).format(**self.names), {**self.given, **more})

    def read(self, keys: Sequence[str], *, lock: bool = False) -> dict[str, tuple[str, str]]:
        """Return mark and values of those that are there."""
        rows = self._run(_READ + (" FOR UPDATE" if lock else ""), keys=list(keys))
        return {str(key): (str(mark), str(values)) for key, mark, values in rows}

    def origins(self, keys: Sequence[str]) -> list[str]:
        """Return where they came from, as JSON each."""
        return [str(row) for (row,) in self._run(_ORIGINS, keys=list(keys))]

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects and where they came from."""
        self._run(_FORGET_ORIGINS, keys=list(keys))
        self._run(_REMOVE, keys=list(keys))

    def merge(self, key: str, values: str) -> tuple[tuple[Field, ...], str]:
        """Put the former `values` back where the mapping's columns say so, over legacy's that were just written.

        Returns every column that differed, and a digest of the result.
        """
        sides = [sql.SQL(_SIDES).format(n=sql.SQL("f.{}").format(name), l=sql.SQL("t.{}").format(name), keeps=keeps)
                 for name, keeps in self._keeping()]  # fmt: skip
        given = {"keys": [key], "values": values}
        statement = sql.SQL(_DIFFERING).format(**self.names, sides=sql.SQL(", ").join(sides))
        row = self.connection.execute(statement, {**self.given, **given}).fetchone()
        assert row is not None  # it was just written
        fields = tuple(
            Field(column.name, legacy, new, keeps)
            for column, (differs, legacy, new, keeps) in zip(self.filled, row, strict=True)
            if differs
        )
        if kept := [sql.Identifier(one.column) for one in fields if one.keeps]:
            sets = sql.SQL(", ").join(sql.SQL("{0} = f.{0}").format(name) for name in kept)
            self.connection.execute(sql.SQL(_MERGE).format(**self.names, sets=sets), {**self.given, **given})
        ((result,),) = self._run(_RESULT, keys=[key]).fetchall()
        return fields, str(result)

    def _keeping(self) -> Iterator[tuple[sql.Identifier, sql.Composed]]:
        """Yield each column that the mapping fills, and the condition on which its former value stays."""
        for column in self.filled:
            name = sql.Identifier(column.name)
            condition = sql.SQL(_KEEPS[column.on_drift or OnDrift.SOURCE])
            yield name, condition.format(l=sql.SQL("t.{}").format(name), n=sql.SQL("f.{}").format(name))

    def put_back(self, key: str, mark: str, values: str, origins: Sequence[str]) -> None:
        """Make an object what it was. Raises Rejected, so that nothing stays, where it cannot be exactly that."""
        self._run(_FORGET_ORIGINS, keys=[key])
        if not values:
            self._run(_REMOVE, keys=[key])
        else:
            columns = [
                sql.Identifier(str(name))
                for (name,) in self._run(_COLUMNS, table=self.names["target"].as_string(self.connection))
            ]
            listed = sql.SQL(", ").join(columns)
            self.connection.execute(
                sql.SQL(_PUT_BACK).format(
                    **self.names,
                    columns=listed,
                    sets=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(column) for column in columns),
                ),
                {"values": values},
            )
        for origin in origins:
            self._run(_ORIGIN_BACK, origin=origin)
        now = self.read([key])
        if (now[key][0] if key in now else "") != mark:
            raise Rejected(
                "An object could not be put back exactly as it was: something on the new platform changes it."
            )


_READ = """
SELECT t.{key}::text, encode(sha256(convert_to(t::text, 'UTF8')), 'hex'), row_to_json(t)::text
  FROM {target} AS t WHERE t.{tenant} = %(account)s AND t.{key}::text = ANY(%(keys)s)
"""
_ORIGINS = """
SELECT row_to_json(p)::text FROM {provenance} AS p
 WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND {of}
"""
_FORGET_ORIGINS = """
DELETE FROM {provenance} AS p WHERE p.account_id = %(account)s AND p.entity = %(entity)s AND {of}
"""
_REMOVE = """
DELETE FROM {target} AS t WHERE t.{tenant} = %(account)s AND t.{key}::text = ANY(%(keys)s)
"""
_COLUMNS = """
SELECT attname::text FROM pg_attribute
 WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_PUT_BACK = """
INSERT INTO {target} ({columns}) SELECT {columns} FROM json_populate_record(NULL::{target}, %(values)s::json)
ON CONFLICT ({tenant}, {key}) DO UPDATE SET {sets}
"""
_ORIGIN_BACK = """
INSERT INTO {provenance} SELECT * FROM json_populate_record(NULL::{provenance}, %(origin)s::json)
"""
_DIFFERING = """
SELECT {sides} FROM {target} AS t, json_populate_record(NULL::{target}, %(values)s::json) AS f
 WHERE t.{tenant} = %(account)s AND t.{key}::text = ANY(%(keys)s)
"""
# Of a column: whether both platforms' values differ, both as text, and whether the new platform's stays.
_SIDES = "jsonb_build_array({l} IS DISTINCT FROM {n}, {l}::text, {n}::text, coalesce({keeps}, false))"
_MERGE = """
UPDATE {target} AS t SET {sets} FROM json_populate_record(NULL::{target}, %(values)s::json) AS f
 WHERE t.{tenant} = %(account)s AND t.{key}::text = ANY(%(keys)s)
"""
_RESULT = """
SELECT encode(sha256(convert_to(ROW({filled})::text, 'UTF8')), 'hex') FROM {target} AS t
 WHERE t.{tenant} = %(account)s AND t.{key}::text = ANY(%(keys)s)
"""
_KEEPS: Mapping[OnDrift, LiteralString] = {
    OnDrift.SOURCE: "false",
    OnDrift.TARGET: "true",
    OnDrift.GREATER: "{n} IS NOT NULL AND ({l} IS NULL OR {n} > {l})",
    OnDrift.LESSER: "{n} IS NOT NULL AND ({l} IS NULL OR {n} < {l})",
    OnDrift.LONGER: "{n} IS NOT NULL AND ({l} IS NULL OR char_length({n}) > char_length({l}))",
    OnDrift.FILLED: "coalesce({l}::text, '') = '' AND coalesce({n}::text, '') <> ''",
}
"""`OnDrift.keeps`, as the database asks it of its own types."""
