"""The phases of a cutover: which there are, which may follow which, and what each move needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Phase(StrEnum):
    """Where a tenant stands on its way from the legacy platform to the new one."""

    DISCOVER = "discover"
    PREPARE = "prepare"
    PREFLIGHT = "preflight"
    CANARY = "canary"
    RAMP = "ramp"
    FULL = "full"
    STABILISE = "stabilise"
    DECOMMISSION = "decommission"
    DONE = "done"
    HALTED = "halted"
    ROLLED_BACK = "rolled_back"

    @property
    def label(self) -> str:
        """The phase's name for people."""
        return self.value.replace("_", " ").capitalize()


ORDER = (
    Phase.DISCOVER,
    Phase.PREPARE,
    Phase.PREFLIGHT,
    Phase.CANARY,
    Phase.RAMP,
    Phase.FULL,
    Phase.STABILISE,
    Phase.DECOMMISSION,
    Phase.DONE,
)
"""The way forward; halted and rolled back stand beside it."""

MOVING = frozenset({Phase.CANARY, Phase.RAMP, Phase.FULL})
"""Phases in which traffic moves: the line can be stopped in them."""

REVERSIBLE = MOVING | {Phase.STABILISE, Phase.HALTED}
"""Phases from which there is a way back to the legacy platform."""


class Need(StrEnum):
    """What a move asks for, beyond a person who may make it."""

    NOTHING = "nothing"
    APPROVAL = "approval"
    """A signed go/no-go whose evidence still holds."""
    REASON = "reason"
    """A reason, because the move is no step forward."""


def _table() -> dict[tuple[Phase, Phase], Need]:
    moves = dict.fromkeys(pairwise(ORDER), Need.NOTHING)
    moves[Phase.PREFLIGHT, Phase.CANARY] = Need.APPROVAL
    moves[Phase.PREFLIGHT, Phase.PREPARE] = Need.REASON
    moves[Phase.ROLLED_BACK, Phase.PREPARE] = Need.REASON
    moves.update({(phase, Phase.HALTED): Need.REASON for phase in MOVING})
    moves.update({(Phase.HALTED, phase): Need.REASON for phase in MOVING})
    moves.update({(phase, Phase.ROLLED_BACK): Need.REASON for phase in REVERSIBLE})
    return moves


TRANSITIONS: Mapping[tuple[Phase, Phase], Need] = _table()
"""Every move there is, with what it needs; a pair that is missing is no move."""

CUTOVER_PHASE = Phase.CANARY
"""Where a signed go/no-go takes a tenant: the policy is phased, canary first."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision about one move looks at."""

    source: Phase
    target: Phase
    approved: bool = False
    reason: str = ""
    halted_from: Phase | None = None
    """The phase in which the line was stopped, if it is."""


def targets(source: Phase) -> list[Phase]:
    """Return the phases that may follow one, the way forward first."""
    return [target for origin, target in TRANSITIONS if origin == source]


def refusal(facts: Facts) -> str | None:
    """Say why a move must not be made, in words fit for the person who asked; None when it may."""
    need = TRANSITIONS.get((facts.source, facts.target))
    if need is None:
        return f"A tenant in phase “{facts.source.label}” cannot move to “{facts.target.label}”."
    if facts.source is Phase.HALTED and facts.target in MOVING and facts.target is not facts.halted_from:
        return "A halted cutover resumes only in the phase in which it was halted."
    if need is Need.APPROVAL and not facts.approved:
        return f"Moving to “{facts.target.label}” needs a signed go/no-go."
    if need is Need.REASON and not facts.reason.strip():
        return "Say why: this move is no step forward, and its reason is kept."
    return None
