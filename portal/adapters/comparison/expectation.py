"""What the mapping promises: expected records, recomputed in DuckDB from the legacy platform's raw rows.

Nothing of the backfill is read here, neither its statement nor its outcomes: the spec is compiled for another
engine and evaluated again, so that the report is evidence of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backfills.domain import digits, keys
from backfills.domain.language import Node, Ref, Type, is_strict
from backfills.domain.spec import Column, Spec, Then
from backfills.domain.sql import Compiler, Dialect, decimal_type
from core.comparison import UNREADABLE
from core.ports import Rejected
from parity_reports.domain.gate import Family
from portal.adapters.comparison import mapping
from portal.adapters.comparison.duck import Session, name, text
from portal.adapters.comparison.platforms import Sources
from portal.adapters.comparison.typed import Value

SOURCE, KEY, LEFT, HELD = "source key", "record key", "left behind by", "held by"
"""Columns of an expected relation beside its values; the names of a mapping hold no space."""

NOT_MAPPED = "value_not_accepted"
"""What holds a record whose values the mapping cannot read or the new platform's column cannot take."""

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


@dataclass(frozen=True, slots=True)
class Staged(Compiler):
    """A compiler for which every `let` stands in a column of its own, and its badness in `<name>!`."""

    def bad(self, node: Node) -> str | None:
        """Return the test that something could not be read; what a `let` could not read is known by then."""
        if isinstance(node, Ref):
            return name(f"{node.name}!") if node.name in self.lets else None
        return Compiler.bad(self, node)

    def marked(self, node: Node, worth: str) -> str:
        """Return the test that something could not be read, for an expression whose worth is known.

        Where nothing unreadable can lead to a worth, only the few that have none are asked.
        """
        bad = self.bad(node)
        if bad is None:
            return "FALSE"
        return f"(CASE WHEN {worth} IS NULL THEN {bad} ELSE FALSE END)" if is_strict(node, self.lets) else bad


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
            f"CREATE OR REPLACE TEMP TABLE {name(relation)} AS {_mapped(spec, compiler, rows, by_number=by_number)}"
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


def _mapped(spec: Spec, compiler: Staged, rows: str, *, by_number: bool) -> str:
    """Return the SELECT that maps the raw rows: each `let` in a stage of its own, then columns and rules."""
    stages = [f"stage_0 AS (SELECT * FROM {rows})"]
    # Everything is computed once, before it is tested and marked: the engine does not notice repeated expressions.
    for number, (let, node) in enumerate(spec.lets, start=1):
        mark = f"{compiler.marked(node, name(let))} AS {name(let + '!')}"
        stages += [
            f"worth_{number} AS (SELECT *, {compiler.value(node)} AS {name(let)} FROM stage_{number - 1})",
            f"stage_{number} AS (SELECT *, {mark} FROM worth_{number})",
        ]
    worths = ", ".join(f"{_worth_of(spec, compiler, column)} AS {_worth(column.name)}" for column in spec.columns)
    marks = ", ".join(
        f"{compiler.marked(column.expression, _worth(column.name))} AS {_badness(column.name)}"
        for column in spec.columns
    )
    stages += [
        f"computed AS (SELECT *, {worths} FROM stage_{len(spec.lets)})",
        f"judged AS (SELECT *, {marks} FROM computed)",
    ]
    key = _worth(spec.target_key)
    if not by_number:
        key = mapping.readable_key(key, name(spec.key_column))
    outputs = [
        f"{name(spec.key_column)} AS {name(SOURCE)}",
        f"{key} AS {name(KEY)}",
        f"{mapping.left_behind(spec, compiler)} AS {name(LEFT)}",
        f"{_held(spec, compiler)} AS {name(HELD)}",
        *(_column(column) for column in spec.columns),
    ]
    return f"WITH {', '.join(stages)} SELECT {', '.join(outputs)} FROM judged"


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


def _worth_of(spec: Spec, compiler: Staged, column: Column) -> str:
    plain = compiler.value(column.expression)
    if column.expression.type is Type.DECIMAL:
        return f"({plain})::{decimal_type(mapping.proven(spec, column))}"
    return plain


def _column(column: Column) -> str:
    # A flag and not its text: of a million records, each column of text is 16 MB even where it is empty.
    return f"{_worth(column.name)} AS {name(column.name)}, {_badness(column.name)} AS {name(column.name + '!')}"


def _worth(column: str) -> str:
    """Return the computed column's name; with a space in it, it is none of the mapping's."""
    return name(f"worth of {column}")


def _badness(column: str) -> str:
    return name(f"badness of {column}")


def _held(spec: Spec, compiler: Staged) -> str:
    """Return SQL for what keeps a promised record from moving, or NULL."""
    cases = [
        f"WHEN {compiler.value(rule.when)} THEN {text(rule.name)}"
        for rule in spec.rules
        if rule.when is not None and rule.then is Then.QUARANTINE
    ]
    tests = [name(f"{let}!") for let, _ in spec.lets]
    tests += [test for column in spec.columns for test in _unacceptable(compiler, column)]
    if tests:
        cases.append(f"WHEN {' OR '.join(tests)} THEN {text(NOT_MAPPED)}")
    return f"(CASE {' '.join(cases)} END)" if cases else "NULL::VARCHAR"


def _unacceptable(compiler: Staged, column: Column) -> list[str]:
    plain, tests = _worth(column.name), [_badness(column.name)]
    if column.required:
        tests.append(f"({plain}) IS NULL")
    if column.max is not None:
        tests.append(f"coalesce(length({plain}) > {column.max}, FALSE)")
    if column.values:
        allowed = ", ".join(text(one) for one in column.values)
        tests.append(f"coalesce(({plain}) NOT IN ({allowed}), FALSE)")
    if column.references:
        relation, key = compiler.lookups[column.references]
        known = f"EXISTS (SELECT 1 FROM {relation} AS l WHERE l.{name(key)} = ({plain}))"
        tests.append(f"(({plain}) IS NOT NULL AND NOT {known})")
    return tests


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
