"""What becomes of one source row: the same decision in Python (`judge`) and in SQL (`statement`).

A row's checks stand in one order, the same for both: the spec's dropping and quarantining rules, then what
cannot be read, then what the target forbids. The first that holds decides. A row that passes them all moves;
the first `keep` rule that holds names how. Duplicate target keys are decided where all rows are (the batch).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from backfills.domain.evaluation import Value, World, evaluate
from backfills.domain.language import Node, Ref, Type, names_in
from backfills.domain.quoting import quote, text
from backfills.domain.shapes import Group, groups
from backfills.domain.spec import Column, Spec, Then
from backfills.domain.sql import Compiler
from backfills.domain.target_types import numeric_of


class Fate(StrEnum):
    """How a source row ends: exactly one of these."""

    MIGRATED = "migrated"
    TRANSFORMED = "transformed"
    MERGED = "merged"
    DROPPED = "dropped"
    QUARANTINED = "quarantined"

    @property
    def moves(self) -> bool:
        """Whether the row has an object of its own in the target."""
        return self in (Fate.MIGRATED, Fate.TRANSFORMED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A possible end of a row: its fate, the rule, and for a quarantine the SQLSTATE and source column."""

    fate: Fate
    rule: str = ""
    sqlstate: str = ""
    column: str = ""


class Test(StrEnum):
    """What a built-in check asks of a value."""

    UNREADABLE = "unreadable_value"
    MISSING = "missing_value"
    TOO_LONG = "value_too_long"
    OUT_OF_RANGE = "value_out_of_range"
    NOT_ALLOWED = "value_not_allowed"
    NO_REFERENCE = "missing_reference"


SQLSTATES: Mapping[str, str] = {
    Test.UNREADABLE: "22P02",
    Test.MISSING: "23502",
    Test.TOO_LONG: "22001",
    Test.OUT_OF_RANGE: "22003",
    Test.NOT_ALLOWED: "22P02",
    Test.NO_REFERENCE: "23503",
}
RULE_BROKEN = "23514"
DUPLICATE = "23505"

_RANGES = {"smallint": (-(2**15), 2**15 - 1), "integer": (-(2**31), 2**31 - 1), "bigint": (-(2**63), 2**63 - 1)}


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a row: a rule's condition, a value that must be readable, or a test of a target column."""

    verdict: Verdict
    rule: Node | None = None
    let: str = ""
    column: Column | None = None
    test: Test | None = None


def checks(spec: Spec) -> Iterator[Check]:
    """Yield a spec's checks in the order in which they decide."""
    for rule in spec.rules:
        if rule.then is Then.DROP:
            yield Check(Verdict(Fate.DROPPED, rule.name, column=rule.column), rule=rule.when)
        elif rule.then is Then.QUARANTINE:
            yield Check(Verdict(Fate.QUARANTINED, rule.name, RULE_BROKEN, rule.column), rule=rule.when)
    for name, node in spec.lets:
        if not isinstance(node, Ref):
            yield Check(_refusal(Test.UNREADABLE, spec.source_of(node)), let=name, test=Test.UNREADABLE)
    for column in spec.columns:
        for test in _tests(column):
            yield Check(_refusal(test, spec.source_of_column(column)), column=column, test=test)


def moving(spec: Spec) -> list[tuple[Verdict, Node | None]]:
    """Return how a row may move, in the order in which rules name it; the last holds always."""
    kept = [
        (Verdict(Fate.TRANSFORMED, rule.name, column=rule.column), rule.when)
        for rule in spec.rules
        if rule.then is Then.KEEP
    ]
    return [*kept, (Verdict(Fate.MIGRATED), None)]


def verdicts(spec: Spec) -> list[Verdict]:
    """Return every verdict of a spec; `statement` answers with positions in this list."""
    return [*(check.verdict for check in checks(spec)), *(verdict for verdict, _ in moving(spec))]


def _refusal(test: Test, column: str) -> Verdict:
    return Verdict(Fate.QUARANTINED, test.value, SQLSTATES[test], column)


def _tests(column: Column) -> Iterator[Test]:
    yield Test.UNREADABLE
    if column.required:
        yield Test.MISSING
    if column.type in _RANGES or numeric_of(column.type):
        yield Test.OUT_OF_RANGE
    if column.max:
        yield Test.TOO_LONG
    if column.values:
        yield Test.NOT_ALLOWED
    if column.references:
        yield Test.NO_REFERENCE


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of one row: the verdict, and the target's values where it moves."""

    verdict: Verdict
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Computed:
    """A source row as the spec's expressions read it, in Python."""

    known: Mapping[str, Value]
    values: Mapping[str, Value]
    unreadable: frozenset[str]
    """Names of `let` values, and of target columns after `out__`, that could not be read."""


