"""Parity in the staff's admin: reports, and what drifted since."""

from parity_reports.admin import drift, reports

__all__ = ["drift", "reports"]
