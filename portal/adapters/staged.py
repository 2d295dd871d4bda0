"""One batch's raw rows, staged beside the data and judged, mapped and written by one statement."""

from collections import Counter
from collections.abc import Callable, Collection

import psycopg
from psycopg import errors, sql

from backfills.domain import keys
from backfills.domain.judgement import Fate
from backfills.domain.wording import REFUSED
from core.moving import LoadOrder, SourceRows
from core.ports import Rejected
from portal.adapters import batch as statements
from portal.adapters.stage import Totals


class Staged:
    """The raw rows of one batch in a table of their own, made and dropped inside the batch's transaction."""

    def __init__(
        self, connection: psycopg.Connection, order: LoadOrder, *, number: int, provenance: str, mark: bool
    ) -> None:
        self.connection, self.order = connection, order
        # Of this batch's name: whoever moves another of the run would wait for a table of one name.
        self.table = sql.Identifier("crossing_stage", f"raw_{order.run_id.hex}_{abs(number)}")
        self.provenance = provenance
        self.values = {
            "account": order.account_id,
            "entity": order.entity,
            "system": order.spec.system,
            "run": order.run_id,
            "spec": order.spec.label,
            "batch": number,
            "at": order.at,
            "mark": mark,
            "asked": not order.standing,
        }

    def _made(self, statement: Callable[..., sql.Composed]) -> sql.Composed:
        order = self.order
        return statement(
            order.spec, order.specs, account=str(order.account_id), stage=self.table, provenance=self.provenance
        )

    def fill(self, rows: SourceRows) -> None:
        """Copy the rows in as they came."""
        columns = [sql.Identifier(column) for column in self.order.spec.source_columns]
        self.connection.execute(
            sql.SQL("CREATE UNLOGGED TABLE {} ({})").format(
                self.table, sql.SQL(", ").join(sql.SQL("{} text").format(column) for column in columns)
            )
        )
        with (
            self.connection.cursor() as cursor,
            cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(self.table, sql.SQL(", ").join(columns))) as copy,
        ):
            copy.write(rows.data)

    def insert(self) -> tuple[Totals, int] | None:
        """Move all rows as an account's first of the entity; None, and nothing is written, where the target objects."""
        try:
            with self.connection.transaction():
                answer = self.connection.execute(self._made(statements.first), self.values).fetchall()
        except (errors.IntegrityError, errors.DataError):
            return None
        return _read(answer)

    def upsert(self, count: int) -> tuple[Totals, int]:
        """Move all rows whatever is there already; each row that the target refuses is set apart.

        Raises Rejected where two rows have one key: the second would be written over the first's outcome.
        """
        twice = sql.SQL("SELECT FROM {} GROUP BY {} HAVING count(*) > 1 LIMIT 1")
        key = sql.Identifier(self.order.spec.key_column)
        if self.connection.execute(twice.format(self.table, key)).fetchone() is not None:
            raise Rejected(keys.not_unique(self.order.spec))
        number = sql.SQL("ALTER TABLE {} ADD COLUMN n__ bigint GENERATED ALWAYS AS IDENTITY").format(self.table)
        self.connection.execute(number)
        self.connection.execute(sql.SQL("ANALYZE {}").format(self.table))
        return self._apply(self._made(statements.batch), 1, count)

    def _apply(self, statement: sql.Composed, low: int, high: int) -> tuple[Totals, int]:
        """Run the statement over rows `low` to `high`; halve them where the target refuses one."""
        try:
            with self.connection.transaction():
                answer = self.connection.execute(statement, {**self.values, "low": low, "high": high}).fetchall()
        except (errors.IntegrityError, errors.DataError) as error:
            if low == high:
                return self._refuse(low, error), 0
            middle = (low + high) // 2
            left, some = self._apply(statement, low, middle)
            right, more = self._apply(statement, middle + 1, high)
            return left + right, some + more
        return _read(answer)

    def _refuse(self, number: int, error: psycopg.Error) -> Totals:
        """Quarantine a row that satisfies the spec but not the target; the constraint's name is its reason."""
        spec = self.order.spec
        key = sql.Identifier(spec.key_column)
        self.connection.execute(
            sql.SQL(_REFUSED).format(key=key, stage=self.table, first_at=statements.FIRST_AT),
            {
                **self.values,
                "n": number,
                "rule": REFUSED,
                "sqlstate": error.sqlstate or "",
                "column": error.diag.constraint_name or error.diag.column_name or "",
            },
        )
        return Counter({(Fate.QUARANTINED.value, REFUSED): 1})

    def keys(self) -> set[str]:
        """Return the keys of the rows."""
        key = sql.Identifier(self.order.spec.key_column)
        return {found for (found,) in self.connection.execute(sql.SQL("SELECT {} FROM {}").format(key, self.table))}

    def keep(self, wanted: Collection[str]) -> int:
        """Let go of all rows but these, before they are upserted; return how many are left."""
        key = sql.Identifier(self.order.spec.key_column)
        self.connection.execute(sql.SQL("DELETE FROM {} WHERE {} <> ALL(%s)").format(self.table, key), [list(wanted)])
        row = self.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(self.table)).fetchone()
        return int(row[0]) if row else 0

    def drop(self) -> None:
        """Remove the plain rows."""
        self.connection.execute(sql.SQL("DROP TABLE {}").format(self.table))


def _read(answer: list[tuple[str, str, int, int]]) -> tuple[Totals, int]:
    return Counter({(fate, rule): count for fate, rule, count, _ in answer}), answer[0][3] if answer else 0


_REFUSED = """
WITH ended AS (
    INSERT INTO crossing_stage.outcome AS o (account_id, entity, source_key, run_id, fate, rule)
    SELECT %(account)s, %(entity)s, {key}, %(run)s, 'quarantined', %(rule)s FROM {stage} WHERE n__ = %(n)s
    ON CONFLICT (account_id, entity, source_key) DO UPDATE
       SET run_id = excluded.run_id, fate = excluded.fate, rule = excluded.rule, target_key = NULL
    RETURNING source_key
)
INSERT INTO crossing_stage.dead_letter AS d
       (account_id, entity, source_key, run_id, batch, rule, sqlstate, source_column, spec, first_at, last_at)
SELECT %(account)s, %(entity)s, source_key, %(run)s, %(batch)s, %(rule)s, %(sqlstate)s, %(column)s,
       %(spec)s, %(at)s, %(at)s
  FROM ended
ON CONFLICT (account_id, entity, source_key) DO UPDATE
   SET run_id = excluded.run_id, batch = excluded.batch, state = 'open', rule = excluded.rule,
       sqlstate = excluded.sqlstate, source_column = excluded.source_column, spec = excluded.spec,
       attempts = d.attempts + (%(asked)s OR ROW(d.state, d.rule, d.source_column, d.spec) IS DISTINCT FROM
                  ROW('open', excluded.rule, excluded.source_column, excluded.spec))::int,
       last_at = excluded.last_at, {first_at}
"""
