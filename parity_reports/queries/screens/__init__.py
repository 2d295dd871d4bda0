"""What pages show of parity: one report, how comparisons went, drift, and shadow reads."""

from parity_reports.queries.screens.reports import Entity, Screen, of
from parity_reports.queries.screens.trends import Trend, trend

__all__ = ["Entity", "Screen", "Trend", "of", "trend"]
