"""What people can ask about cutovers: who may sign, by the rules that take the signature."""

from datetime import datetime
from uuid import UUID

from core import readiness
from core.abilities import ability, role_step
from core.approvals import reading
from core.domain.approvals import RequestState
from core.domain.decisions import Gate, Grant, Step, Verdict
from core.permissions import Permission, tenant_grants
from cutover.domain.go_no_go import ACTION, CUSTOMER, Signer, seat_of
from cutover.queries import cutovers


@ability(
    "cutover.sign",
    title="sign the go/no-go",
    permission=Permission.APPROVE_CUTOVER,
    words="approve signature cutover passkey approver",
)
def sign(*, tenant_id: UUID, user_id: UUID, role: str, at: datetime) -> tuple[Step, ...]:
    """Ask for the seat, the named approver, and whether there is something to sign now."""
    cutover = cutovers.find(tenant_id=tenant_id)
    approver = cutover.approver.user_id if cutover and cutover.approver else None
    may_approve = Permission.APPROVE_CUTOVER in tenant_grants(role)
    signer = Signer(user_id, is_member=True, may_approve=may_approve, may_sign_for_vendor=False)
    has_seat = seat_of(signer, {CUSTOMER: approver}) == CUSTOMER
    if approver is None:
        seat: tuple[Step, ...] = (role_step(Permission.APPROVE_CUTOVER, role),)
    elif has_seat:
        seat = (Step(Gate.POLICY, Verdict.PASS, "An owner named this person as the approver."),)
    else:
        grant = Grant("being named as the approver", "an owner of your account, under Cutover window")
        seat = (Step(Gate.POLICY, Verdict.FAIL, "Another person is named as the approver of your cutover.", grant),)
    return (*seat, _moment(tenant_id, at=at))


def _moment(tenant_id: UUID, *, at: datetime) -> Step:
    request = reading.newest(tenant_id=tenant_id, action=ACTION)
    if request is not None and request.state == RequestState.OPEN:
        return Step(Gate.MOMENT, Verdict.PASS, "A go/no-go waits for its signatures.")
    if request is not None and request.state == RequestState.APPROVED:
        return Step(Gate.MOMENT, Verdict.FAIL, "The go/no-go is signed by both sides already.")
    gate = readiness.gate(tenant_id=tenant_id, name=readiness.GO_NO_GO, at=at)
    if not gate.open:
        shut = sum(line.blocks for line in gate.lines)
        words = f"{shut} check{' keeps' if shut == 1 else 's keep'} the gate shut."
        grant = Grant("every check of the gate passing", "whoever each check on the Preflight page names")
        return Step(Gate.MOMENT, Verdict.FAIL, words, grant)
    grant = Grant("frozen evidence", "an owner or admin of your account, under Go/no-go")
    return Step(Gate.MOMENT, Verdict.FAIL, "The evidence is not frozen yet, so there is nothing to sign.", grant)
