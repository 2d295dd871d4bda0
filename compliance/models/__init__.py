"""The tables of compliance."""

from compliance.models.deletions import Attestation, Deletion
from compliance.models.obligations import Obligation

__all__ = ["Attestation", "Deletion", "Obligation"]
