"""Decisions about cutovers, without Django."""
