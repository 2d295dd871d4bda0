"""How the ledger's entries of entitlements are told to people."""

from collections.abc import Mapping
from typing import Any

from core.activity import sentences
from entitlements.queries import abilities


def _title(data: Mapping[str, Any]) -> str:
    """Name an ability in words; one that nobody can ask about any more keeps its id."""
    known = str(data.get("ability", "…"))
    question = abilities.question(known)
    return question.title if question else known


sentences(
    {
        "entitlements.snapshot.taken": "compared the contract on both platforms: {mismatches} differences in billing",
        "entitlements.snapshots.erased": "erased what both platforms said of the contract: {rows} rows",
        "entitlements.mismatch.opened": "found the new platform not as promised: {title}",
        "entitlements.mismatch.settled": "found this as promised again: {title}",
        "entitlements.choice.made": "chose about the contract: {choice}, {basis}",
        "entitlements.access.requested": lambda data: f"asked for access: {_title(data)}",
        "entitlements.access.granted": lambda data: f"granted access: {_title(data)}",
        "entitlements.access.declined": lambda data: f"declined access: {_title(data)}",
        "entitlements.subscription.ordered": "set the subscription up on the new platform as promised",
    }
)
