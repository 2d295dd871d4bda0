"""The go/no-go: ask for it, sign it, veto it, and void it when what was signed no longer holds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.queries import members
from core import ledger, outbox, readiness, tenancy
from core.actor import Actor
from core.approvals import archive, passkeys, reading, requests, signatures
from core.approvals.signatures import UnableToSign
from core.domain.approvals import ReAuthentication, RequestState, Seat
from core.errors import NotFound, PermissionRefused, UseCaseError
from core.models import ApprovalRequest, SigningStatement
from core.permissions import Permission
from cutover.domain import go_no_go as domain
from cutover.domain.go_no_go import ACTION, CUSTOMER, VENDOR, Asked
from cutover.domain.phases import CUTOVER_PHASE, Phase
from cutover.models import Cutover
from cutover.queries import cutovers, gates
from cutover.services import phases

HOUSE = Actor.system("cutover")


class UnableToAsk(UseCaseError):
    """A go/no-go cannot be asked for now."""


class UnableToVeto(UseCaseError):
    """The go/no-go cannot be vetoed now."""


def ask(*, tenant_id: UUID, by: Actor, at: datetime) -> ApprovalRequest:
    """Freeze the evidence and ask both sides to sign it.

    Raises UnableToAsk with every finding that keeps the gate shut, or with what else is missing.
    """
    by.require(Permission.REQUEST_APPROVAL, tenant_id=tenant_id)
    cutover = cutovers.find(tenant_id=tenant_id)
    if problem := domain.refusal_to_ask(_asked(cutover)):
        raise UnableToAsk(problem[0], fix=problem[1])
    assert cutover is not None
    gate = readiness.gate(tenant_id=tenant_id, name=readiness.GO_NO_GO, at=at)
    if not gate.open:
        raise UnableToAsk(gates.shut(gate), fix="Put these right on the preflight page and run the checks again.")
    pack, titles = requests.gather(action=ACTION, tenant_id=tenant_id, findings=reading.findings_of(gate), at=at)
    approver = cutover.approver.user_id if cutover.approver else None
    with transaction.atomic():
        request = requests.open_request(
            action=ACTION,
            tenant_id=tenant_id,
            pack=pack,
            titles=titles,
            seats=[Seat(CUSTOMER, approver), Seat(VENDOR, cutover.runbook_owner_id)],
            holds_until=gate.open_until,
            by=by,
            at=at,
        )
        outbox.publish("cutover.go_no_go.requested", tenant_id=tenant_id, request_id=request.pk)
    return request


def begin(
    *, request_id: UUID, shown_evidence: str, rp_id: str, by: Actor, at: datetime
) -> tuple[SigningStatement, dict[str, Any]]:
    """Issue the statement that `by` signs by passkey; return it with the options for the browser."""
    request, seat = _seated(request_id, by=by)
    with tenancy.scope(tenant_id=request.tenant_id):
        _require_unmoved(request, at=at)
        statement = signatures.issue(request=request, seat=seat, shown_evidence=shown_evidence, by=by, at=at)
    user_id, body = statement.user_id, bytes(statement.body)
    return statement, passkeys.options(user_id=user_id, statement=body, rp_id=rp_id)


def sign(
    *,
    request_id: UUID,
    shown_evidence: str,
    proof: passkeys.Answer | ReAuthentication,
    by: Actor,
    at: datetime,
) -> ApprovalRequest:
    """Take a signature; the last one moves the tenant into its cutover.

    Whoever signs, all of it happens in the tenant's own scope. The checks are asked again first: when a material fact
    differs from what was frozen, the request is voided and nothing is signed. Raises UnableToSign with the reason,
    PermissionRefused for who has no seat.
    """
    request, seat = _seated(request_id, by=by)
    with tenancy.scope(tenant_id=request.tenant_id):
        _require_unmoved(request, at=at, ask_again=True)
        _sign(request, seat, shown_evidence=shown_evidence, proof=proof, by=by, at=at)
        ledger.checkpoint(tenant_id=request.tenant_id, at=at)
    return request


def _sign(
    request: ApprovalRequest,
    seat: str,
    *,
    shown_evidence: str,
    proof: passkeys.Answer | ReAuthentication,
    by: Actor,
    at: datetime,
) -> None:
    """Take the signature and, when it is the last one, move the tenant: all of it or nothing."""
    with transaction.atomic():
        done = signatures.sign(request=request, seat=seat, shown_evidence=shown_evidence, proof=proof, by=by, at=at)
        if done:
            cutover = Cutover.objects.get(tenant_id=request.tenant_id)
            phases.move(cutover=cutover, target=CUTOVER_PHASE, by=by, at=at, approval_id=request.pk)
            outbox.publish("cutover.go_no_go.approved", tenant_id=request.tenant_id, request_id=request.pk)
        else:
            outbox.publish("cutover.go_no_go.signed", tenant_id=request.tenant_id, request_id=request.pk, seat=seat)


def require_seat(*, request_id: UUID, by: Actor) -> None:
    """Raise NotFound or PermissionRefused for who has no seat at this request, before anything is asked of them."""
    _seated(request_id, by=by)


def require_veto(*, request_id: UUID, by: Actor) -> ApprovalRequest:
    """Return the request for who may veto it; raises NotFound or PermissionRefused for anybody else."""
    request = _find(request_id)
    if gates.seat_for(request, by=by) != CUSTOMER:
        by.require(Permission.VETO_CUTOVER, tenant_id=request.tenant_id)
    return request


def veto(*, request_id: UUID, reason: str, by: Actor, at: datetime) -> ApprovalRequest:
    """Refuse an open request for the customer, with a reason. An owner may, and so may the approver they named."""
    request = require_veto(request_id=request_id, by=by)
    if not reason.strip():
        raise UnableToVeto("Say why: everyone involved reads the reason, and it is kept.")
    try:
        _end(request, RequestState.VETOED, f"Vetoed by the customer: {reason.strip()}", by=by, at=at)
    except requests.UnableToEnd as error:
        raise UnableToVeto("This request has ended already, so there is nothing to veto.") from error
    return request


def recheck(*, tenant_id: UUID, at: datetime) -> bool:
    """Void the tenant's open request if what it froze no longer holds; return whether it was voided.

    Looks at the findings as they stand; the ordinary runs of the checks keep those fresh. Safe to repeat.
    """
    request = reading.newest(tenant_id=tenant_id, action=ACTION)
    if request is None or request.state != RequestState.OPEN:
        return False
    why = gates.why_void(request, at=at)
    return bool(why) and _void(request, why, at=at)


def export(*, request_id: UUID, by: Actor, at: datetime) -> tuple[str, bytes]:
    """Return a request's pack as a file name and its bytes, and leave in the ledger that it was taken."""
    request = _find(request_id)
    by.require(Permission.VIEW_EVIDENCE, tenant_id=request.tenant_id)
    return f"go-no-go-{request.pack.evidence_sha256[:12]}.zip", archive.export(request, by=by, at=at)


