"""What the mapping promises: expected records, recomputed in DuckDB from the legacy platform's raw rows.

Nothing of the backfill is read here, neither its statement nor its outcomes: the spec is compiled for another
engine and evaluated again, so that the report is evidence of its own.
"""

from collections.abc import Mapping
from typing import Any

from backfills.domain import digits, keys
from backfills.domain.language import Type
from backfills.domain.spec import Column, Spec, Then
from backfills.domain.sql import Dialect, decimal_type
from core.comparison import UNREADABLE
from core.ports import Rejected
from parity_reports.domain.gate import Family
from portal.adapters.comparison import mapping
from portal.adapters.comparison.duck import Session, name, text
from portal.adapters.comparison.platforms import Sources
from portal.adapters.comparison.promising import HELD, KEY, LEFT, SOURCE, Staged, mapped
from portal.adapters.comparison.typed import Value

_FAMILIES = {
    Type.TEXT: Family.TEXT,
    Type.INT: Family.INTEGER,
    Type.DECIMAL: Family.NUMERIC,
    Type.BOOL: Family.BOOLEAN,
    Type.DATE: Family.DATE,
    Type.INSTANT: Family.TIMESTAMPTZ,
    Type.NULL: Family.TEXT,
}
_SQL_TYPES = {
    Type.TEXT: "VARCHAR",
    Type.INT: "BIGINT",
    Type.BOOL: "BOOLEAN",
    Type.DATE: "DATE",
    Type.INSTANT: "TIMESTAMPTZ",
    Type.NULL: "VARCHAR",
}


def expect(
    session: Session,
    *,
    sources: Sources,
    others: Mapping[str, Spec],
    relation: str,
    keep: str = "",
    by_number: bool = False,
    rows: str = "",
) -> dict[str, int]:
    """Build `relation`: the records that must be on the new platform; return how many each named rule left behind.

    A record that a rule or an unreadable value keeps in quarantine is still promised, so it stays, with the rule's
    name in `held by`. `sources` are the rows to ask the legacy platform for; `keep` is a condition for the
    engine, on the record's key. That is text, or `by_number` a whole number; then it is NULL where it cannot be read.
    `rows` is a relation that holds the source rows already; then the platform is not asked for them.
    """
    dropped = map_rows(
        session, sources=sources, others=others, relation=relation, keep=keep, by_number=by_number, rows=rows
    )
    return dropped | complete(session, sources.spec, relation=relation, keep=keep, by_number=by_number)


def map_rows(
    session: Session,
    *,
    sources: Sources,
    others: Mapping[str, Spec],
    relation: str,
    keep: str = "",
    by_number: bool = False,
    rows: str = "",
) -> dict[str, int]:
    """Build of `relation` what each source row says by itself, whatever the others are; else as `expect`."""
    spec, tenant = sources.spec, sources.tenant
    compiler = Staged(
        Dialect.DUCKDB,
        tables=spec.tables,
        sets=spec.sets,
        zones=spec.zones,
        lookups={
            alias: (promised(session, spec=others[lookup.entity], others=others, tenant=tenant), KEY)
            for alias, lookup in spec.lookups.items()
        },
        lets=dict(spec.lets),
    )
    rows = rows or session.platform("legacy").texts(session, sources)
    with session.reading("legacy"):
        session.run(
            f"CREATE OR REPLACE TEMP TABLE {name(relation)} AS {mapped(spec, compiler, rows, by_number=by_number)}"
        )
    check_keys(session, relation, SOURCE, platform="legacy", column=spec.key_column)
    if keep:
        session.run(f"DELETE FROM {name(relation)} WHERE NOT ({keep})")
    counted = session.rows(f"SELECT {name(LEFT)}, count(*) FROM {name(relation)} WHERE {name(LEFT)} <> '' GROUP BY 1")
    dropped = {str(rule): int(count) for rule, count in counted}
    if dropped:
        session.run(f"DELETE FROM {name(relation)} WHERE {name(LEFT)} <> ''")
    return dropped


