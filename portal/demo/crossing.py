"""The demo's crossing: Virgin America's owner and the runbook owner sign its go/no-go, and it moves."""

from collections.abc import Callable
from uuid import UUID

from django.utils import timezone

from accounts.queries import members, staff, tenants
from compliance.services import deletions
from core import readiness, tenancy
from core.actor import Actor
from core.domain.approvals import Method, ReAuthentication
from core.permissions import StaffRole
from cutover.domain.phases import ORDER, Phase
from cutover.queries import cutovers
from cutover.services import go_no_go, phases
from portal.demo import shadowing
from portal.demo.airlines import Airline, Story, of_story

BY = Actor.system("loader")
AFTERWARDS = ORDER[ORDER.index(Phase.RAMP) : ORDER.index(Phase.STABILISE) + 1]


def cross(*, report: Callable[[str], None]) -> None:
    """Take every airline of the story past its cutover. Safe to repeat: one that has moved is left alone."""
    with tenancy.staff_scope(by=BY, reason="demo: find who has moved"):
        ids = {tenant.legacy_ref: tenant.pk for tenant in tenants.every()}
    for airline in of_story(Story.MOVED):
        with tenancy.scope(tenant_id=ids[airline.code]):
            if cutovers.phase_of(ids[airline.code]) is Phase.PREFLIGHT:
                _cross(airline, ids[airline.code])
                deletions.order(tenant_id=ids[airline.code], by=BY, at=timezone.now())
                report(f"{airline.name}: both sides signed the go/no-go, it has moved, and its stage data go.")


def _cross(airline: Airline, tenant_id: UUID) -> None:
    """Ask, sign twice as people who just confirmed themselves by code, and go on until the data have settled."""
    owner = members.owners(tenant_id=tenant_id)[0]
    customer = Actor.member(user_id=owner.user_id, tenant_id=tenant_id, role=owner.role, name=str(owner.user))
    colleague = staff.people().get(email="runbook@crossing.example")
    vendor = Actor.staff(user_id=colleague.pk, roles={StaffRole.RUNBOOK_OWNER.value}, name=str(colleague))
    readiness.evaluate(tenant_id=tenant_id, by=BY, at=timezone.now())
    asked = go_no_go.ask(tenant_id=tenant_id, by=customer, at=timezone.now())
    for person in (customer, vendor):
        at = timezone.now()
        go_no_go.sign(
            request_id=asked.pk,
            shown_evidence=asked.pack.evidence_sha256,
            proof=ReAuthentication(Method.TOTP, at),
            by=person,
            at=at,
        )
    for phase in AFTERWARDS:
        phases.advance(tenant_id=tenant_id, target=phase, by=vendor, at=timezone.now())
        if phase is Phase.RAMP:
            shadowing.ramp(airline, tenant_id)
