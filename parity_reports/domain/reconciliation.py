"""Reconciliation: what is done about records that drift, by cause, and when a second person must agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from parity_reports.domain.drift import Cause

THRESHOLD = 20
"""More records than this in one reconciliation need a second person."""


class Strategy(StrEnum):
    """What is done about a record."""

    SOURCE = "source"
    TARGET = "target"
    NEWEST = "newest"
    MERGE = "merge"
    ASK = "ask"

    @property
    def label(self) -> str:
        """A few words for a form."""
        return _LABELS[self]


_LABELS: Mapping[Strategy, str] = {
    Strategy.ASK: "Leave for now",
    Strategy.SOURCE: "Legacy wins: move the row again",
    Strategy.TARGET: "The new platform wins: accept the difference for a time",
    Strategy.NEWEST: "The newest wins, where it is known which that is",
    Strategy.MERGE: "Merge column by column, as the mapping says",
}

MOVING = (Strategy.SOURCE, Strategy.MERGE)
"""What changes objects of the new platform."""

_NEWEST: Mapping[Cause, Strategy] = {
    Cause.LATE_WRITE: Strategy.SOURCE,
    Cause.RULE: Strategy.SOURCE,
    Cause.NEW_WRITE: Strategy.TARGET,
}
"""On which side alone something is known to have happened since the move."""


class State(StrEnum):
    """Where a reconciliation stands."""

    PREVIEWED = "previewed"
    AWAITING = "awaiting"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    REFUSED = "refused"
    FAILED = "failed"


ACTIVE = (State.RUNNING, State.UNDOING)
TOLD = (State.RUNNING, State.DONE, State.UNDOING, State.UNDONE, State.FAILED)
"""What the customer is told of: not what nobody agreed to."""


@dataclass(frozen=True, slots=True)
class Case:
    """A drift as the decision sees it."""

    kind: str
    cause: Cause
    is_held: bool
    """A rule of the mapping keeps it back: that is settled by correcting the row and trying it again."""
    is_preserved: bool = False
    """A legal hold stands on the account: the object is not removed."""

    def would_be_removed(self, strategy: Strategy) -> bool:
        """Say whether a strategy takes the object away: the new platform holds it, and legacy does not."""
        return self.kind == "extra" and strategy is Strategy.SOURCE


def decide(case: Case, strategies: Mapping[Cause, Strategy]) -> Strategy:
    """Return what is done about a drift; where that is not safe to say, somebody has to be asked."""
    wanted = _wanted(case, strategies)
    if wanted is Strategy.SOURCE and (case.kind == "duplicate" or case.is_held):
        return Strategy.ASK
    if case.is_preserved and case.would_be_removed(wanted):
        return Strategy.ASK
    if wanted is Strategy.MERGE and case.kind != "different":
        return Strategy.ASK  # one side alone has nothing to be merged with
    return wanted


def _wanted(case: Case, strategies: Mapping[Cause, Strategy]) -> Strategy:
    wanted = strategies.get(case.cause, Strategy.ASK)
    return _NEWEST.get(case.cause, Strategy.ASK) if wanted is Strategy.NEWEST else wanted


def aside(decided: Iterable[Case], strategies: Mapping[Cause, Strategy]) -> str:
    """Say which objects are left although they were to be removed, and why; nothing where there are none."""
    left = sum(case.is_preserved and case.would_be_removed(_wanted(case, strategies)) for case in decided)
    if not left:
        return ""
    objects = "1 object stays" if left == 1 else f"{left:,} objects stay"
    return f"A legal hold stands on this account, so nothing of it is removed: {objects} that would go by this choice."


def why_second_person(decided: Sequence[tuple[Case, Strategy]], *, new_is_home: bool) -> str:
    """Say why somebody else has to agree, or nothing."""
    moved = [case for case, strategy in decided if strategy in MOVING]
    touched = len(moved) + sum(strategy is Strategy.TARGET for _, strategy in decided)
    if moved and new_is_home:
        return "The customer works on the new platform: what legacy says may overwrite their work."
    if any(case.kind == "extra" for case in moved):
        return "Objects of the new platform are removed."
    if any(case.cause is Cause.UNKNOWN for case in moved):
        return "Nobody knows yet why some of these records differ."
    if touched > THRESHOLD:
        return f"It concerns more than {THRESHOLD} records."
    return ""
