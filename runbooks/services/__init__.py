"""Use cases of runbooks."""
