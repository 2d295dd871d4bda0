"""Decisions about obligations and attestations."""
