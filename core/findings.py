"""Findings: the answer of a check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What a check found. Only PASS and WARN let a gate open; an unknown answer blocks."""

    PASS = "pass"  # noqa: S105  (an outcome, no password)
    WARN = "warn"
    BLOCK = "block"
    UNKNOWN = "unknown"

    @property
    def opens(self) -> bool:
        """Whether a gate may open with this outcome."""
        return self in (Outcome.PASS, Outcome.WARN)


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check about one tenant.

    `summary` is one sentence for the customer. `facts` are the material ones: JSON values that, when they
    change, void an approval; never counts of a live source, never timestamps. `evidence` is everything else
    worth showing (JSON values). `fix` says what to do, `link` is a path inside the tenant (`domains/`).
    `items` names what it blocks on, each with how far that goes now (ISO, UTC: when the newest of it came): an
    exception then covers just what was named when it was asked for. Without items it covers the check.
    """

    outcome: Outcome
    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    fix: str = ""
    link: str = ""
    items: Mapping[str, str] = field(default_factory=dict)
