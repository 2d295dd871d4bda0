"""Attestations: a sealed statement that something was deleted, as exact bytes (docs/evidence.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from compliance import verifier
from core.evidence import packs


def deletion(
    *,
    attestation_id: UUID,
    tenant_id: UUID,
    dataset: str,
    purpose: str,
    deleted: Mapping[str, int],
    left: Mapping[str, int],
    verified: str,
    deleted_at: datetime,
    requested_by: UUID,
    parity_sha256: str,
    accepted: Mapping[str, Any],
) -> bytes:
    """Return the canonical bytes of a deletion's attestation.

    It names what was deleted (table and rows), when, how that was verified (`verified`), and of stage data what was
    `accepted` as not moved or not equal. Ids only, no personal data. Raises ValueError when anything is left: that is
    no deletion.
    """
    if any(left.values()):
        raise ValueError("Rows are left: there is nothing to attest.")
    body: dict[str, Any] = {
        "format": verifier.FORMAT,
        "id": attestation_id,
        "tenant": tenant_id,
        "dataset": dataset,
        "purpose": purpose,
        "deleted": dict(deleted),
        "deleted_at": deleted_at,
        "requested_by": requested_by,
        "verified": {
            "how": verified,
            "left": dict(left),
        },
        "parity_sha256": parity_sha256,
        **({"accepted": dict(accepted)} if accepted else {}),
    }
    return packs.canonical(body)
