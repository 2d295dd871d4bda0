"""Evidence packs: what an approval signs, as exact bytes that anyone can verify offline (docs/evidence.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.evidence.registry import part

__all__ = ["part"]


@part("core.ledger", title="Ledger witness")
def ledger_witness(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return the newest signed checkpoint of the tenant's ledger: who keeps the pack can prove a later truncation."""
    # The ledger needs Django's models; the verifier and the pure parts beside it are imported without them.
    from core import ledger

    checkpoint = ledger.checkpoint(tenant_id=tenant_id, at=at)
    if checkpoint is None:
        return {"witness": None}
    return {"witness": checkpoint.witness, "number": checkpoint.number, "entries": checkpoint.seq, "at": checkpoint.at}
