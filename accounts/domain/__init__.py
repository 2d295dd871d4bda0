"""Decisions of accounts: pure functions of facts."""
