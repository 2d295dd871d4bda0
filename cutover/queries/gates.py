"""The go/no-go's gate: whether it stands open, whether what was frozen still holds, and who may sign."""

from datetime import datetime
from uuid import UUID

from core import readiness
from core.actor import Actor, ActorKind
from core.approvals import reading
from core.domain.approvals import RequestState
from core.findings import Outcome
from core.models import ApprovalRequest
from core.permissions import Permission
from core.readiness import Standing
from cutover.domain import go_no_go as domain
from cutover.domain.go_no_go import Signer


def why_void(request: ApprovalRequest, *, at: datetime) -> str:
    """Say why an open request's evidence no longer holds, or nothing while it does.

    An answer that is unknown now has moved nothing: it keeps the gate shut, and the request waits.
    """
    frozen = reading.frozen_findings(request)
    gate = readiness.gate(tenant_id=request.tenant_id, name=readiness.GO_NO_GO, at=at)
    unknown = {line.check_id for line in gate.lines if line.answer and line.answer.outcome is Outcome.UNKNOWN}
    known = [finding for finding in frozen if finding["check"] not in unknown]
    now = [finding for finding in reading.findings_of(gate) if finding["check"] not in unknown]
    changed = reading.moved(frozen=known, now=now)
    if changed:
        return f"The evidence moved after it was frozen: {_listed(changed)}."
    if at >= request.expires_at:
        return "A finding in the frozen evidence has expired."
    return ""


def why_not_now(*, tenant_id: UUID, at: datetime) -> str:
    """Say what keeps the gate shut, or nothing while it is open."""
    gate = readiness.gate(tenant_id=tenant_id, name=readiness.GO_NO_GO, at=at)
    return "" if gate.open else shut(gate)


def tenants_waiting() -> list[UUID]:
    """Return the tenants that have an open go/no-go, of those that the scope lets through."""
    return list(reading.waiting(action=domain.ACTION).values_list("tenant_id", flat=True))


def approved(*, tenant_id: UUID) -> ApprovalRequest | None:
    """Return the tenant's newest go/no-go that was signed by both sides, or None."""
    rows = reading.every(tenant_id=tenant_id, action=domain.ACTION)
    return rows.filter(state=RequestState.APPROVED.value).first()


def seat_for(request: ApprovalRequest, *, by: Actor) -> str | None:
    """Return the seat in which an actor may sign a request, or None."""
    return domain.seat_of(_signer(request, by), _named(request))


def refusal_of_seat(request: ApprovalRequest, *, by: Actor) -> str:
    """Say why an actor has no seat in a request."""
    return domain.refusal_of_seat(_signer(request, by), _named(request))


def _signer(request: ApprovalRequest, by: Actor) -> Signer:
    return Signer(
        user_id=by.id,
        is_member=by.kind is ActorKind.MEMBER,
        may_approve=by.can(Permission.APPROVE_CUTOVER, tenant_id=request.tenant_id),
        may_sign_for_vendor=by.can(Permission.SIGN_AS_RUNBOOK_OWNER, tenant_id=request.tenant_id),
    )


def _named(request: ApprovalRequest) -> dict[str, UUID | None]:
    return {seat["name"]: UUID(seat["user_id"]) if seat["user_id"] else None for seat in request.seats}


def shut(gate: readiness.GateState) -> str:
    """Say what keeps a gate shut."""
    told = []
    for standing, (one, many) in _SHUTS.items():
        titles = [f"“{line.check.title}”" for line in gate.blocking if line.standing is standing]
        if titles:
            told.append(f"{_listed(titles)} {many if len(titles) > 1 else one}")
    return f"The gate is shut: {'; '.join(told)}." if told else "The gate is shut: no check has been run."


_SHUTS = {
    Standing.BLOCKED: ("is not true yet", "are not true yet"),
    Standing.UNKNOWN: ("could not be answered", "could not be answered"),
    Standing.EXPIRED: ("was answered too long ago", "were answered too long ago"),
    Standing.MISSING: ("was never asked", "were never asked"),
}


def _listed(items: list[str]) -> str:
    return ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else "".join(items)
