"""What the fake mover remembers of an account's entities and runs, and how it decides at the end of one."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from backfills.domain.judgement import DUPLICATE, Fate, Verdict
from backfills.domain.spec import Spec, Then
from core.moving import BatchDone, Letter
from core.ports import Rejected


@dataclass
class Range:
    last_key: str | None
    until: str | None
    loaded: bool = False
    taken: bool = False


@dataclass
class Run:
    source_total: int
    ranges: list[Range]
    read: int = 0
    closed: bool = False
    supplemented: int = 0
    removed: int = 0
    held: int = 0
    looked: int = 0
    looked_from: int | None = None
    batches: list[BatchDone] = field(default_factory=list)


@dataclass
class Entity:
    """An entity of an account: what is there, where it comes from, how every source row ended."""

    objects: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    rows: dict[str, tuple[str, datetime, dict[str, str | None]]] = field(default_factory=dict)
    """Per source key: spec, time and row of its last move."""
    supplied: set[str] = field(default_factory=set)
    outcomes: dict[str, tuple[UUID, Verdict, str | None]] = field(default_factory=dict)
    letters: dict[str, tuple[Letter, bool]] = field(default_factory=dict)
    held: dict[str, tuple[str, str, datetime]] = field(default_factory=dict)
    """Per object that is held: its row's key if it had one, the rule if it is held by one, and since when."""
    touched: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """Per key: the number of its latest note, and whether it merely came."""
    judged: int | None = None
    """Up to which note all rows are judged."""


def there(entity: Entity, held: Callable[[], Iterator[bytes]]) -> dict[str, tuple[UUID, Verdict, str | None]]:
    """Return the outcomes of rows that are there; one that is not met must be late."""
    listed = dict(line.rsplit("\t", 1) for line in b"".join(held()).decode().split("\n")[:-1])
    unmet = [key for key, late in listed.items() if late == "f" and key not in entity.outcomes]
    if unmet:
        raise Rejected(f"Legacy holds new rows ({len(unmet):,}) that have not changed: run it in full.")
    return {key: one for key, one in entity.outcomes.items() if key in listed}


def held_by(spec: Spec, entity: Entity, key: str, ended: tuple[UUID, Verdict, str | None] | None) -> str:
    """Return the rule by which an object is held that nothing of legacy asks for any more, if it is by one."""
    rule = entity.held[key][1] if key in entity.held else ended[1].rule if ended and ended[1].fate.moves else ""
    return rule if rule == spec.held_by else ""


def duplicate(spec: Spec) -> Verdict:
    rule = spec.duplicates
    if rule.then is Then.MERGE:
        return Verdict(Fate.MERGED, rule.name)
    return Verdict(Fate.QUARANTINED, rule.name, DUPLICATE, spec.source_of_column(spec.column(spec.target_key)))
