"""The floor's tables."""

from core.models.api import KeptAnswer
from core.models.approvals import ApprovalRequest, EvidencePack, EvidencePart, Signature, SigningStatement
from core.models.base import Audit, TenantModel
from core.models.jobs import Event, Job
from core.models.ledger import LedgerCheckpoint, LedgerDatum, LedgerEntry, LedgerHead
from core.models.readiness import RecordedFinding
from core.models.timeboxed import Hold, ToggleSetting, Token

__all__ = [
    "ApprovalRequest",
    "Audit",
    "Event",
    "EvidencePack",
    "EvidencePart",
    "Hold",
    "Job",
    "KeptAnswer",
    "LedgerCheckpoint",
    "LedgerDatum",
    "LedgerEntry",
    "LedgerHead",
    "RecordedFinding",
    "Signature",
    "SigningStatement",
    "TenantModel",
    "ToggleSetting",
    "Token",
]
