"""The tables of parity reports."""

from parity_reports.models.drift import Drift, Watch
from parity_reports.models.reports import EntityResult, InvariantResult, Report, Sample
from parity_reports.models.workflows import GuideMark, Reliance

__all__ = ["Drift", "EntityResult", "GuideMark", "InvariantResult", "Reliance", "Report", "Sample", "Watch"]
