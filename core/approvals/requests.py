"""Requests: freeze the evidence, ask for signatures, end.

These are the mechanism. Who may ask and who may sign is decided by the use case that owns the action
(`cutover.services.go_no_go`), which calls in here with the facts it has checked.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import ledger
from core.actor import Actor
from core.domain import approvals as domain
from core.domain.approvals import RequestState, Seat, Standing
from core.errors import UseCaseError
from core.evidence import packs
from core.evidence.registry import PARTS
from core.models import ApprovalRequest, EvidencePack, EvidencePart

log = logging.getLogger(__name__)

FLOOR_TITLES = {packs.ABOUT: "About this pack", packs.FINDINGS: "Findings", packs.MATERIAL: "Material facts"}


class UnableToRequest(UseCaseError):
    """No approval can be asked for now."""


class UnableToEnd(UseCaseError):
    """The request cannot be ended now."""


def gather(
    *, action: str, tenant_id: UUID, findings: Iterable[Mapping[str, Any]], at: datetime
) -> tuple[packs.Pack, dict[str, str]]:
    """Collect every app's part and freeze them with the findings; return the pack and the parts' titles.

    Raises UnableToRequest naming the part that could not be gathered.
    """
    parts, titles = {}, dict(FLOOR_TITLES)
    for name, contribution in PARTS.items():
        try:
            parts[name] = contribution.build(tenant_id=tenant_id, at=at)
            packs.canonical(parts[name])
        except Exception as error:
            log.exception("evidence part %s failed", name)
            raise UnableToRequest(
                f"The evidence “{contribution.title}” could not be gathered, so nothing was frozen.",
                fix="Try again in a minute. If it happens again, tell your runbook owner the name of this evidence.",
            ) from error
        titles[name] = contribution.title
    return packs.build(action=action, tenant_id=tenant_id, at=at, findings=findings, parts=parts), titles


def open_request(
    *,
    action: str,
    tenant_id: UUID,
    pack: packs.Pack,
    titles: Mapping[str, str],
    seats: Sequence[Seat],
    holds_until: datetime | None,
    by: Actor,
    at: datetime,
) -> ApprovalRequest:
    """Store the pack and ask for its signatures, until its first finding expires (`holds_until`) or a week passes.

    Raises UnableToRequest while another request is open.
    """
    latest = at + domain.REQUEST_LIFETIME
    try:
        with transaction.atomic():
            stored = _store(pack, titles, tenant_id=tenant_id, by=by, at=at)
            request = ApprovalRequest.objects.create(
                tenant_id=tenant_id,
                action=action,
                pack=stored,
                seats=[{"name": seat.name, "user_id": str(seat.user_id) if seat.user_id else None} for seat in seats],
                requested_at=at,
                requested_by=by.known_id,
                expires_at=min(holds_until or latest, latest),
            )
            data = {
                "action": action,
                "evidence_sha256": pack.evidence_sha256,
                "material_sha256": pack.material_sha256,
                "seats": [seat.name for seat in seats],
            }
            ledger.record("core.approval.requested", by=by, at=at, tenant_id=tenant_id, subject=request, data=data)
    except IntegrityError as error:
        raise UnableToRequest("A request is open already. Sign it, or veto it before you ask again.") from error
    return request


def end(*, request: ApprovalRequest, state: RequestState, reason: str, by: Actor, at: datetime) -> None:
    """End a request: approved, vetoed or voided, with the reason. Raises UnableToEnd when it has ended already."""
    sources = [source.value for source, targets in domain.TRANSITIONS.items() if state in targets]
    with transaction.atomic():
        waiting = ApprovalRequest.objects.filter(pk=request.pk, state__in=sources)
        if not waiting.update(state=state.value, ended_at=at, ended_by=by.known_id, ending=reason):
            raise UnableToEnd("This request has ended already.")
        data = {"action": request.action, "evidence_sha256": request.pack.evidence_sha256}
        event = f"core.approval.{state.value}"
        ledger.record(event, by=by, at=at, tenant_id=request.tenant_id, subject=request, data=data)
    request.refresh_from_db()


def standing(request: ApprovalRequest, *, shown_evidence: str) -> Standing:
    """Return what a decision about signing a request looks at."""
    return Standing(
        state=RequestState(request.state),
        expires_at=request.expires_at,
        requested_by=request.requested_by,
        seats=tuple(seat["name"] for seat in request.seats),
        signed={signature.seat: signature.user_id for signature in request.signatures.all()},
        shown_evidence=shown_evidence,
        evidence_sha256=request.pack.evidence_sha256,
        ending=request.ending,
    )


def _store(pack: packs.Pack, titles: Mapping[str, str], *, tenant_id: UUID, by: Actor, at: datetime) -> EvidencePack:
    stored = EvidencePack.objects.create(
        tenant_id=tenant_id,
        action=pack.action,
        evidence_sha256=pack.evidence_sha256,
        material_sha256=pack.material_sha256,
        manifest=pack.manifest,
        collected_at=at,
        collected_by=by.known_id,
    )
    EvidencePart.objects.bulk_create(
        EvidencePart(
            tenant_id=tenant_id,
            pack=stored,
            name=part.name,
            title=titles[part.name],
            body=part.body,
            sha256=part.sha256.hex(),
        )
        for part in pack.parts
    )
    return stored
