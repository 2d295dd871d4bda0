"""Backfills in the staff's admin."""

from backfills.admin.pace import OPERATIONS, PaceAdmin
from backfills.admin.runs import DeadLetterAdmin, RetryAdmin, RunAdmin, SpecVersionAdmin

__all__ = ["OPERATIONS", "DeadLetterAdmin", "PaceAdmin", "RetryAdmin", "RunAdmin", "SpecVersionAdmin"]
