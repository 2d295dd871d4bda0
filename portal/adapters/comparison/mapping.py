"""What is said of a mapping alike in every engine: SQL that both dialects read, and what its types prove."""

from decimal import Decimal
from typing import Any

from backfills.domain import digits, source
from backfills.domain.digits import Digits
from backfills.domain.evaluation import evaluate
from backfills.domain.language import Call, Node, Ref, Type
from backfills.domain.spec import Column, Spec, Then
from backfills.domain.sql import Compiler
from parity_reports.domain.gate import Family
from portal.adapters.comparison.quoting import text

_NUMBER = 18
_LEAVES = frozenset({Then.DROP, Then.DELETE, Then.MERGE})


def raw(spec: Spec, tenant: str, where: str) -> str:
    """Return what the legacy server is asked: raw columns as text, the tenant's rows, by the native key."""
    narrowed = f" AND ({where})" if where else ""
    return f"SELECT {source.selected(spec)} {source.of_tenant(spec, tenant)}{narrowed}"


def leaving(spec: Spec) -> list[str]:
    """Return the names of the rules that leave records behind."""
    rules = [rule.name for rule in spec.rules if rule.when is not None and rule.then in _LEAVES]
    return [*rules, spec.duplicates.name] if spec.duplicates.then is Then.MERGE else rules


def left_behind(spec: Spec, compiler: Compiler) -> str:
    """Return SQL for the name of the rule that leaves the record behind, or ''; the first rule that applies decides."""
    cases = [
        f"WHEN {compiler.value(rule.when)} THEN {text(rule.name if rule.then in _LEAVES else '')}"
        for rule in spec.rules
        if rule.when is not None and rule.then is not Then.KEEP
    ]
    return f"(CASE {' '.join(cases)} ELSE '' END)" if cases else "''"


def readable_key(key: str, source: str) -> str:
    """Return the SQL of a key's text, in either dialect."""
    # A record whose key cannot be read is still promised: its source key, marked, stands for it.
    return f"coalesce({key}::varchar, chr(1) || {source})"


def constant(given: Any) -> str:
    """Return the SQL of a value that the mapping itself gives, as text."""
    return "NULL" if given is None else text(_spelled(given))


def supplied(spec: Spec) -> set[str]:
    """Return the keys of the records that the mapping itself adds, where it takes keys over, as a platform spells them.

    One that it could not read from legacy stands for itself, as no platform would spell it.
    """
    node, found = spec.column(spec.target_key).expression, set[str]()
    for row in spec.supplements:
        key = _spelled(row[spec.target_key])
        read = evaluate(node, {spec.key_column: key}, spec.world())
        found.add(key if read.bad else str(read.value))
    return found


def _spelled(given: Any) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)


def proven(spec: Spec, column: Column) -> Digits:
    """Return the digits of everything that the mapping can put into a number column."""
    if column.expression.type not in (Type.INT, Type.DECIMAL):
        return Digits(0)
    bound = digits.of(column.expression, dict(spec.lets))
    for row in spec.supplements:
        bound |= digits.of_number(Decimal(str(row[column.name] or 0)))
    return bound


def fits_number(spec: Spec) -> bool:
    """Whether every key that the mapping can make is a whole number of 64 bits."""
    column = spec.column(spec.target_key)
    return column.expression.type is Type.INT and proven(spec, column).total <= _NUMBER


def native_key(spec: Spec) -> str:
    """Return the key's column as legacy calls it, where the key is one column."""
    return spec.source_names.get(spec.key_column, spec.key_column)


def is_taken_over(spec: Spec, family: Family) -> bool:
    """Whether the mapping makes the new key of nothing but the legacy one, where both are of this family."""
    key = Ref(spec.key_column, Type.TEXT)
    taken_over: dict[Family, list[Node]] = {
        Family.TEXT: [key],
        Family.INTEGER: [Call(reading, (key,), Type.INT) for reading in ("int", "bigint")],
    }
    return not spec.key_is_made and spec.column(spec.target_key).expression in taken_over.get(family, ())
