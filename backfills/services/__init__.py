"""The use cases of backfills."""
