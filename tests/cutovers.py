"""A tenant that is ready for its go/no-go, its people, and one check whose answer a test may change."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from accounts.models import Member, User
from core import readiness, tenancy
from core.actor import Actor
from core.domain.approvals import Method, ReAuthentication
from core.findings import Finding, Outcome
from core.models import ApprovalRequest
from core.permissions import StaffRole
from core.readiness import CHECKS, EXCEPTIONS, Cover
from cutover.domain.phases import Phase
from cutover.queries import cutovers as queries
from cutover.services import cutovers, go_no_go, phases
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=2)


@dataclass
class Case:
    """A tenant in preflight with everything ready, its people, and one check whose answer a test may change."""

    owner: Member
    runbook_owner: User
    answers: dict[str, Finding] = field(default_factory=dict)
    exceptions: list[Cover] = field(default_factory=list)

    @property
    def tenant_id(self) -> UUID:
        return self.owner.tenant_id

    @property
    def customer(self) -> Actor:
        return make.actor(self.owner)

    @property
    def vendor(self) -> Actor:
        return make.staff_actor(self.runbook_owner)

    @property
    def phase(self) -> Phase:
        return queries.phase_of(self.tenant_id)

    def answer(self, outcome: Outcome, **facts: object) -> None:
        self.answers["tests.data"] = Finding(outcome, "Found", facts=facts)

    def run_checks(self, *, at: datetime = AT) -> None:
        readiness.evaluate(tenant_id=self.tenant_id, by=make.SYSTEM, at=at)

    def ask(self, *, by: Actor | None = None, at: datetime = AT) -> ApprovalRequest:
        return go_no_go.ask(tenant_id=self.tenant_id, by=by or self.customer, at=at)

    def sign(
        self, request: ApprovalRequest, *, by: Actor | None = None, at: datetime = LATER, evidence: str = ""
    ) -> ApprovalRequest:
        return go_no_go.sign(
            request_id=request.pk,
            shown_evidence=evidence or request.pack.evidence_sha256,
            proof=ReAuthentication(Method.TOTP, at),
            by=by or self.customer,
            at=at,
        )


@contextmanager
def ready_case(monkeypatch: pytest.MonkeyPatch, *, at: datetime = AT, time_zone: str = "UTC") -> Iterator[Case]:
    """Make a tenant in preflight with every check passed, and stay in its scope."""
    ready = Case(make.member(make.tenant(time_zone=time_zone)), make.staff(StaffRole.RUNBOOK_OWNER))
    ready.answer(Outcome.PASS, lost=0)
    window = CHECKS["cutover.window_set"]
    monkeypatch.setattr(CHECKS, "_items", {"cutover.window_set": window})
    monkeypatch.setattr(EXCEPTIONS, "_items", {"tests": lambda *, tenant_ids, at: {ready.tenant_id: ready.exceptions}})
    told = readiness.check("tests.data", title="Data moved", owner="data", due="T-2", valid_for=timedelta(hours=6))
    told(lambda *, tenant_id, at: ready.answers["tests.data"])
    with tenancy.scope(tenant_id=ready.tenant_id):
        starts_at = at + timedelta(days=9)
        cutovers.set_window(
            tenant_id=ready.tenant_id, starts_at=starts_at, ends_at=starts_at + timedelta(hours=6),
            by=ready.customer, at=at,
        )  # fmt: skip
        cutovers.assign_runbook_owner(tenant_id=ready.tenant_id, user_id=ready.runbook_owner.pk, by=make.SYSTEM, at=at)
        for target in (Phase.PREPARE, Phase.PREFLIGHT):
            phases.advance(tenant_id=ready.tenant_id, target=target, by=ready.vendor, at=at)
        ready.run_checks(at=at)
        yield ready
