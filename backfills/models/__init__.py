"""The tables of backfills."""

from backfills.models.runs import Batch, DeadLetter, OutcomeTotal, Run

__all__ = ["Batch", "DeadLetter", "OutcomeTotal", "Run"]
