"""Few records judged where they are: both servers show them, and no engine is started for that.

Each value is shown in a form that is the same for two values if, and only if, they are equal; what is left is to hold
texts against each other. The mapping is the typed comparison's own SELECT, in the dialect of the legacy server.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from backfills.domain import source
from backfills.domain.language import Type
from backfills.domain.spec import Spec, Then
from backfills.domain.sql import Dialect
from core.comparison import UNREADABLE, ColumnDifference, Difference, Plan
from parity_reports.domain.gate import Family, Passage, passage
from portal.adapters.comparison import mapping
from portal.adapters.comparison.promising import HELD, KEY, LEFT, Staged, mapped
from portal.adapters.comparison.pushdown import NotPushable, digestible
from portal.adapters.comparison.quoting import name, text
from portal.adapters.comparison.servers import Databases

MOST = 5_000
"""Records that are judged so; more of them an engine judges sooner."""

_AT_ONCE = 1_000
_IDENTIFIER = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _Record:
    """One record as a platform shows it: each column's text, and of what is promised which could not be read."""

    held: str
    values: list[str | None]
    bad: list[bool]


class Few:
    """One entity's records by their keys, which both platforms hold as they are, each in one snapshot.

    `gate` is what the new platform's columns are, all of which have a common form (`forms`).
    """

    def __init__(self, plan: Plan, databases: Databases, gate: Mapping[str, Passage]) -> None:
        self._plan, self._databases, self._gate = plan, databases, gate
        self._spec: Spec = plan.spec

    def differences(self, keys: Sequence[str]) -> Iterator[Difference]:
        """Yield which of the records with these keys differ, and how."""
        for some in batched(keys, _AT_ONCE):
            promised, held = self._read(some)
            for key in some:
                if difference := self._judged(key, promised.get(key, []), held.get(key, [])):
                    yield difference

    def _read(self, keys: Sequence[str]) -> tuple[Mapping[str, list[_Record]], Mapping[str, list[_Record]]]:
        """Return by their keys the records that are promised, and those that are there."""
        queries = {"legacy": self._promised(keys), "new": self._held(keys)}
        return self._databases.both(lambda one: _records(one.ask(queries[one.title])))

    def _judged(self, key: str, promised: list[_Record], held: list[_Record]) -> Difference | None:
        if not promised and key in self._plan.on_hold:
            return None
        if len(promised) > 1 or len(held) > 1:
            return Difference(key, "duplicate")
        if not promised:
            return Difference(key, "extra") if held else None
        if not held:
            return Difference(key, "missing", because=promised[0].held)
        (one,), (two,) = promised, held
        columns = tuple(
            ColumnDifference(column.name, UNREADABLE if bad else expected, actual)
            for column, expected, bad, actual in zip(self._spec.columns, one.values, one.bad, two.values, strict=True)
            if bad or not self._is_same(column.name, expected, actual)
        )
        return Difference(key, "different", columns) if columns else None

    def _is_same(self, column: str, expected: str | None, actual: str | None) -> bool:
        if expected is not None and self._gate[column].family is Family.UUID:
            # The same identifier may be written in upper or lower case, in braces, or without its hyphens.
            bare = expected[1:-1] if expected.startswith("{") and expected.endswith("}") else expected
            plain = bare.replace("-", "").lower()
            return actual is not None and _IDENTIFIER.fullmatch(plain) is not None and plain == actual.replace("-", "")
        return expected == actual

    def _promised(self, keys: Sequence[str]) -> str:
        spec = self._spec
        compiler = Staged(Dialect.POSTGRES, tables=spec.tables, sets=spec.sets, zones=spec.zones, lets=dict(spec.lets))
        raw = mapping.raw(spec, self._plan.legacy_tenant, source.among(spec, keys))
        rows = mapped(spec, compiler, f"({raw}) AS s", by_number=False)
        shown = ", ".join(
            _shown(column.name, is_number=column.expression.type is Type.DECIMAL) for column in spec.columns
        )
        bad = ", ".join(name(f"{column.name}!") for column in spec.columns)
        return (
            f"SELECT {name(KEY)}, coalesce({name(HELD)}, ''), ARRAY[{shown}]::text[], ARRAY[{bad}]::boolean[] "
            f"FROM ({rows}) AS r WHERE {name(LEFT)} = ''"
        )

    def _held(self, keys: Sequence[str]) -> str:
        spec = self._spec
        key, family = name(spec.target_key), self._gate[spec.target_key].family
        shown = ", ".join(
            _shown(column.name, is_number=self._gate[column.name].family is Family.NUMERIC) for column in spec.columns
        )
        # What a collation takes for one of these keys, and is none, is not asked for afterwards.
        wanted = ", ".join(str(int(one)) if family is Family.INTEGER else text(one) for one in keys)
        return (
            f"SELECT {key}::text, '', ARRAY[{shown}]::text[], '{{}}'::boolean[] FROM {name(spec.target_table)} "
            f"WHERE {name(spec.target_tenant)} = {text(self._plan.new_tenant)} AND {key} IN ({wanted})"
        )


def opened(plan: Plan, databases: Databases) -> Few | None:
    """Return who judges an entity's records so; None where a record is not one row under its key on both platforms."""
    spec: Spec = plan.spec
    native = databases.legacy.declared(spec.source_table).get(mapping.native_key(spec), "")
    try:
        gate = digestible(plan, databases)
    except NotPushable:
        return None
    family, is_made = passage(native).family, bool(spec.supplements) or spec.duplicates.then is Then.MERGE
    if is_made or family is not gate[spec.target_key].family or not mapping.is_taken_over(spec, family):
        return None
    return Few(plan, databases, gate)


def _shown(column: str, *, is_number: bool) -> str:
    return f"trim_scale({name(column)})::text" if is_number else f"{name(column)}::text"


def _records(rows: list[tuple[object, ...]]) -> dict[str, list[_Record]]:
    found: dict[str, list[_Record]] = {}
    for key, held, values, bad in rows:
        assert isinstance(values, list)
        assert isinstance(bad, list)
        found.setdefault(str(key), []).append(_Record(str(held), values, bad))
    return found