def _require_unmoved(request: ApprovalRequest, *, at: datetime, ask_again: bool = False) -> None:
    """Void the request and refuse when its evidence no longer holds."""
    if request.state != RequestState.OPEN:
        return  # The signature itself is refused, with how the request ended.
    if ask_again:
        checks = [check.id for check in readiness.checks_of(readiness.GO_NO_GO)]
        readiness.evaluate(tenant_id=request.tenant_id, by=HOUSE, at=at, checks=checks)
    if why := gates.why_void(request, at=at):
        _void(request, why, at=at)
        raise UnableToSign(
            f"Nothing was signed. {why} The request is void.",
            fix="Look at the findings, then ask for a new go/no-go.",
        )
    if why := gates.why_not_now(tenant_id=request.tenant_id, at=at):
        raise UnableToSign(f"Nothing was signed. {why}", fix="The request waits. Try again in a few minutes.")


def _void(request: ApprovalRequest, why: str, *, at: datetime) -> bool:
    try:
        _end(request, RequestState.VOIDED, why, by=HOUSE, at=at)
    except requests.UnableToEnd:
        return False
    return True


def _end(request: ApprovalRequest, state: RequestState, reason: str, *, by: Actor, at: datetime) -> None:
    with transaction.atomic():
        requests.end(request=request, state=state, reason=reason, by=by, at=at)
        outbox.publish(f"cutover.go_no_go.{state.value}", tenant_id=request.tenant_id, request_id=request.pk)


def _find(request_id: UUID) -> ApprovalRequest:
    request = reading.find(request_id=request_id, action=ACTION)
    if request is None:
        raise NotFound
    return request


def _seated(request_id: UUID, *, by: Actor) -> tuple[ApprovalRequest, str]:
    """Return a request and the seat in which `by` may sign it; raises PermissionRefused with the reason."""
    request = _find(request_id)
    seat = gates.seat_for(request, by=by)
    if seat is None:
        raise PermissionRefused(gates.refusal_of_seat(request, by=by))
    return request, seat


def _asked(cutover: Cutover | None) -> Asked:
    if cutover is None:
        return Asked(Phase.DISCOVER, window_set=False, runbook_owner=None, approver_active=True)
    active = members.active(tenant_id=cutover.tenant_id)
    return Asked(
        phase=Phase(cutover.phase),
        window_set=cutover.window_starts_at is not None,
        runbook_owner=cutover.runbook_owner_id,
        approver_active=cutover.approver_id is None or active.filter(pk=cutover.approver_id).exists(),
    )
