"""Runbooks, steps and sign-off, exceptions and freeze."""
