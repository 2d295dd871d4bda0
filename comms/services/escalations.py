"""Escalation: a case whose time ran out comes up the ladder, rung by rung; one settled long ago is closed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comms.domain import sla
from comms.domain.cases import RUNNING, CaseState, Severity
from comms.models import Case
from comms.queries.cases import CLOSED_AFTER
from comms.services import cases
from core import ledger, outbox
from core.actor import Actor
from core.permissions import Permission


def tend(*, tenant_id: UUID, case_id: UUID, by: Actor, at: datetime) -> None:
    """Escalate or close one case if its time has come. Safe to repeat, late, or after somebody was first."""
    by.require(Permission.WORK_CASES, tenant_id=tenant_id)
    case = Case.objects.filter(tenant_id=tenant_id, pk=case_id).first()
    if case is None:
        return
    if case.state == CaseState.RESOLVED and case.resolved_at and case.resolved_at <= at - CLOSED_AFTER:
        cases.move(case=case, target=CaseState.CLOSED, by=by, at=at)
    elif case.escalates_at is not None and case.escalates_at <= at:
        _escalate(case, by=by, at=at)


def _escalate(case: Case, *, by: Actor, at: datetime) -> None:
    level, severity = case.escalation + 1, Severity(case.severity)
    following = sla.escalates_at(case.escalates_at, level=level, severity=severity, at=at)
    with transaction.atomic(durable=True):
        late = Case.objects.filter(
            pk=case.pk, escalation=case.escalation, escalates_at=case.escalates_at, state__in=[s.value for s in RUNNING]
        )
        if not late.update(escalation=level, escalates_at=following):
            return
        outbox.publish("comms.case.escalated", tenant_id=case.tenant_id, case_id=case.pk, level=level)
        found = sla.rung(level)
        data = {"level": level, "rung": found[0].value if found else ""}
        ledger.record("comms.case.escalated", by=by, at=at, tenant_id=case.tenant_id, subject=case, data=data)
