"""Decisions about integrations, without Django."""
