"""What a backfill says to the two platforms and hears from them, as facts: shared by ports, adapters and use cases."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Rows of legacy in PostgreSQL's COPY text format, one line each, columns in the order of the spec."""

    data: bytes = b""
    count: int = 0
    first_key: str | None = None
    last_key: str | None = None
    version: str = ""
    """The state of the source that they were read from (`LegacyPlatform.version`)."""


@dataclass(frozen=True, slots=True)
class SourceKeys:
    """Which rows a source holds: how many, and the sum of their keys' digests, whatever their order.

    A key's digest is the first 60 bits of the MD5 of its text in UTF-8: every engine can compute it.
    """

    rows: int = 0
    digest: int = 0
    version: str = field(default="", compare=False)
    """The state of the source that they were read from (`LegacyPlatform.version`)."""

    @classmethod
    def of(cls, keys: Iterable[str]) -> "SourceKeys":
        """Describe keys."""
        digests = [int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()[:15], 16) for key in keys]
        return cls(len(digests), sum(digests))


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """Which run of which entity loads into which account. `specs` are the mapping's specs by entity."""

    run_id: UUID
    account_id: UUID
    account_name: str
    tenant_ref: str
    entity: str
    specs: Mapping[str, Any]
    at: datetime
    since: datetime | None = None
    """Only rows that changed since are read, by legacy's clock, and all others stay as they are: a catch-up."""
    standing: bool = False
    """Nobody asked for it: a row that is rejected as it was before has not been tried once more."""
    preserves: bool = False
    """A legal hold stands: nothing of the account is removed, and of what is written over a copy is kept."""

    @property
    def spec(self) -> Any:
        """Return the spec of the entity."""
        return self.specs[self.entity]


@dataclass(frozen=True, slots=True)
class Letter:
    """A rejected row: why, by which spec, how often, and its encrypted payload."""

    source_key: str
    rule: str
    sqlstate: str
    column: str
    spec: str
    attempts: int
    first_at: datetime
    last_at: datetime
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A committed batch: its rows, how many target rows it changed, and the dead letters it wrote."""

    number: int
    first_key: str
    last_key: str
    rows: int
    changed: int
    at: datetime
    letters: tuple[Letter, ...] = ()
    settled: tuple[str, ...] = ()
    """Source keys of dead letters that this batch resolved."""


@dataclass(frozen=True, slots=True)
class RunPosition:
    """How far a run is. `totals` counts source rows per (fate, rule)."""

    read: int
    source_total: int
    ranges: int = 1
    """Key ranges that may be moved side by side."""
    loaded: bool = False
    """No row follows."""
    closed: bool = False
    """Every source row is accounted for and what legacy no longer has is removed."""
    totals: Mapping[tuple[str, str], int] = field(default_factory=dict)
    supplemented: int = 0
    removed: int = 0
    """Objects that were removed at its end: legacy has nothing of them any more."""
    held: int = 0
    """Objects that would have been removed, too, and are kept: under a legal hold, or by legacy's own mark."""
    batches: tuple[BatchDone, ...] = ()


HELD = "held"
"""How an object stands that is kept although nothing of legacy asks for it: the fate of no row."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one source row ended. `holder` is the row that the object comes from: another one where it was merged.

    With `held_at`, nothing of legacy asks for the object any more, and since then it is held all the same: by the rule
    `held_by`, or under a legal hold. One that came from no row has no `source_key`.
    """

    source_key: str
    fate: str
    rule: str
    target_key: str | None
    holder: str
    run_id: UUID
    spec: str
    at: datetime | None
    held_at: datetime | None = None
    held_by: str = ""


@dataclass(frozen=True, slots=True)
class Preserved:
    """An object as it stood before a run wrote over it under a legal hold: its row on the new platform, as JSON."""

    entity: str
    key: str
    run_id: UUID
    at: datetime
    image: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an object of the new platform came from: which row, by which spec, when.

    `source` says how that row has fared since: `same`, `changed`, `gone`, or `unknown` where nobody kept how it was.
    A row that the mapping itself supplied is always the `same`.
    """

    source_key: str
    spec: str
    at: datetime
    source: str
    supplied: bool = False
