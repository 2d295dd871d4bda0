"""What reconciliation says to the new platform and hears from it, and the port through which it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from core.moving import LoadOrder, SourceRows
from core.ports import adapter


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
    RESTORED = "restored"
    EXPIRED = "expired"
    """Its former state is not kept any more."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One batch of a reconciliation: objects that are to be what their source rows say.

    `order.run_id` is the reconciliation's id. `marks` says per object how it stood at the preview (see
    `Reconciler.marks`), `sources` which source row it comes from, where one is known; `rows` are those rows as they are
    now. Only `removable` objects are removed where they have none. Former states are kept until `keep_until`.
    """

    order: LoadOrder
    marks: Mapping[str, str]
    rows: SourceRows
    keep_until: datetime
    sources: Mapping[str, str] = field(default_factory=dict)
    removable: frozenset[str] = frozenset()


class Reconciler(Protocol):
    """The repairing side of the new platform: single objects, each change all or nothing and undoable for a time."""

    def marks(self, *, account_id: UUID, spec: Any, keys: Sequence[str]) -> Mapping[str, str]:
        """Return a mark of each object as it stands; empty for one that is not there. It moves when any column does."""
        ...

    def repair(self, batch: Repair) -> Mapping[str, Outcome]:
        """Make each object what its source row says, in one transaction, and keep its former state. Safe to repeat.

        An object whose mark moved is left alone, and one whose source row the mapping does not move. A removable one
        without a source row is removed, where the mapping says that what vanishes is deleted.
        """
        ...

    def restore(self, *, order: LoadOrder, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """Put objects back exactly as they were before this reconciliation, in one transaction. Safe to repeat.

        One that changed since is left alone.
        """
        ...

    def forget(self, *, at: datetime) -> int:
        """Delete former states whose time is over; return how many."""
        ...


def reconciler() -> Reconciler:
    """Return the configured repairing side of the new platform."""
    found: Reconciler = adapter("reconciler")
    return found
