"""Whether a gate is open: a set of checks, their latest answers and the exceptions that cover them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.findings import Outcome


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
    """What a check last said."""

    check_id: str
    outcome: Outcome
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Cover:
    """An approved policy exception for one check of one tenant (rule 13: it expires)."""

    check_id: str
    exception_id: str
    expires_at: datetime
    title: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One check of a gate with its standing, and the exception where one covers it."""

    check_id: str
    standing: Standing
    cover: Cover | None = None

    @property
    def blocks(self) -> bool:
        """Say whether this line keeps the gate shut."""
        return self.standing not in LETS_THROUGH


@dataclass(frozen=True, slots=True)
class GateState:
    """A gate's state at one moment, with every line that went into it."""

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


def judge(
    *,
    name: str,
    check_ids: Iterable[str],
    answers: Mapping[str, Answer],
    covers: Mapping[str, Cover],
    at: datetime,
) -> GateState:
    """Judge a gate by its checks' latest answers; order of the lines is that of the ids."""
    lines = []
    for check_id in sorted(set(check_ids)):
        cover = covers.get(check_id)
        found = standing(answer=answers.get(check_id), cover=cover, at=at)
        lines.append(Line(check_id, found, cover if found is Standing.COVERED else None))
    return GateState(name=name, at=at, lines=tuple(lines))
