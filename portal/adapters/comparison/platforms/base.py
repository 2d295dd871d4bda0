"""What a comparison asks of a platform, whatever engine holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import duckdb

from backfills.domain.naming import Named
from backfills.domain.spec import Spec
from core.comparison import Segment
from core.ports import Rejected, Unavailable
from parity_reports.domain.gate import Passage
from portal.adapters.comparison.quoting import text


class Asking(Protocol):
    """Whoever has the engine answer a statement."""

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return all rows of a statement whose result is known to be small."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """Which native keys are asked for: those after one (exclusive) up to another (inclusive), or `among` those listed.

    Whole numbers are compared as such, texts bytewise.
    """

    column: str
    by_number: bool
    after: str | None = None
    upto: str | None = None
    among: tuple[str, ...] = ()
    sample: Segment | None = None
    """Only the keys of this sample, where the platform has a server that can draw it; others send all."""

    def condition(self, key: str) -> str:
        """Return the condition on a key given as SQL that compares as a native key must; '' where all are asked for."""
        if self.among:
            return f"{key} IN ({', '.join(map(self.literal, self.among))})"
        tests = []
        if self.after is not None:
            tests.append(f"{key} > {self.literal(self.after)}")
        if self.upto is not None:
            tests.append(f"{key} <= {self.literal(self.upto)}")
        return " AND ".join(tests)

    def literal(self, key: str) -> str:
        """Quote one key."""
        return str(int(key)) if self.by_number else text(key)


@dataclass(frozen=True, slots=True)
class Sources:
    """A tenant's rows that a mapping reads from legacy: all, or those in a range of keys, with some keys, or late."""

    spec: Spec
    tenant: str
    after: str | None = None
    upto: str | None = None
    among: tuple[str, ...] = ()
    sample: Segment | None = None
    since: datetime | None = None
    """Only rows that changed since, or do not tell when they did, those with the keys `also`, and those that name one
    of the keys `named` of another entity."""
    also: tuple[str, ...] = ()
    named: Named = field(default_factory=dict)
    holding: tuple[str, str] | None = None
    """Only rows whose column, named by the mapping, holds just this text."""


def keys_alone(spec: Spec) -> Spec:
    """Return a spec that reads nothing but the key."""
    wanted = {column for column, _ in spec.key_parts} | {spec.key_column}
    return replace(spec, source_columns={one: shown for one, shown in spec.source_columns.items() if one in wanted})


@dataclass(frozen=True, slots=True)
class Rows:
    """A tenant's rows of a table of the new platform: all of them, or those with certain keys."""

    table: str
    tenant_column: str
    tenant: str
    keys: Keys | None = None


class Platform(Protocol):
    """One side of a comparison, attached to the engine under its name.

    What `texts` and `values` return stands after FROM. No text that is raised carries a value, an address or a
    credential.
    """

    name: str

    @property
    def folder(self) -> str:
        """The folder that the engine must be able to read while the session lasts; '' for none."""
        ...

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the platform known to the engine, for reading only."""
        ...

    def gate(self, session: Asking, table: str, wanted: Mapping[str, str]) -> dict[str, Passage]:
        """Return how each wanted column passes the type gate; `wanted` gives the type that the mapping declares.

        Raises Rejected for a table or column that is not there, and for one that no way leads to exactly.
        """
        ...

    def is_unicode(self, session: Asking) -> bool:
        """Tell whether a text has the same bytes there as in the engine."""
        ...

    def texts(self, session: Asking, sources: Sources) -> str:
        """Return the relation of source rows as text, each value as PostgreSQL would show it; named by the mapping."""
        ...

    def count_sources(self, session: Asking, sources: Sources) -> int:
        """Count source rows."""
        ...

    def bounds(self, session: Asking, sources: Sources, *, size: int) -> list[str]:
        """Return the keys that end ranges of `size` source rows each."""
        ...

    def values(self, session: Asking, rows: Rows, gate: Mapping[str, Passage]) -> str:
        """Return the relation of rows as typed values, with marks (`<column>!`) beside those that have a guard."""
        ...

    def distinct(self, session: Asking, rows: Rows, column: str) -> str:
        """Return the relation of what stands in a column, each value once, as text `k`."""
        ...

    def count(self, session: Asking, rows: Rows) -> int:
        """Count rows."""
        ...

    def repeated(self, session: Asking, rows: Rows, key: str) -> int:
        """Count the keys that stand more than once."""
        ...

    def orphans(self, session: Asking, rows: Rows, column: str, *, of: Rows, key: str) -> int:
        """Count the rows whose column points to no row of another table."""
        ...

    def explained(self, error: duckdb.Error) -> Unavailable | Rejected | None:
        """Put an error while the platform was read into words; None where nothing special is known."""
        ...

    def check_unchanged(self) -> None:
        """Raise Unavailable if what was read has changed since the session began and no snapshot protects from it."""
        ...
