"""An audit's evidence pack: what a go/no-go would freeze, at any time, sealed and with its verifier."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import ledger, readiness
from core.actor import Actor
from core.approvals import reading, requests, seals
from core.evidence import archive
from core.permissions import Permission

ACTION = "compliance.evidence"


def freeze(*, tenant_id: UUID, by: Actor, at: datetime) -> tuple[str, bytes]:
    """Gather every app's evidence now, and return the archive's file name and bytes; the ledger keeps its digest.

    Nothing is asked of anybody and nothing is signed: the pack says what stood at the moment, under the server's seal.
    Raises `UnableToRequest` when a part cannot be gathered.
    """
    by.require(Permission.VIEW_EVIDENCE, tenant_id=tenant_id)
    gate = readiness.gate(tenant_id=tenant_id, name=readiness.GO_NO_GO, at=at)
    pack, _ = requests.gather(action=ACTION, tenant_id=tenant_id, findings=reading.findings_of(gate), at=at)
    body = archive.assemble(
        manifest=pack.manifest,
        parts={part.name: part.body for part in pack.parts},
        signatures=(),
        request={
            "action": ACTION,
            "tenant": tenant_id,
            "evidence_sha256": pack.evidence_sha256,
            "state": "frozen",
            "seats": [],
            "requested_at": at,
            "requested_by": by.known_id,
        },
        seal=seals.seal,
        public_key=seals.public_key(),
    )
    with transaction.atomic(durable=True):
        data = {"evidence_sha256": pack.evidence_sha256}
        subject = ("compliance.evidence", tenant_id)
        ledger.record("compliance.evidence.frozen", by=by, at=at, tenant_id=tenant_id, subject=subject, data=data)
    return f"evidence-{at:%Y%m%dT%H%MZ}.zip", body
