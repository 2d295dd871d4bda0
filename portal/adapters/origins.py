"""Where objects came from, and whether the rows they came from are still as they were: asked of provenance."""

import hashlib
from collections.abc import Callable, Sequence
from uuid import UUID

import psycopg
from psycopg import sql

from backfills.domain.spec import Spec
from core.moving import Origin, SourceRows
from portal.adapters.batch import OF, hashed, table

_NEVER = hashlib.sha256(b"").digest()
"""What `closing` writes for a row that took over a merged object without being moved."""


def origins(
    connection: psycopg.Connection,
    *,
    account_id: UUID,
    spec: Spec,
    keys: Sequence[str],
    read: Callable[[Sequence[str]], SourceRows],
    provenance: str,
) -> dict[str, Origin]:
    """Return the origins of objects by their keys; see `core.ports.DataMover`. Legacy is read in no transaction."""
    known = connection.execute(
        sql.SQL(_KNOWN).format(provenance=table(provenance), of=OF),
        {"account": account_id, "entity": spec.entity, "keys": list(keys)},
    ).fetchall()
    asked = [source_key for _, system, source_key, *_ in known if system == spec.system]
    now = _hashes(connection, spec, read(asked)) if asked else {}
    return {
        target_key: Origin(
            source_key,
            label,
            at,
            _fared(system == spec.system, bytes(before), now.get(source_key)),
            supplied=system != spec.system,
        )
        for target_key, system, source_key, label, at, before in known
    }


def _fared(moved: bool, before: bytes, now: bytes | None) -> str:
    if not moved:
        return "same"
    if now is None:
        return "gone"
    return "unknown" if before == _NEVER else "same" if now == before else "changed"


def _hashes(connection: psycopg.Connection, spec: Spec, rows: SourceRows) -> dict[str, bytes]:
    """Return the hash of each row by its key, as it is made when rows move."""
    if not rows.count:
        return {}
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in spec.source_columns)
    typed = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(column)) for column in spec.source_columns)
    with connection.transaction():
        connection.execute(sql.SQL("CREATE TEMPORARY TABLE raw__ ({}) ON COMMIT DROP").format(typed))
        with (
            connection.cursor() as cursor,
            cursor.copy(sql.SQL("COPY raw__ ({}) FROM STDIN").format(columns)) as copy,
        ):
            copy.write(rows.data)
        found = connection.execute(
            sql.SQL("SELECT {}, {} FROM raw__ AS s").format(sql.Identifier(spec.key_column), hashed(spec))
        ).fetchall()
    return {key: bytes(digest) for key, digest in found}


_KNOWN = """
SELECT target_key, source_system, source_key, spec, migrated_at, source_hash FROM {provenance} p
 WHERE account_id = %(account)s AND entity = %(entity)s AND {of}
"""
