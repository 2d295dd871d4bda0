"""The tables of backfills."""

from backfills.models.inspections import InspectedEntity, InspectedFault, Inspection
from backfills.models.letters import UNRESOLVED, DeadLetter, Retry
from backfills.models.pace import Pace
from backfills.models.runs import Batch, OutcomeTotal, Run
from backfills.models.versions import SpecVersion

__all__ = [
    "UNRESOLVED",
    "Batch",
    "DeadLetter",
    "InspectedEntity",
    "InspectedFault",
    "Inspection",
    "OutcomeTotal",
    "Pace",
    "Retry",
    "Run",
    "SpecVersion",
]
