"""Phases, waves, gates, go/no-go and rollback."""
