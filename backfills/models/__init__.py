"""The tables of backfills."""

from backfills.models.inspections import InspectedEntity, InspectedFault, Inspection
from backfills.models.runs import Batch, DeadLetter, OutcomeTotal, Run

__all__ = ["Batch", "DeadLetter", "InspectedEntity", "InspectedFault", "Inspection", "OutcomeTotal", "Run"]