def compute(spec: Spec, row: Mapping[str, str | None], world: World) -> Computed:
    """Evaluate every expression of a spec over one source row (all values as text)."""
    known: dict[str, Value] = dict(row)
    values: dict[str, Value] = {}
    unreadable: set[str] = set()
    for name, node in spec.lets:
        reading = evaluate(node, known, world)
        known[name] = reading.value
        unreadable |= {name} if reading.bad else set()
    for column in spec.columns:
        reading = evaluate(column.expression, known, world)
        values[column.name] = reading.value
        unreadable |= {f"out__{column.name}"} if reading.bad else set()
    return Computed(known, values, frozenset(unreadable))


def judge(spec: Spec, row: Mapping[str, str | None], world: World) -> Judgement:
    """Decide about one source row (all values as text) in Python."""
    computed = compute(spec, row, world)
    for check in checks(spec):
        if holds(check, computed, spec, world):
            return Judgement(check.verdict, {})
    for verdict, when in moving(spec):
        if when is None or evaluate(when, computed.known, world).value is True:
            return Judgement(verdict, computed.values)
    raise AssertionError("the last verdict holds always")


def holds(check: Check, computed: Computed, spec: Spec, world: World) -> bool:
    """Say whether a check finds fault with a row."""
    if check.rule is not None:
        return evaluate(check.rule, computed.known, world).value is True
    if check.let:
        return check.let in computed.unreadable
    assert check.column is not None
    name = check.column.name
    return _fails(check, computed.values[name], f"out__{name}" in computed.unreadable, spec, world)


def _fails(check: Check, value: Value, unreadable: bool, spec: Spec, world: World) -> bool:
    column = check.column
    assert column is not None
    match check.test:
        case Test.UNREADABLE:
            return unreadable
        case Test.MISSING:
            return value is None
    if value is None:
        return False
    match check.test:
        case Test.TOO_LONG:
            return len(str(value)) > (column.max or 0)
        case Test.NOT_ALLOWED:
            return value not in column.values
        case Test.NO_REFERENCE:
            return str(value) not in world.lookups[column.references]
    low, high = _range(column)
    return not low <= Decimal(str(value)) <= high


def _range(column: Column) -> tuple[Decimal, Decimal]:
    if sized := numeric_of(column.type):
        precision, scale = sized
        most = (Decimal(10) ** precision - 1).scaleb(-scale)
        return -most, most
    low, high = _RANGES[column.type]
    return Decimal(low), Decimal(high)


def statement(spec: Spec, compiler: Compiler, raw: str, *, extra: Sequence[str] = ()) -> str:
    """Return a SELECT over the raw rows: source key, every target column (`out__x`), and the verdict's number.

    `raw` is a relation whose columns are the spec's source columns, as text, and those named in `extra`, which
    are passed on. Numbers count in `verdicts(spec)`.
    Values of rows that do not move are as far as they could be read; use them of rows that move only.
    """
    # Names and literals are quoted by the compiler; nothing here comes from a row.
    passed = ", ".join(f"r.{quote(name)}" for name in (*extra, *(f"out__{column.name}" for column in spec.columns)))
    key, relation = quote(spec.key_column), computed_rows(spec, compiler, raw)
    return f"SELECT r.{key} AS source_key, {passed}, ({chosen(spec, compiler)}) AS verdict FROM {relation} AS r"  # noqa: S608 - quoted


def computed_rows(spec: Spec, compiler: Compiler, raw: str) -> str:
    """Return a relation of the raw rows with every `let` and every target column computed (`out__x`)."""
    relation, compiler = raw, _knowing(spec, compiler)
    if compiler.together:
        relation = with_columns(relation, [group.column for group in _groups(spec)])
    for layer in _layers(spec):
        relation = with_columns(relation, [f"{compiler.value(node)} AS {quote(name)}" for name, node in layer])
    columns = [f"{compiler.value(column.expression)} AS {quote(f'out__{column.name}')}" for column in spec.columns]
    return with_columns(relation, columns)


def _groups(spec: Spec) -> list[Group]:
    nodes = [*dict(spec.lets).values(), *(column.expression for column in spec.columns)]
    return groups(nodes, set(spec.source_columns).difference(dict(spec.lets)))


