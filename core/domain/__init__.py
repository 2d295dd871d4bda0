"""Decisions of the floor: pure functions of facts and a moment."""
