"""The tables of entitlements."""

from entitlements.models.requests import AccessRequest
from entitlements.models.snapshots import Decision, Mismatch, Snapshot

__all__ = ["AccessRequest", "Decision", "Mismatch", "Snapshot"]
