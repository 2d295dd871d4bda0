"""The tables of parity reports."""

from parity_reports.models.reports import EntityResult, InvariantResult, Report, Sample

__all__ = ["EntityResult", "InvariantResult", "Report", "Sample"]
