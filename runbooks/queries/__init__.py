"""What others may read of runbooks."""
