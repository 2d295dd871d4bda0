"""Pure decisions of runbooks."""
