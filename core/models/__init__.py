"""The floor's tables."""

from core.models.approvals import ApprovalRequest, EvidencePack, EvidencePart, Signature, SigningStatement
from core.models.base import Audit, TenantModel
from core.models.jobs import Event, Job
from core.models.ledger import LedgerCheckpoint, LedgerDatum, LedgerEntry, LedgerHead

__all__ = [
    "ApprovalRequest",
    "Audit",
    "Event",
    "EvidencePack",
    "EvidencePart",
    "Job",
    "LedgerCheckpoint",
    "LedgerDatum",
    "LedgerEntry",
    "LedgerHead",
    "Signature",
    "SigningStatement",
    "TenantModel",
]
