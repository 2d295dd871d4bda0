"""Whether a gate is open: its checks, their latest answers and the exceptions that cover them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.domain.checks import Check
from core.findings import Finding, Outcome


class Standing(StrEnum):
    """What one check means for its gate at one moment."""

    PASSED = "passed"
    WARNED = "warned"
    COVERED = "covered"
    """It blocks, and an approved exception that has not expired covers it."""
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    MISSING = "missing"


LETS_THROUGH = frozenset({Standing.PASSED, Standing.WARNED, Standing.COVERED})
"""Everything else blocks: an unknown, an expired and a missing answer are no answers."""

_BY_OUTCOME = {
    Outcome.PASS: Standing.PASSED,
    Outcome.WARN: Standing.WARNED,
    Outcome.BLOCK: Standing.BLOCKED,
    Outcome.UNKNOWN: Standing.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check said, when, and until when that counts."""

    check_id: str
    finding: Finding
    evaluated_at: datetime
    expires_at: datetime
    evaluated_by: UUID | None = None

    @property
    def outcome(self) -> Outcome:
        """Return the outcome of the finding."""
        return self.finding.outcome


@dataclass(frozen=True, slots=True)
class Cover:
    """An approved policy exception for one check of one tenant (rule 13: it expires).

    `items` are those that the check's finding named when it was asked for, as far as they went then: where there are
    any it covers no other, and no block that names none.
    """

    check_id: str
    exception_id: str
    expires_at: datetime
    title: str = ""
    link: str = ""
    items: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One check with its latest answer and what that means now; the exception where one covers it."""

    check: Check
    standing: Standing
    answer: Answer | None = None
    cover: Cover | None = None

    @property
    def check_id(self) -> str:
        """Return the check's id."""
        return self.check.id

    @property
    def blocks(self) -> bool:
        """Say whether this line keeps its gates shut."""
        return self.standing not in LETS_THROUGH

    @property
    def link(self) -> str:
        """Return where it is put right: the finding knows better than the check."""
        return (self.answer.finding.link if self.answer else "") or self.check.link


@dataclass(frozen=True, slots=True)
class GateState:
    """A gate at one moment, with every line that went into it."""

    name: str
    at: datetime
    lines: tuple[Line, ...]

    @property
    def blocking(self) -> tuple[Line, ...]:
        """Return the lines that keep the gate shut."""
        return tuple(line for line in self.lines if line.blocks)

    @property
    def covered(self) -> tuple[Line, ...]:
        """Return the lines that only an exception lets through."""
        return tuple(line for line in self.lines if line.standing is Standing.COVERED)

    @property
    def open(self) -> bool:
        """Say whether the gate may be passed; a gate that asks nothing proves nothing and stays shut."""
        return bool(self.lines) and not self.blocking

    @property
    def open_until(self) -> datetime | None:
        """Return when the first answer or exception it stands on expires; None for a gate that is shut."""
        if not self.open:
            return None
        answers = [line.answer.expires_at for line in self.lines if line.answer]
        return min(answers + [line.cover.expires_at for line in self.lines if line.cover])

    @property
    def material(self) -> list[dict[str, Any]]:
        """Return what an approval of this gate stands on: checks, outcomes, material facts, exceptions; no times.

        When it differs on the next evaluation, the approval is void.
        """
        return [
            {
                "check": line.check_id,
                "standing": line.standing.value,
                "facts": dict(line.answer.finding.facts) if line.answer else {},
                "exception": line.cover.exception_id if line.cover else None,
            }
            for line in self.lines
        ]


def standing(*, answer: Answer | None, cover: Cover | None, at: datetime) -> Standing:
    """Return what one check's latest answer means at a moment.

    An exception covers a block only: nobody can except what is not known. From its expiry on, an answer or an
    exception no longer counts.
    """
    if answer is None:
        return Standing.MISSING
    if answer.expires_at <= at:
        return Standing.EXPIRED
    found = _BY_OUTCOME[answer.outcome]
    if found is Standing.BLOCKED and cover is not None and at < cover.expires_at:
        return Standing.COVERED
    return found


def lines(
    *, checks: Iterable[Check], answers: Mapping[str, Answer], covers: Iterable[Cover], at: datetime
) -> tuple[Line, ...]:
    """Return one line for each check, in order of id; of several exceptions for a check the longest counts."""
    of_check: dict[str, list[Cover]] = {}
    for cover in sorted(covers, key=lambda cover: (cover.expires_at, cover.exception_id), reverse=True):
        of_check.setdefault(cover.check_id, []).append(cover)
    found = []
    for check in sorted(checks, key=lambda check: check.id):
        answer, known = answers.get(check.id), of_check.get(check.id, [])
        covered_by = _covering(answer.finding, known) if answer else None
        now = standing(answer=answer, cover=covered_by, at=at)
        found.append(Line(check, now, answer, covered_by if now is Standing.COVERED else None))
    return tuple(found)


def _covering(finding: Finding, known: Sequence[Cover]) -> Cover | None:
    """Return the exception that covers a finding; where several share its items, the one of them that ends first.

    `known` has the longest first.
    """
    if not finding.items:
        return next((cover for cover in known if not cover.items), None)
    chosen = [
        next((cover for cover in known if item in cover.items and reach <= cover.items[item]), None)
        for item, reach in finding.items.items()
    ]
    covering = [cover for cover in chosen if cover]
    return min(covering, key=lambda cover: cover.expires_at) if len(covering) == len(chosen) else None


def waiting_by_owner(found: Iterable[Line]) -> Counter[str]:
    """Count the lines that block by whose turn it is."""
    return Counter(line.check.owner for line in found if line.blocks)
