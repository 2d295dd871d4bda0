"""Parity in the staff's admin: reports, what drifted since, what was done about it, and shadow reads."""

from parity_reports.admin import drift, reconciliations, reports, shadow

__all__ = ["drift", "reconciliations", "reports", "shadow"]
