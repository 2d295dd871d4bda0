"""Parity in the staff's admin: reports, what drifted since, and what was done about it."""

from parity_reports.admin import drift, reconciliations, reports

__all__ = ["drift", "reconciliations", "reports"]
