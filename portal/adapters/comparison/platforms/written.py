"""Platforms whose values are read from texts, as the types that the mapping declares for them."""

from collections.abc import Mapping

from parity_reports.domain import file_gate
from parity_reports.domain.gate import Family, Passage
from portal.adapters.comparison import texts
from portal.adapters.comparison.platforms.base import Asking, Rows
from portal.adapters.comparison.platforms.local import Local
from portal.adapters.comparison.quoting import name


class Written(Local):
    """A platform without types of its own."""

    def passage(self, declared: str, wanted: str) -> Passage:
        """Decide by what the mapping declares alone."""
        return file_gate.written(wanted)

    def values(self, session: Asking, rows: Rows, gate: Mapping[str, Passage]) -> str:
        """Return the relation of rows as typed values: texts, what they say, and marks of those that say nothing."""
        shown, read, marked = [], [], []
        for column, passage in gate.items():
            text, value, mark = name(column), name(column + "="), name(column + "!")
            family = passage.family
            shown.append(f"{self.spoken(session, rows.table, column, family)} AS {text}")
            foreign = self.foreign(column, family)
            if foreign:
                shown.append(f"{foreign} AS {mark}")
            if family is Family.NUMERIC and not passage.native:
                worth = texts.number(text)
                marked.append(f"coalesce({mark}, {value}) AS {text}" if foreign else f"{value} AS {text}")
            else:
                worth = _worth(text, passage)
                told = texts.MARKS.get(family, texts.unreadable)(text)
                told = f"CASE WHEN {text} IS NOT NULL AND {value} IS NULL THEN {told} END"
                marked.append(f"{value} AS {text}, {f'coalesce({mark}, {told})' if foreign else told} AS {mark}")
            read.append(f"{worth} AS {value}")
        inner = f"SELECT {', '.join(shown)} {self._from(session, rows, *gate)}"
        return f"(SELECT {', '.join(marked)} FROM (SELECT *, {', '.join(read)} FROM ({inner})))"

    def spoken(self, session: Asking, table: str, column: str, family: Family) -> str:
        """Return the SQL of the text that says a value of this family."""
        return self._shown(session, table, column)

    def foreign(self, column: str, family: Family) -> str:
        """Return the SQL of the mark of a value that no text of this family is; '' where there can be none."""
        return ""


def _worth(text: str, passage: Passage) -> str:
    """Return the SQL of what a text says."""
    if passage.family is Family.TEXT:
        return text
    if passage.family is Family.NUMERIC:
        return texts.decimal(text, precision=passage.precision, scale=passage.scale)
    return texts.READERS[passage.family](text)
