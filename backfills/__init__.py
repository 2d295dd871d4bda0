"""Mapping spec, checkpointed runs, dead letters, conservation ledger."""
