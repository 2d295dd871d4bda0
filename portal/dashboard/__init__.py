"""The customer overview and the pages beside it."""
