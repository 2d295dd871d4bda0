"""Reads of backfills, for its own screens and for other apps."""
