"""What a run writes over while a legal hold stands: kept as it was, encrypted, in the transaction that writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from cryptography.fernet import InvalidToken, MultiFernet
from psycopg import sql

from backfills.domain.judgement import statement
from backfills.domain.spec import Spec
from core.moving import LoadOrder, Preserved
from core.ports import Rejected
from portal.adapters import batch as statements
from portal.adapters.batch import raw, table

_STAGE, _AT_ONCE = "«stage»", 500


@contextmanager
def overwritten(
    connection: psycopg.Connection, order: LoadOrder, *, stage: sql.Identifier, cipher: MultiFernet
) -> Iterator[None]:
    """Keep whatever object changes in this block that a row of the `stage` has the key of, if the order preserves.

    They are locked from the beginning, so that what is kept is what was written over.
    """
    if not order.preserves:
        yield
        return
    spec: Spec = order.spec
    compiler = statements.compiler(spec, order.specs, account=str(order.account_id))
    before, after = statement(spec, compiler, _STAGE, extra=()).split(_STAGE)
    names = {
        "judged": sql.Composed([raw(before), stage, raw(after)]),
        "out": sql.Identifier(f"out__{spec.target_key}"),
        "target": table(spec.target_table),
        "tenant": sql.Identifier(spec.target_tenant),
        "key": sql.Identifier(spec.target_key),
    }
    given = {"account": order.account_id}
    for made in _BEFORE:
        connection.execute(sql.SQL(made).format(**names), given)
    yield
    mine = (order.account_id, order.entity, order.run_id, order.at)
    with connection.cursor(name="overwritten") as changed:
        changed.execute(sql.SQL(_CHANGED).format(**names), given)
        while rows := changed.fetchmany(_AT_ONCE):
            kept = [(*mine, key, cipher.encrypt(image.encode())) for key, image in rows]
            with connection.cursor() as cursor:
                cursor.executemany(_KEEP, kept)
    connection.execute("DROP TABLE were__")


def kept(connection: psycopg.Connection, account_id: UUID, *, cipher: MultiFernet) -> Iterator[Preserved]:
    """Read what was kept of an account, the oldest first; raises Rejected for a copy that no key opens."""
    with connection.transaction(), connection.cursor(name="preserved") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_KEPT, [account_id])
        for entity, key, run_id, at, payload in cursor:
            try:
                image = cipher.decrypt(bytes(payload)).decode()
            except InvalidToken as error:
                raise Rejected(
                    f"A copy of {entity} that was kept at {at:%Y-%m-%d %H:%M} UTC cannot be read: the key it was"
                    " encrypted with is not among those of this installation. Add that key again."
                ) from error
            yield Preserved(entity, key, run_id, at, image)


_KEPT = """
SELECT entity, target_key, run_id, at, payload FROM crossing_stage.preserved WHERE account_id = %s ORDER BY id
"""
_BEFORE = (
    """
    CREATE TEMPORARY TABLE keys__ ON COMMIT DROP AS
    SELECT DISTINCT j.{out}::text AS key FROM ({judged}) AS j WHERE j.{out} IS NOT NULL
    """,
    "ANALYZE keys__",
    """
    CREATE TEMPORARY TABLE were__ ON COMMIT DROP AS
    SELECT t.{key}::text AS key, row_to_json(t) AS image
      FROM {target} AS t JOIN keys__ ON keys__.key = t.{key}::text
     WHERE t.{tenant} = %(account)s FOR UPDATE OF t
    """,
    "DROP TABLE keys__",
)
_CHANGED = """
SELECT w.key, w.image::text FROM were__ w
  LEFT JOIN {target} AS t ON t.{tenant} = %(account)s AND t.{key}::text = w.key
 WHERE row_to_json(t)::text IS DISTINCT FROM w.image::text
"""
_KEEP = """
INSERT INTO crossing_stage.preserved (account_id, entity, run_id, at, target_key, payload)
VALUES (%s, %s, %s, %s, %s, %s)
"""
