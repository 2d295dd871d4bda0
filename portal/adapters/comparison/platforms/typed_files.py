"""Platforms whose values have types of the engine's own."""

from collections.abc import Mapping

from parity_reports.domain import file_gate
from parity_reports.domain.gate import Family, Passage
from portal.adapters.comparison import texts
from portal.adapters.comparison.platforms.base import Asking, Rows
from portal.adapters.comparison.platforms.local import Local
from portal.adapters.comparison.quoting import name


class Typed(Local):
    """A platform whose columns are declared as the engine's types; what the mapping declares changes nothing."""

    def passage(self, declared: str, wanted: str) -> Passage:
        """Decide by the column's own type."""
        return file_gate.native(declared).passage

    def shown(self, column: str, declared: str) -> str:
        """Return the SQL of a value as PostgreSQL would show it."""
        return _shown(name(column), declared)

    def values(self, session: Asking, rows: Rows, gate: Mapping[str, Passage]) -> str:
        """Return the relation of rows as typed values, and the texts of what the guards keep from passing."""
        parts = []
        for column, passage in gate.items():
            declared, quoted = self._column(session, rows.table, column), name(column)
            plain = file_gate.native(declared).cast.format(quoted)
            if passage.guard:
                guard = passage.guard.format(quoted)
                mark = f"CASE WHEN {guard} THEN {_shown(quoted, declared)} END"
                parts += [
                    f"CASE WHEN {guard} THEN NULL ELSE {plain} END AS {quoted}",
                    f"{mark} AS {name(column + '!')}",
                ]
            else:
                parts.append(f"{plain} AS {quoted}")
        return f"(SELECT {', '.join(parts)} {self._from(session, rows, *gate)})"


_SHOWN = {
    Family.FLOAT: texts.shown_float,
    Family.BYTES: texts.shown_octets,
    Family.DATE: texts.shown_moment,
    Family.TIMESTAMP: texts.shown_moment,
    Family.TIMESTAMPTZ: texts.shown_moment,
}


def _shown(value: str, declared: str) -> str:
    found = file_gate.native(declared)
    if shape := _SHOWN.get(found.passage.family):
        return shape(value)
    # A text goes through its cast, which takes its collation away.
    return found.cast.format(value) if found.passage.family is Family.TEXT else f"{value}::VARCHAR"
