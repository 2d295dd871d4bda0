"""Rows that would move, laid beside the account's objects: what a run would make, change, leave and remove."""

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from backfills.domain.spec import Column, Spec, Then
from core.inspecting import Writes
from portal.adapters.batch import table

NEW, CHANGED, SAME = "new", "changed", "same"


@dataclass(frozen=True, slots=True)
class Beside:
    """The target table of an entity, as far as an account's objects stand in it."""

    target: sql.Composed
    key: str
    removes: bool
    """Whether a run removes objects that come from no row."""
    would_be: sql.Composed
    """What becomes of the object of a row `j`."""
    joined: sql.Composed
    """How the object `t` of a row `j` is found."""

    @classmethod
    def of(cls, connection: psycopg.Connection, spec: Spec, account_id: UUID) -> "Beside | None":
        """Return it, or None where the table is not there or holds columns that nothing of the mapping equals."""
        made = cls._made(spec, account_id)
        probe = sql.SQL("SELECT {} FROM (SELECT {}) AS j{} LIMIT 0").format(
            made.would_be,
            sql.SQL(", ").join(
                sql.SQL("NULL::{} AS {}").format(_type(column), sql.Identifier(f"out__{column.name}"))
                for column in spec.columns
            ),
            made.joined,
        )
        try:
            with connection.transaction():
                connection.execute(probe)
        except psycopg.ProgrammingError:  # undefined table, column or operator, or no privilege
            return None
        return made

    @classmethod
    def _made(cls, spec: Spec, account_id: UUID) -> "Beside":
        target = sql.SQL("(SELECT {} FROM {} WHERE {} = {})").format(
            sql.SQL(", ").join(sql.Identifier(column.name) for column in spec.columns),
            table(spec.target_table),
            sql.Identifier(spec.target_tenant),
            sql.Literal(account_id),
        )
        key = spec.column(spec.target_key)
        others = [column for column in spec.columns if column.name != spec.target_key]
        differs = [sql.SQL("{} IS DISTINCT FROM {}").format(_there(one), _here(one)) for one in others]
        would_be = sql.SQL("CASE WHEN t.{} IS NULL THEN {} WHEN {} THEN {} ELSE {} END").format(
            sql.Identifier(key.name),
            sql.Literal(NEW),
            sql.SQL(" OR ").join(differs) if differs else sql.SQL("false"),
            sql.Literal(CHANGED),
            sql.Literal(SAME),
        )
        joined = sql.SQL(" LEFT JOIN {} AS t ON {} = {}").format(target, _there(key), _here(key))
        return cls(target, key.name, spec.vanished.then is Then.DELETE, would_be, joined)

    def writes(self, connection: psycopg.Connection, moves: sql.Identifier) -> Writes:
        """Count what a run would do; of rows with one key only the first is among `moves` any more."""
        counted = sql.SQL('SELECT "would be", count(*) FROM {} WHERE verdict >= 0 GROUP BY 1').format(moves)
        found: dict[str, int] = dict(connection.execute(counted).fetchall())
        gone = 0
        if self.removes:
            lost = 'SELECT count(*) FROM {} t WHERE NOT EXISTS (SELECT FROM {} m WHERE m."target key" = t.{}::text)'
            asked = sql.SQL(lost).format(self.target, moves, sql.Identifier(self.key))
            row = connection.execute(asked).fetchone()
            gone = int(row[0]) if row else 0
        return Writes(found.get(NEW, 0), found.get(CHANGED, 0), found.get(SAME, 0), gone)


def _type(column: Column) -> sql.SQL:
    return sql.SQL("text" if column.enum_type else column.type)  # the schema lists the types


def _here(column: Column) -> sql.Composed:
    """Return a row's value; one that moves was found to be of the type."""
    return sql.SQL("j.{}::{}").format(sql.Identifier(f"out__{column.name}"), _type(column))


def _there(column: Column) -> sql.Composed:
    """Return an object's value. An enumeration is compared as text: it may not know the row's value."""
    return sql.SQL("t.{}::text" if column.enum_type else "t.{}").format(sql.Identifier(column.name))
