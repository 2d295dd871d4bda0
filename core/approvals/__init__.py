"""Approvals: people sign frozen evidence, each by their own act, and the signature ends when the facts move."""
