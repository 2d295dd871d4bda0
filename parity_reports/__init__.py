"""Invariants, comparisons, reports and drift."""
