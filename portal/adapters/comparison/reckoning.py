"""Declared invariants, asked of both sides of a segment: the promised records and those of the new platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from backfills.domain import digits
from backfills.domain.digits import Digits
from backfills.domain.invariants import Invariant, Must, type_of
from backfills.domain.language import Node, Type
from backfills.domain.spec import Column, Spec
from backfills.domain.sql import Compiler, Dialect
from core.comparison import Plan, Reckoned
from core.ports import Rejected
from parity_reports.domain.gate import Family, Passage
from portal.adapters.comparison import expectation
from portal.adapters.comparison.duck import Session, name
from portal.adapters.comparison.platforms import Rows
from portal.adapters.comparison.typed import Value, received

_UNTOLD = name("cannot be told")
"""Whether a column that is asked holds an exotic or unreadable value; the names of a mapping hold no space."""

_KNOWN = name("is there")

_HELD_AS: Mapping[Type, frozenset[Family]] = {
    Type.INT: frozenset({Family.INTEGER}),
    Type.DECIMAL: frozenset({Family.INTEGER, Family.NUMERIC}),
    Type.BOOL: frozenset({Family.BOOLEAN}),
    Type.DATE: frozenset({Family.DATE}),
    Type.INSTANT: frozenset({Family.TIMESTAMPTZ}),
    Type.TEXT: frozenset({Family.TEXT, Family.OTHER, Family.UUID}),
}
_WIDEST_INTEGER = 19
_NOTHING: Mapping[Type, str] = {
    Type.TEXT: "VARCHAR", Type.INT: "BIGINT", Type.DECIMAL: "DECIMAL(18,6)", Type.BOOL: "BOOLEAN",
    Type.DATE: "DATE", Type.INSTANT: "TIMESTAMPTZ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asking(Compiler):
    """A compiler for expressions over columns whose digits are known."""

    bounds: Mapping[str, Digits] = field(default_factory=dict)

    def bound(self, node: Node) -> Digits:
        """Return the digits that a number can have."""
        return digits.of(node, self.bounds)


class Reckoning:
    """A spec's invariants over `expected` and `actual`. Call `promise` and `hold` while the snapshots last."""

    def __init__(self, plan: Plan, gate: Mapping[str, Passage]) -> None:
        self._plan, self._gate = plan, gate
        self._spec: Spec = plan.spec

    def promise(self, session: Session) -> None:
        """Make what promised references are looked up in, out of the legacy platform's rows."""
        for one in self._references():
            other: Spec = self._plan.others[one.entity]
            relation = expectation.promised(
                session, spec=other, others=self._plan.others, tenant=self._plan.legacy_tenant
            )
            session.run(
                f"CREATE OR REPLACE TEMP TABLE {name(_among('expected', one))} AS SELECT DISTINCT "
                f"{name(one.other or other.target_key)}::VARCHAR AS k FROM {relation}"
            )

    def hold(self, session: Session) -> None:
        """Make what the new platform's references are looked up in."""
        for one in self._references():
            other: Spec = self._plan.others[one.entity]
            rows = Rows(other.target_table, other.target_tenant, self._plan.new_tenant)
            with session.reading("new"):
                keys = session.platform("new").distinct(session, rows, one.other or other.target_key)
                session.run(f"CREATE OR REPLACE TABLE {name(_among('actual', one))} AS FROM {keys}")

    def relations(self) -> list[str]:
        """Return the names of what `promise` and `hold` make."""
        return [_among(side, one) for one in self._references() for side in ("expected", "actual")]

    @property
    def looks_up(self) -> bool:
        """Whether an invariant looks something up, so that `promise` and `hold` have something to make."""
        return bool(self._references())

    def results(self, session: Session, only: Mapping[str, str] | None = None) -> dict[str, tuple[Reckoned, Reckoned]]:
        """Return per invariant what both sides say, of the records that meet a side's condition if there is one."""
        where = {side: f" WHERE {condition}" for side, condition in (only or {}).items()}
        return {
            one.name: (
                self._ask(session, one, "expected", where.get("expected", "")),
                self._ask(session, one, "actual", where.get("actual", "")),
            )
            for one in self._spec.invariants
        }

    def _references(self) -> list[Invariant]:
        return [one for one in self._spec.invariants if one.must is Must.EVERY]

    def _ask(self, session: Session, one: Invariant, side: str, where: str) -> Reckoned:
        values = {column: self._value(self._spec.column(column), side, one) for column in sorted(one.reads)}
        marks = [f"coalesce({value.mark}, '') <> ''" for value in values.values() if value.mark]
        listed = [f"{value.sql} AS {name(column)}" for column, value in values.items()]
        listed.append(f"({' OR '.join(marks) if marks else 'FALSE'}) AS {_UNTOLD}")
        if one.must is Must.EVERY:
            key = f"{values[one.column].sql}::VARCHAR"
            listed.append(f"({key} IN (SELECT k FROM {name(_among(side, one))} WHERE k IS NOT NULL)) AS {_KNOWN}")
        rows = f"(SELECT {', '.join(listed)} FROM {side}{where}) AS asked"
        if one.must is Must.EVERY:
            there = f"{_UNTOLD} OR {name(one.column)} IS NOT NULL"
            return _reckoned(session, f"count(*) FILTER ({there})", f"({there}) AND {_KNOWN} IS NOT TRUE", "0", rows)
        assert one.test is not None  # `every` alone has none
        compiler = self._compiler(values)
        worth, bad = compiler.value(one.test), compiler.bad(one.test) or "FALSE"
        untold = f"{_UNTOLD} OR coalesce({bad}, FALSE)"
        match one.must:
            case Must.HOLDS:
                return _reckoned(session, "count(*)", f"{untold} OR ({worth}) IS NOT TRUE", "0", rows)
            case Must.COUNT:
                return _reckoned(session, "count(*)", untold, f"count(*) FILTER (({worth}) IS TRUE)", rows)
            case _:
                return _reckoned(session, "count(*)", untold, f"coalesce(sum({worth}), 0)", rows)

    def _compiler(self, values: Mapping[str, Value]) -> Asking:
        spec = self._spec
        bounds = {
            column: Digits(_WIDEST_INTEGER)
            if value.family is Family.INTEGER
            else Digits(value.precision - value.scale, value.scale)
            for column, value in values.items()
        }
        return Asking(Dialect.DUCKDB, tables=spec.tables, sets=spec.sets, zones=spec.zones, bounds=bounds)

    def _value(self, column: Column, side: str, one: Invariant) -> Value:
        """Return a column as an expression reads it. Raises Rejected for one that cannot be read exactly."""
        wanted = type_of(column.type)
        if side == "actual":
            value = received(self._gate[column.name], column.name, relation=side)
        elif column.expression.type is Type.NULL:
            family = min(_HELD_AS[wanted])
            return Value(f"NULL::{_NOTHING[wanted]}", family, precision=18, scale=6)
        else:
            value = expectation.value(self._spec, column, relation=side)
        if value.family not in _HELD_AS[wanted] or not (value.native or wanted is Type.TEXT):
            raise Rejected(
                f"The invariant “{one.says}” reads column {column.name}, which the new platform holds in a type that "
                "cannot be asked exactly."
            )
        if value.family is Family.UUID:
            return Value(f"{value.sql}::VARCHAR", Family.TEXT, value.mark)
        return value


def _among(side: str, one: Invariant) -> str:
    return f"{side} has {one.entity} {one.other}".replace(".", " ")


def _reckoned(session: Session, rows: str, failed: str, figure: str, source: str) -> Reckoned:
    found = session.rows(f"SELECT {rows}, count(*) FILTER ({failed}), ({figure})::VARCHAR FROM {source}")[0]
    return Reckoned(int(found[0]), int(found[1]), str(found[2]))
