"""Checks that accounts contributes."""

from accounts.readiness import domains, enforcement, people, provisioning, sso

__all__ = ["domains", "enforcement", "people", "provisioning", "sso"]
