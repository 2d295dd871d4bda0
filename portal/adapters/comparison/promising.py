"""What the mapping promises of each raw row by itself, as one SELECT of either dialect."""

from dataclasses import dataclass

from backfills.domain.language import Node, Ref, Type, is_strict
from backfills.domain.spec import Column, Spec, Then
from backfills.domain.sql import Compiler, decimal_type
from portal.adapters.comparison import mapping
from portal.adapters.comparison.quoting import name, text

SOURCE, KEY, LEFT, HELD = "source key", "record key", "left behind by", "held by"
"""Columns of what is promised beside its values; the names of a mapping hold no space."""

NOT_MAPPED = "value_not_accepted"
"""What holds a record whose values the mapping cannot read or the new platform's column cannot take."""


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


def mapped(spec: Spec, compiler: Staged, rows: str, *, by_number: bool) -> str:
    """Return the SELECT that maps the raw rows: each `let` in a stage of its own, then columns and rules.

    Beside `SOURCE`, `KEY`, `LEFT` and `HELD` it has each column's worth and, in `<column>!`, whether it was unreadable.
    """
    # Everything is computed once, before it is tested and marked: neither engine notices repeated expressions.
    once = "AS MATERIALIZED" if compiler.postgres else "AS"
    stages = [f"stage_0 {once} (SELECT * FROM {rows})"]
    for number, (let, node) in enumerate(spec.lets, start=1):
        mark = f"{compiler.marked(node, name(let))} AS {name(let + '!')}"
        stages += [
            f"worth_{number} {once} (SELECT *, {compiler.value(node)} AS {name(let)} FROM stage_{number - 1})",
            f"stage_{number} {once} (SELECT *, {mark} FROM worth_{number})",
        ]
    worths = ", ".join(f"{_worth_of(spec, compiler, column)} AS {_worth(column.name)}" for column in spec.columns)
    marks = ", ".join(
        f"{compiler.marked(column.expression, _worth(column.name))} AS {_badness(column.name)}"
        for column in spec.columns
    )
    stages += [
        f"computed {once} (SELECT *, {worths} FROM stage_{len(spec.lets)})",
        f"judged {once} (SELECT *, {marks} FROM computed)",
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


def _worth_of(spec: Spec, compiler: Staged, column: Column) -> str:
    plain = compiler.value(column.expression)
    if column.expression.type is Type.DECIMAL and not compiler.postgres:
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