def complete(session: Session, spec: Spec, *, relation: str, keep: str = "", by_number: bool = False) -> dict[str, int]:
    """Merge the records of one key that must become one, and add those that the mapping itself supplies.

    Every record of a key must be there. Returns how many were merged into others, by the rule.
    """
    dropped = {}
    if spec.duplicates.then is Then.MERGE:
        merged = _merge(session, spec, relation)
        dropped = {spec.duplicates.name: merged} if merged else {}
    if spec.supplements:
        added = _supplements(spec, by_number=by_number)
        session.run(f"INSERT INTO {name(relation)} BY NAME SELECT * FROM ({added}) WHERE {keep or 'TRUE'}")
    return dropped


def promised(session: Session, *, spec: Spec, others: Mapping[str, Spec], tenant: str) -> str:
    """Build, once per snapshot, what another entity's mapping lets through to be looked up; return the relation."""
    relation = lookup_relation(spec.entity)
    if relation not in session.built:
        expect(session, sources=Sources(spec, tenant), others=others, relation=relation)
        session.run(
            f"CREATE OR REPLACE TEMP TABLE {name(relation)} AS SELECT * FROM {name(relation)} "
            f"WHERE {name(HELD)} IS NULL QUALIFY row_number() OVER (PARTITION BY {name(KEY)}) = 1"
        )
        session.built.add(relation)
    return name(relation)


def lookup_relation(entity: str) -> str:
    """Return the name of the relation that another entity is looked up in."""
    return f"look-up {entity}"


def value(spec: Spec, column: Column, *, relation: str) -> Value:
    """Return a column of an expected relation as a typed value."""
    prefix, family = f"{name(relation)}.", _FAMILIES[column.expression.type]
    bound = mapping.proven(spec, column)
    return Value(
        sql=prefix + name(column.name),
        family=family,
        mark=f"CASE WHEN {prefix}{name(column.name + '!')} THEN {text(UNREADABLE)} END",
        precision=min(bound.total, digits.MOST),
        scale=bound.fraction,
    )


def key_text(relation: str, *, by_number: bool) -> str:
    """Return the SQL of a record's key as text, in an expected relation."""
    key = f"{name(relation)}.{name(KEY)}"
    return mapping.readable_key(key, f"{name(relation)}.{name(SOURCE)}") if by_number else key


def check_keys(session: Session, relation: str, key: str, *, platform: str, column: str) -> None:
    """Raise Rejected where a platform holds records whose key is NULL or none at all: they could not be told apart."""
    ((count,),) = session.rows(f"SELECT count(*) FROM {name(relation)} WHERE {name(key)} IS NULL")
    if count:
        raise Rejected(
            f"{count} rows of the {platform} platform have nothing in {column} that can be their key. "
            "Give each its key there, then try again."
        )


def _merge(session: Session, spec: Spec, relation: str) -> int:
    """Keep of the records with one key the first by its source key; return how many were merged into others."""
    order = keys.order(spec, name(SOURCE), Dialect.DUCKDB)
    before = session.rows(f"SELECT count(*) FROM {name(relation)}")[0][0]
    session.run(
        f"CREATE OR REPLACE TEMP TABLE {name(relation)} AS SELECT * FROM {name(relation)} QUALIFY "
        f"{name(KEY)} IS NULL OR row_number() OVER (PARTITION BY {name(KEY)} ORDER BY {order}) = 1"
    )
    return int(before - session.rows(f"SELECT count(*) FROM {name(relation)}")[0][0])


def _supplements(spec: Spec, *, by_number: bool) -> str:
    """Return the rows that the mapping itself adds, in the shape of an expected relation."""
    return " UNION ALL ".join(
        f"SELECT {', '.join(_supplement(spec, row, by_number=by_number))}" for row in spec.supplements
    )


def _supplement(spec: Spec, row: Mapping[str, Any], *, by_number: bool) -> list[str]:
    kind = "BIGINT" if by_number else "VARCHAR"
    parts = [f"{mapping.constant(row[spec.target_key])}::{kind} AS {name(KEY)}", f"'' AS {name(LEFT)}"]
    for column in spec.columns:
        kind = _SQL_TYPES.get(column.expression.type) or decimal_type(mapping.proven(spec, column))
        parts.append(f"CAST({mapping.constant(row[column.name])} AS {kind}) AS {name(column.name)}")
    return parts
