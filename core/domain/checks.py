"""What a check is, and how long its answer holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.findings import Finding, Outcome

OWNERS = frozenset(
    {
        "technical",
        "data",
        "integrations",
        "identity-billing",
        "cs",
        "sre",
        "legal-privacy",
        "programme",
        "customer",
    }
)
"""Whose turn it is when a check blocks: one of the charter's leads, or the customer."""

PREFLIGHT = "preflight"
GO_NO_GO = "go_no_go"

ASK_AGAIN_AFTER = timedelta(minutes=15)
"""An unknown answer holds no longer than this: nobody should have to press a button because a server was away."""

_DUE = re.compile(r"T(?:[+-]\d{1,3}|0)")


@dataclass(frozen=True, slots=True)
class Gate:
    """Something that only opens when all of its checks let it."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Check:
    """One question about one tenant."""

    id: str
    title: str
    owner: str
    due: str
    """The day relative to the cutover by which it should pass: `T-30`, `T0`, `T+14`."""
    valid_for: timedelta
    gates: frozenset[str]
    link: str
    """A path inside the tenant (`domains/`) where it is put right."""
    ask: Callable[..., Finding] = field(compare=False)

    def __post_init__(self) -> None:
        if self.owner not in OWNERS:
            raise ValueError(f"Check {self.id} has an unknown owner: {self.owner}.")
        if not _DUE.fullmatch(self.due):
            raise ValueError(f"Check {self.id} is due at {self.due!r}; write T-30, T0 or T+14.")
        if self.valid_for <= timedelta(0):
            raise ValueError(f"Check {self.id} must hold for some time.")

    @property
    def due_days(self) -> int:
        """Return the due day as days from the cutover."""
        return int(self.due[1:])


def expiry(*, check: Check, outcome: Outcome, at: datetime) -> datetime:
    """Return when an answer given at a moment stops counting."""
    if outcome is Outcome.UNKNOWN:
        return at + min(check.valid_for, ASK_AGAIN_AFTER)
    return at + check.valid_for
