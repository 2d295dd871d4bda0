"""The tables of parity reports."""

from parity_reports.models.drift import Drift, Watch
from parity_reports.models.reconciliations import Reconciliation, ReconciliationItem
from parity_reports.models.reports import EntityResult, InvariantResult, Report, Sample
from parity_reports.models.shadow import ShadowMismatch, ShadowRound, ShadowSample
from parity_reports.models.workflows import GuideMark, Reliance

__all__ = [
    "Drift",
    "EntityResult",
    "GuideMark",
    "InvariantResult",
    "Reconciliation",
    "ReconciliationItem",
    "Reliance",
    "Report",
    "Sample",
    "ShadowMismatch",
    "ShadowRound",
    "ShadowSample",
    "Watch",
]
