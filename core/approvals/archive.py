"""The file of a request: its pack, its statements and its signatures, for people to keep."""

import hashlib
from datetime import datetime

from django.db import transaction

from core import ledger
from core.actor import Actor
from core.approvals import seals
from core.evidence import archive
from core.models import ApprovalRequest


def export(request: ApprovalRequest, *, by: Actor, at: datetime) -> bytes:
    """Return the ZIP of a request, and leave in the ledger that it was taken. Who may take it is asked before."""
    body = build(request)
    data = {"evidence_sha256": request.pack.evidence_sha256, "sha256": hashlib.sha256(body).hexdigest()}
    with transaction.atomic():
        ledger.record("core.approval.exported", by=by, at=at, tenant_id=request.tenant_id, subject=request, data=data)
    return body


def build(request: ApprovalRequest) -> bytes:
    """Return the ZIP of a request; the same request in the same state always gives the same bytes."""
    return archive.assemble(
        manifest=bytes(request.pack.manifest),
        parts={part.name: bytes(part.body) for part in request.pack.parts.all()},
        signatures=[
            (bytes(signature.statement.body), bytes(signature.record))
            for signature in request.signatures.select_related("statement")
        ],
        request={
            "id": request.pk,
            "action": request.action,
            "tenant": request.tenant_id,
            "evidence_sha256": request.pack.evidence_sha256,
            "state": request.state,
            "seats": [seat["name"] for seat in request.seats],
            "requested_at": request.requested_at,
            "requested_by": request.requested_by,
            "expires_at": request.expires_at,
            "ended_at": request.ended_at,
        },
        seal=seals.seal,
        public_key=seals.public_key(),
    )
