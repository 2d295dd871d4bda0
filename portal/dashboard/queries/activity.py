"""The tenant's ledger as a timeline."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import activity

PAGE = 50

_GOOD = {
    "verified", "signed", "finished", "passed", "approved", "completed", "accepted", "resolved", "granted", "equal",
}  # fmt: skip
_BAD = {"failed", "refused", "halted", "vetoed", "voided", "rolled_back", "revoked", "rejected", "differs"}
_CARE = {"expired", "stopped", "cancelled", "waived", "removed", "deactivated", "quarantined", "incomplete"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    text: str
    at: datetime
    tone: str
    seq: int


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of the ledger, newest first, and where the next older one begins."""

    entries: list[Entry]
    older: int | None


def read(*, tenant_id: UUID, limit: int = PAGE, before: int | None = None) -> Page:
    """Return the latest entries, or those before one."""
    found = activity.recent(tenant_id=tenant_id, limit=limit + 1, before=before)
    entries = [
        Entry(text=entry.sentence[:1].upper() + entry.sentence[1:], at=entry.at, tone=tone(entry.event), seq=entry.seq)
        for entry in found[:limit]
    ]
    return Page(entries, entries[-1].seq if len(found) > limit else None)


def tone(event: str) -> str:
    """Return how an event's dot is coloured; the words say the same."""
    verb = event.rpartition(".")[2]
    for verbs, name in ((_GOOD, "pass"), (_BAD, "fail"), (_CARE, "warn")):
        if verb in verbs:
            return name
    return "running" if verb in ("started", "requested", "reached", "evaluated") else "none"