def _knowing(spec: Spec, compiler: Compiler) -> Compiler:
    """Return a compiler that knows which columns of the computed rows are tested together."""
    if not compiler.postgres or compiler.together:
        return compiler
    return replace(compiler, together={pair: group.flag for group in _groups(spec) for pair in group.covered})


def chosen(spec: Spec, compiler: Compiler) -> str:
    """Return SQL over the computed rows for the verdict's number in `verdicts(spec)`."""
    compiler = _knowing(spec, compiler)
    tests = [condition(check, compiler, spec) for check in checks(spec)]
    arms = [f"WHEN {test} THEN {number}" for number, test in enumerate(tests) if test != "FALSE"]
    last = len(tests)
    for offset, (_, when) in enumerate(moving(spec)):
        if when is not None:
            arms.append(f"WHEN {compiler.value(when)} THEN {last + offset}")
    otherwise = last + len(moving(spec)) - 1
    return f"CASE {' '.join(arms)} ELSE {otherwise} END" if arms else str(otherwise)


def with_columns(relation: str, made: list[str]) -> str:
    """Add columns to a relation; OFFSET keeps the planner from computing them again wherever they are used.

    Quoted, it is a constant from the start: else the planner takes it for one that needs all rows in one process.
    """
    return f"(SELECT r.*, {', '.join(made)} FROM {relation} AS r OFFSET '0')"  # noqa: S608 - quoted by the compiler


def _unreadable(node: Node, made: str, compiler: Compiler) -> str:
    """Return the test that something in an expression could not be read, given the name of what it was worth.

    Where that shows as NULL, values that are there need no second look: most rows are good.
    """
    bad = compiler.bad(node)
    if bad is None:
        return "FALSE"
    return f"({made} IS NULL AND {bad})" if compiler.shows(node) else bad


def condition(check: Check, compiler: Compiler, spec: Spec) -> str:
    """Return SQL over the computed rows for whether a check finds fault."""
    compiler = _knowing(spec, compiler)
    if check.rule is not None:
        return compiler.value(check.rule)
    if check.let:
        return _unreadable(dict(spec.lets)[check.let], quote(check.let), compiler)
    column, test = check.column, check.test
    assert column is not None
    out = quote(f"out__{column.name}")
    match test:
        case Test.UNREADABLE:
            return _unreadable(column.expression, out, compiler)
        case Test.MISSING:
            return f"{out} IS NULL"
        case Test.TOO_LONG:
            return f"length({out}) > {column.max}"
        case Test.NOT_ALLOWED:
            return f"{out} NOT IN ({', '.join(text(value) for value in column.values)})"
        case Test.NO_REFERENCE:
            named = out if column.type in ("text", "enum") else f"{out}::text"  # keys are looked up as text
            return f"({out} IS NOT NULL AND NOT EXISTS (SELECT 1 {compiler.looked_up(column.references, named)}))"
    low, high = _range(column)
    if column.type == "bigint":  # a bare literal of this size would be numeric, and so would the comparison
        return f"{out} NOT BETWEEN '{low:f}'::bigint AND '{high:f}'::bigint"
    return f"{out} NOT BETWEEN {low:f} AND {high:f}"


def _layers(spec: Spec) -> list[list[tuple[str, Node]]]:
    """Group `let` values so that each layer reads only the ones before it: nothing is computed twice."""
    depth: dict[str, int] = {}
    for name, node in spec.lets:
        depth[name] = 1 + max((depth.get(used, 0) for used in names_in(node)), default=0)
    return [[pair for pair in spec.lets if depth[pair[0]] == level] for level in sorted(set(depth.values()))]


def explain(spec: Spec, row: Mapping[str, str | None], world: World) -> list[tuple[str, str, Any]]:
    """Return (name, expression or kind, worth) of every `let` and target column of a row, for a person to read."""
    known: dict[str, Value] = dict(row)
    told: list[tuple[str, str, Any]] = []
    for name, node in spec.lets:
        known[name] = evaluate(node, known, world).value
        told.append((name, "let", known[name]))
    told += [(column.name, column.text, evaluate(column.expression, known, world).value) for column in spec.columns]
    return told


__all__ = [
    "Check",
    "Computed",
    "Fate",
    "Judgement",
    "Test",
    "Type",
    "Verdict",
    "checks",
    "chosen",
    "compute",
    "computed_rows",
    "condition",
    "explain",
    "holds",
    "judge",
    "statement",
    "verdicts",
    "with_columns",
]
