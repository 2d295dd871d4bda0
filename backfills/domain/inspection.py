"""Every fault of a row, not only the first: what an inspection of the source tells before anything moves.

The verdict is `judgement`'s, so that what is foretold is what a run decides. A row that would be rejected also
tells all else that is wrong with it. One cause is told once: a value that is missing because something else could
not be read is no fault of its own; of the checks that stumble over the same columns the narrowest speaks, and a rule of
the mapping before a built-in one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backfills.domain.evaluation import World
from backfills.domain.judgement import (
    Check,
    Fate,
    Test,
    Verdict,
    checks,
    chosen,
    compute,
    computed_rows,
    condition,
    holds,
    with_columns,
)
from backfills.domain.language import Node, names_in
from backfills.domain.quoting import quote
from backfills.domain.spec import Spec
from backfills.domain.sql import Compiler

_CAUSES = frozenset({Test.UNREADABLE, Test.MISSING, Test.NO_REFERENCE})
EXAMPLES = 5
"""Rows that are named for each kind of fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A check that can reject a row. `number` counts in `verdicts(spec)`; `told_by` are narrower checks."""

    number: int
    check: Check
    told_by: tuple[int, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Return rule, SQLSTATE and the source column to correct."""
        return self.check.verdict


def faults(spec: Spec) -> list[Fault]:
    """Return every check of a spec that can reject a row, and which others would tell of the same cause."""
    listed = [(number, check) for number, check in enumerate(checks(spec)) if check.verdict.fate is Fate.QUARANTINED]
    reads = {number: _reads(spec, check) for number, check in listed}
    found = []
    for number, check in listed:
        narrower: tuple[int, ...] = ()
        if check.test is Test.MISSING:
            rank = (len(reads[number]), number)
            narrower = tuple(
                other
                for other, cause in listed
                if _stumbles(cause, reads[other], reads[number]) and (len(reads[other]), other) < rank
            )
        found.append(Fault(number, check, narrower))
    return found


def _stumbles(cause: Check, reads: frozenset[str], missing: frozenset[str]) -> bool:
    """Say whether a check may tell why a value is missing that is made of the columns `missing`.

    A built-in one does when both read a column in common; a rule when it is about these columns and no others.
    """
    if cause.rule is not None:
        return bool(reads) and reads <= missing
    return cause.test in _CAUSES and bool(reads & missing)


def source_columns_of(spec: Spec, node: Node) -> frozenset[str]:
    """Return the source columns that an expression reads, directly or through `let`."""
    lets = dict(spec.lets)
    read = (source_columns_of(spec, lets[name]) if name in lets else frozenset({name}) for name in names_in(node))
    return frozenset().union(*read)


def _reads(spec: Spec, check: Check) -> frozenset[str]:
    if check.rule is not None:
        return source_columns_of(spec, check.rule)
    if check.let:
        return source_columns_of(spec, dict(spec.lets)[check.let])
    assert check.column is not None
    return source_columns_of(spec, check.column.expression)


def find(spec: Spec, row: Mapping[str, str | None], world: World) -> list[int]:
    """Return the numbers of all faults of a row that would be rejected, in Python; none of any other row."""
    computed = compute(spec, row, world)
    first = next((check for check in checks(spec) if holds(check, computed, spec, world)), None)
    if first is None or first.verdict.fate is not Fate.QUARANTINED:
        return []
    held = {one.number for one in faults(spec) if holds(one.check, computed, spec, world)}
    return [one.number for one in faults(spec) if one.number in held and not held & set(one.told_by)]


def statement(spec: Spec, compiler: Compiler, raw: str, *, extra: Sequence[str] = ()) -> str:
    """Return a SELECT as `judgement.statement` does, with the numbers of all faults (`faults`) in PostgreSQL.

    `faults` is an array for a row that would be rejected, else NULL.
    """
    every = faults(spec)
    told = {one.number: f"coalesce({condition(one.check, compiler, spec)}, FALSE)" for one in every}
    relation = with_columns(computed_rows(spec, compiler, raw), [f"({chosen(spec, compiler)}) AS verdict"])
    arms = []
    for one in every:
        narrower = " OR ".join(told[other] for other in one.told_by)
        test = f"{told[one.number]} AND NOT ({narrower})" if narrower else told[one.number]
        arms.append(f"CASE WHEN {test} THEN {one.number} END")
    rejected = ", ".join(str(one.number) for one in every)
    listed = f"CASE WHEN r.verdict IN ({rejected}) THEN array_remove(ARRAY[{', '.join(arms)}], NULL) END"
    outputs = ", ".join(f"r.{quote(name)}" for name in (*extra, *(f"out__{column.name}" for column in spec.columns)))
    key = quote(spec.key_column)
    return (
        f"SELECT r.{key} AS source_key, {outputs}, r.verdict, {listed if every else 'NULL::int[]'} AS faults "  # noqa: S608 - quoted
        f"FROM {relation} AS r"
    )
