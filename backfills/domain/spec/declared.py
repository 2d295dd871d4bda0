"""The mapping spec of one entity, as it is declared: what becomes of every source row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from backfills.domain.evaluation import World
from backfills.domain.invariants import Invariant
from backfills.domain.language import Node, names_in
from backfills.domain.merging import OnDrift

STOP_ABOVE_PERCENT = 0.1
"""So many percent of the rows may be rejected before the line stops, where the spec says nothing (charter)."""


class Then(StrEnum):
    """What a rule does with a row."""

    KEEP = "keep"
    DROP = "drop"
    QUARANTINE = "quarantine"
    MERGE = "merge"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule: `when` it holds, `then` this happens, `because`; `fix` is for the customer."""

    name: str
    then: Then
    because: str
    when: Node | None = None
    column: str = ""
    fix: str = ""

    @property
    def title(self) -> str:
        """Return the name as a person reads it."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the target: what it is made of, its type, and who may see its values."""

    name: str
    expression: Node
    type: str
    public: bool
    required: bool = False
    enum_type: str = ""
    values: tuple[str, ...] = ()
    max: int | None = None
    references: str = ""
    text: str = ""
    source: str = ""
    """The source column to correct when the value cannot be had: declared by `from`, or the first one read."""
    on_drift: OnDrift | None = None
    """Whose value counts when a drifted record is merged; legacy's where nothing is declared."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows of another entity of the same tenant, by its target key."""

    entity: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why a source column has no place on the new platform, and since when that is settled (ISO date or '')."""

    because: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """The column of legacy, by its name there, that holds when a row changed last; a `timestamp` is one of UTC."""

    column: str
    type: str


@dataclass(frozen=True, slots=True)
class Exported:
    """As of when a file holds everything: at a moment, as a column of its rows tells, or by when it was written.

    Then its writing was begun at most so many minutes earlier.
    """

    at: datetime | None = None
    column: Changed | None = None
    within_minutes: int | None = None

    @property
    def how(self) -> str:
        """How that is known, in words."""
        if self.at:
            return f"exported at {self.at:%Y-%m-%d %H:%M} UTC, as the mapping says"
        if self.column:
            return f"exported when “{self.column.column}” says"
        return f"exported at most {self.within_minutes} minutes before the file was written"


@dataclass(frozen=True, slots=True)
class Frozen:
    """Since which day (UTC) nobody changes anything in legacy any more, and why."""

    since: date
    because: str


@dataclass(frozen=True, slots=True)
class Spec:
    """How one entity moves. `digest` is the SHA-256 of the file, part of every run's evidence."""

    entity: str
    version: int
    title: str
    digest: str
    system: str
    source_table: str
    """A table or view of legacy; or the name of a file in its folder, where `source_is_file`."""
    source_tenant: str
    key_column: str
    """The source column with the key; where the key is made of several, the name under which its text is read."""
    key_parts: tuple[tuple[str, str], ...]
    """The source columns that the key stands in, each with its type; rows are read in their order."""
    source_columns: Mapping[str, bool]
    """Source column → whether its values are public."""
    target_table: str
    target_tenant: str
    target_key: str
    columns: tuple[Column, ...]
    lets: tuple[tuple[str, Node], ...] = ()
    rules: tuple[Rule, ...] = ()
    duplicates: Rule = field(
        default_factory=lambda: Rule("duplicate_key", Then.QUARANTINE, "Another row of legacy has the same key.")
    )
    vanished: Rule = field(
        default_factory=lambda: Rule("gone_from_legacy", Then.DELETE, "The row was deleted in legacy since.")
    )
    supplement_rule: Rule | None = None
    supplements: tuple[Mapping[str, Any], ...] = ()
    after: tuple[str, ...] = ()
    batch: int = 50_000
    stop_above_percent: float = STOP_ABOVE_PERCENT
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    dropped: Mapping[str, Dropped] = field(default_factory=dict)
    """Source columns that are left behind on purpose."""
    cases: Mapping[str, str] = field(default_factory=dict)
    """What becomes of deleted, archived, orphaned, … objects: a rule's name, or why there are none."""
    source_names: Mapping[str, str] = field(default_factory=dict)
    """Source columns that legacy calls by another name."""
    changed: Changed | None = None
    """What tells which rows changed since a moment; without it, a run reads all of them."""
    exported: Exported | None = None
    """How it is known as of when a file holds everything; without it, a file holds what it tells of."""
    frozen: Frozen | None = None
    invariants: tuple[Invariant, ...] = ()
    """What must hold of the records on both platforms."""
    source_is_file: bool = False
    source_text: str = ""
    """The file, as it was read."""

    @property
    def key_is_made(self) -> bool:
        """Whether the key is made of several columns (`keys`)."""
        return self.key_column not in dict(self.key_parts)

    @property
    def has_public_key(self) -> bool:
        """Whether a row's key in legacy may be shown."""
        return self.source_columns[self.key_column]

    @property
    def key_type(self) -> str:
        """Return the type of the key as it is read."""
        return "text" if self.key_is_made else dict(self.key_parts)[self.key_column]

    @property
    def label(self) -> str:
        """Name the spec exactly: entity, version and the beginning of its digest."""
        return f"{self.entity}@{self.version}+{self.digest[:12]}"

    def rule(self, name: str) -> Rule | None:
        """Return a named rule of this spec."""
        every = (*self.rules, self.duplicates, self.vanished, *filter(None, [self.supplement_rule]))
        return next((rule for rule in every if rule.name == name), None)

    @property
    def held_by(self) -> str:
        """Return the name of the rule by which rows move that legacy itself marks as held; '' where there is none."""
        named = self.cases.get("held")
        return next((rule.name for rule in self.rules if rule.name == named and rule.then is Then.KEEP), "")

    def column(self, name: str) -> Column:
        """Return a target column."""
        return next(column for column in self.columns if column.name == name)

    @property
    def merges(self) -> bool:
        """Whether it says of any column whose value counts, so that a drifted record can be merged."""
        return any(column.on_drift for column in self.columns)

    def world(self, lookups: Mapping[str, Mapping[str, Mapping[str, str | None]]] | None = None) -> World:
        """Return what the spec's expressions may consult, for evaluation in Python."""
        return World(self.tables, self.sets, self.zones, lookups or {})

    def source_of_column(self, column: Column) -> str:
        """Return the source column to correct when a target column's value cannot be had."""
        return column.source or self.source_of(column.expression)

    def source_of(self, node: Node) -> str:
        """Return the first source column that an expression reads, directly or through `let`; else ''."""
        lets = dict(self.lets)
        for name in sorted(names_in(node), key=[*self.source_columns, *lets].index):
            found = name if name in self.source_columns else self.source_of(lets[name])
            if found:
                return found
        return ""
