"""How a workflow that a customer relies on stands: tried, bridged, accepted, or still in the way."""

from dataclasses import dataclass
from enum import StrEnum

from parity_reports.domain.workflows import Workflow


class Trial(StrEnum):
    """What is known of a workflow that somebody relies on."""

    TRIED = "tried"
    ACCEPTED = "accepted"
    BRIDGED = "bridged"
    TO_TRY = "to_try"
    MISSING = "missing"

    @property
    def blocks(self) -> bool:
        """Whether the customer still has to do something about it."""
        return self in (Trial.TO_TRY, Trial.MISSING)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the customer said of it: the fingerprints that were tried and accepted, and whether the old way is open."""

    tried_as: str = ""
    accepted_as: str = ""
    is_bridged: bool = False


def of(workflow: Workflow, decisions: Decisions) -> Trial:
    """Return how a relied-on workflow stands.

    What was tried or accepted counts only as long as people would meet the same: see `Workflow.fingerprint`.
    """
    if workflow.parity.is_there and decisions.tried_as == workflow.fingerprint:
        return Trial.TRIED
    if not workflow.parity.is_there and decisions.accepted_as == workflow.fingerprint:
        return Trial.ACCEPTED
    if workflow.compat and decisions.is_bridged:
        return Trial.BRIDGED
    return Trial.TO_TRY if workflow.parity.is_there else Trial.MISSING
