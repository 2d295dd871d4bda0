"""What reconciliation says to the new platform and hears from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.moving import LoadOrder, SourceRows


class Outcome(StrEnum):
    """What became of one object that was to be repaired or put back."""

    WRITTEN = "written"
    REMOVED = "removed"
    EQUAL = "equal"
    """Nothing was left to change."""
    KEPT = "kept"
    """It changed since the preview (or since the repair), so it was left alone."""
    REFUSED = "refused"
    """The mapping or the new platform does not take the source row as it is, so the object was left alone."""
    HELD = "held"
    """It would have been removed, and a legal hold stands."""
    RESTORED = "restored"
    EXPIRED = "expired"
    """Its former state is not kept any more."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of which both platforms have another value, each as text, and whether the new platform's stays."""

    column: str
    legacy: str | None
    new: str | None
    keeps: bool


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a repair would make of one object; of one that is merged also column by column, and a digest of the result.

    The digest covers the columns that the mapping fills.
    """

    outcome: Outcome
    fields: tuple[Field, ...] = ()
    result: str = ""


@dataclass(frozen=True, slots=True)
class Repair:
    """One batch of a reconciliation: objects that are to be what their source rows say.

    `order.run_id` is the reconciliation's id. `marks` says per object how it stood at the preview (see
    `core.ports.Reconciler.marks`), `sources` which source row it comes from, where one is known; `rows` are those rows
    as they are now. Only `removable` objects are removed where they have none, and none is where the order preserves.
    Former states are kept until `keep_until`. Those in `merges` become what the mapping's columns say of both
    platforms' values (`on_drift`), and only if that is what was foreseen: the digest of it stands there, or nothing
    while it is being foreseen.
    """

    order: LoadOrder
    marks: Mapping[str, str]
    rows: SourceRows
    keep_until: datetime
    sources: Mapping[str, str] = field(default_factory=dict)
    removable: frozenset[str] = frozenset()
    merges: Mapping[str, str] = field(default_factory=dict)
