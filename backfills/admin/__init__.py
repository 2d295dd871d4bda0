"""Backfills in the staff's admin."""

from backfills.admin.pace import OPERATIONS
from backfills.admin.runs import DeadLetterAdmin, RetryAdmin, RunAdmin, SpecVersionAdmin

__all__ = ["OPERATIONS", "DeadLetterAdmin", "RetryAdmin", "RunAdmin", "SpecVersionAdmin"]
