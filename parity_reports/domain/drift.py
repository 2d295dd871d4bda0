"""Drift: records that came to differ after parity was shown, why each did, and for how long nobody knows why."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.comparison import Difference
from parity_reports.domain import redaction
from parity_reports.domain.differences import Kind, classify

PATIENCE = timedelta(minutes=30)
"""How long drift may stay unexplained before it stops the line (charter)."""

CLASSIFIED = 50_000
"""Differing records of an entity that a re-check asks about one by one; beyond them nothing is explained."""

LISTED = 1_000
"""Drifts of an entity that are kept one by one, the unexplained first; the others are counted."""

_STEADY = 3
"""Values that must be off by the same time before a clock accounts for them: fewer may be somebody's edit."""

TIMES = frozenset({"date", "time", "timestamp", "timestamptz"})
"""Column types, as a mapping declares them, that a clock can put wrong."""


class Cause(StrEnum):
    """Why a record drifted, as far as the facts say. Only `unknown` is unexplained."""

    LATE_WRITE = "late_write"
    CLOCK = "clock"
    RULE = "rule"
    NEW_WRITE = "new_write"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        """A few words for a table."""
        return _TITLES[self]

    @property
    def meaning(self) -> str:
        """What it is and what happens next, for the customer."""
        return _MEANINGS[self]


_TITLES: Mapping[Cause, str] = {
    Cause.LATE_WRITE: "Changed in legacy",
    Cause.CLOCK: "Clock or time zone",
    Cause.RULE: "Mapping changed",
    Cause.NEW_WRITE: "Changed on the new platform",
    Cause.UNKNOWN: "Not explained yet",
}
_MEANINGS: Mapping[Cause, str] = {
    Cause.LATE_WRITE: "Somebody worked on it in legacy after it had moved. The next run brings it over.",
    Cause.CLOCK: "Only times differ, all by the same span: a clock or a time zone is set differently. Our data lead "
    "looks into it.",
    Cause.RULE: "The mapping was changed after it had moved. The next run moves it by the new one.",
    Cause.NEW_WRITE: "You work on the new platform now, and it was changed there. Nothing is left to do.",
    Cause.UNKNOWN: "Nobody knows yet why it differs. Our data lead looks into it; should it take longer than half an "
    "hour, your cutover stops by itself.",
}


class Source(StrEnum):
    """How the legacy row that an object came from has fared since it moved."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    UNKNOWN = "unknown"
    """No run has moved such an object, or it moved by a mapping that read the row differently."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record that differs now. The raw key and the offset go no further than the re-check."""

    key: str
    record: str
    kind: str
    because: str = ""
    columns: Mapping[str, Kind] = field(default_factory=dict)
    offsets: tuple[timedelta | None, ...] = ()
    """Per differing column by how much a time is off; None for what is no time."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a differing record's past.

    `moved` says whether a run has moved the object, `by_former_mapping` whether by another mapping than now.
    """

    found: Found
    moved: bool
    source: Source = Source.UNKNOWN
    by_former_mapping: bool = False


@dataclass(slots=True)
class Collector:
    """Takes the differences of a re-check, leaving out the records that differed when parity was judged (`known`)."""

    entity: str
    secret: bytes
    known: Collection[str]
    times: Collection[str]
    """Columns that hold times."""
    total: int = 0
    found: list[Found] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        """Take one differing record."""
        record = redaction.pseudonym(secret=self.secret, entity=self.entity, key=difference.key)
        if record in self.known:
            return
        self.total += 1
        if len(self.found) >= CLASSIFIED:
            return
        columns = difference.columns
        self.found.append(
            Found(
                key=difference.key,
                record=record,
                kind=difference.kind,
                because=difference.because,
                columns={one.column: classify(one.expected, one.actual) for one in columns},
                offsets=tuple(
                    _offset(one.expected, one.actual) if one.column in self.times else None for one in columns
                ),
            )
        )


def _offset(expected: str | None, actual: str | None) -> timedelta | None:
    """Return by how much a moment is off, or None for what is none."""
    try:
        return datetime.fromisoformat(actual or "") - datetime.fromisoformat(expected or "")
    except (ValueError, TypeError, OverflowError):
        return None


def causes(facts: Sequence[Facts], *, mapping_changed: bool, new_is_home: bool) -> list[Cause]:
    """Say of each of an entity's differing records why it differs; what the facts do not settle is unknown.

    `mapping_changed`: since parity was judged. `new_is_home`: people work on the new platform already. A clock is
    only blamed where several values are off by one span, and a changed mapping only where it accounts for everything
    that is left: an explanation that is wrong would hide a loss.
    """
    found = [_by_itself(one, mapping_changed=mapping_changed) for one in facts]
    left = [one for one, cause in zip(facts, found, strict=True) if cause is None]
    former = mapping_changed and bool(left) and all(one.by_former_mapping for one in left)
    span = _one_span(left)
    return [cause or _together(one, former=former, span=span, new_is_home=new_is_home)
            for one, cause in zip(facts, found, strict=True)]  # fmt: skip


def _by_itself(facts: Facts, *, mapping_changed: bool) -> Cause | None:
    """Return the cause that one record's own facts settle."""
    kind = facts.found.kind
    if kind == "different" and facts.source is Source.CHANGED:
        return Cause.LATE_WRITE
    if kind == "extra" and facts.source in (Source.CHANGED, Source.GONE):
        return Cause.LATE_WRITE
    if kind == "missing" and not facts.moved and not mapping_changed:
        # Parity was shown without it, so legacy did not promise it then.
        return Cause.LATE_WRITE
    return Cause.UNKNOWN if kind == "duplicate" else None


def _together(facts: Facts, *, former: bool, span: timedelta | None, new_is_home: bool) -> Cause:
    """Return the cause of a record that needs the others to be judged."""
    if former:
        return Cause.RULE
    if span and facts.found.offsets and set(facts.found.offsets) == {span}:
        return Cause.CLOCK
    if new_is_home and (facts.source is Source.SAME or (not facts.moved and facts.found.kind == "extra")):
        return Cause.NEW_WRITE
    return Cause.UNKNOWN


def _one_span(facts: Sequence[Facts]) -> timedelta | None:
    """Return the span by which all records are off that differ in times alone, if it is one and seen often enough."""
    timed = [one.found.offsets for one in facts if one.found.offsets and None not in one.found.offsets]
    spans = Counter(span for offsets in timed for span in offsets)
    if len(spans) != 1 or sum(spans.values()) < _STEADY:
        return None
    (span,) = spans
    return span


def listed[Item](items: Sequence[Item], *, cause: Callable[[Item], Cause], room: int) -> list[Item]:
    """Return those that are kept one by one while there is room, the unexplained first."""
    return sorted(items, key=lambda item: cause(item) is not Cause.UNKNOWN)[: max(room, 0)]


def is_overdue(since: datetime | None, *, at: datetime) -> bool:
    """Say whether something has been unexplained for too long."""
    return since is not None and at - since > PATIENCE
