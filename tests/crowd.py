"""A crowd: as many tenants as a test or a bench wants, each with one of everything that staff can list."""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from accounts.models import Domain, Invitation, Member, SsoConnection, SsoTest, StaffAssignment, Tenant, User
from comms.models import Case as SupportCase
from comms.models import CaseEntry, Delivery, Mailing, StatusUpdate
from core.models import Hold, Job, RecordedFinding, ToggleSetting, Token
from core.permissions import StaffRole, TenantRole
from core.readiness import CHECKS
from cutover.models import Cutover, PhaseChange
from entitlements.models import AccessRequest, Decision, Mismatch, Snapshot
from runbooks.models import PolicyException, Runbook, Step
from tests import make

AT = datetime.now(UTC)
LATER = AT + timedelta(days=5)


def fill(start: int, stop: int, by: User, *, checks: Collection[str] = ()) -> None:
    """Make tenants, each with one of everything that staff can list; `checks` answered, or one of them."""
    numbers = range(start, stop)
    with make.arranging():
        people = User.objects.bulk_create(User(email=f"p{n}@cost.example", name=f"P {n}") for n in numbers)
        StaffAssignment.objects.bulk_create(StaffAssignment(user=one, role=StaffRole.SUPPORT) for one in people)
        tenants = Tenant.objects.bulk_create(
            Tenant(name=f"Airline {n}", slug=f"c-{n}", legacy_ref=f"C{n}", segment="major") for n in numbers
        )
        pairs = list(zip(tenants, people, strict=True))
        Member.objects.bulk_create(Member(tenant=t, user=p, role=TenantRole.OWNER) for t, p in pairs)
        Domain.objects.bulk_create(
            Domain(tenant=t, name=f"{t.slug}.example", text=t.slug, token=t.slug, claimed_by=p.pk) for t, p in pairs
        )
        connections = SsoConnection.objects.bulk_create(SsoConnection(tenant=t, begun_by=p.pk) for t, p in pairs)
        SsoTest.objects.bulk_create(
            SsoTest(
                tenant_id=c.tenant_id, connection=c, request_id="_r", started_at=AT, started_by=by.pk, expires_at=AT
            )
            for c in connections
        )
        Invitation.objects.bulk_create(
            Invitation(
                tenant=t, email=f"i-{t.slug}@cost.example", role="member", token_digest=digest(t.pk).hex(),
                invited_by=p.pk, expires_at=LATER,
            )
            for t, p in pairs
        )  # fmt: skip
        fill_move(tenants, by)
        fill_contracts(tenants, by)
        fill_floor(tenants, by, checks or [next(iter(CHECKS))])
        fill_comms(tenants, by)


def fill_move(tenants: list[Tenant], by: User) -> None:
    """Give each tenant a cutover with a move behind it, a runbook with an overdue step, and an open exception."""
    cutovers = Cutover.objects.bulk_create(Cutover(tenant=t, phase="prepare", runbook_owner=by) for t in tenants)
    PhaseChange.objects.bulk_create(
        PhaseChange(tenant_id=c.tenant_id, cutover=c, source="discover", target="prepare", changed_at=AT,
                    changed_by=by.pk)
        for c in cutovers
    )  # fmt: skip
    runbooks = Runbook.objects.bulk_create(
        Runbook(tenant=t, cutover_on=AT.date(), opened_at=AT, opened_by=by.pk) for t in tenants
    )
    Step.objects.bulk_create(
        Step(tenant_id=r.tenant_id, runbook=r, key="dry-run", title="Dry run", validation="It balances",
             offset_days=-20, owner_role="data_lead", gates=True)
        for r in runbooks
    )  # fmt: skip
    PolicyException.objects.bulk_create(
        PolicyException(tenant=t, check_id="runbooks.steps_signed", reason="Moved", compensating_controls="Daily",
                        owner=by, expires_at=LATER, requested_at=AT, requested_by=by)
        for t in tenants
    )  # fmt: skip


def fill_comms(tenants: list[Tenant], by: User) -> None:
    """Give each tenant a message with a copy that was refused, a piece of news, and a case with an entry."""
    said = {"template": "announce.admins", "version": 1, "kind": "announce", "audience": "admins", "occasion": "x",
            "is_essential": True, "due_at": AT, "planned_at": AT}  # fmt: skip
    told = Mailing.objects.bulk_create(
        Mailing(tenant=t, state="issued", issued_at=AT, subject="We move", text="Soon", **said) for t in tenants
    )
    Delivery.objects.bulk_create(
        Delivery(tenant_id=m.tenant_id, mailing=m, person=by, state="refused", next_at=AT) for m in told
    )
    StatusUpdate.objects.bulk_create(
        StatusUpdate(tenant=t, kind="info", title="News", text="None", written_at=AT, written_by=by) for t in tenants
    )
    cases = SupportCase.objects.bulk_create(
        SupportCase(tenant=t, subject="Help", severity="1", phase="prepare", opened_at=AT, opened_by=by,
                    respond_by=LATER, resolve_by=LATER, due_at=LATER, assignee=by)
        for t in tenants
    )  # fmt: skip
    CaseEntry.objects.bulk_create(
        CaseEntry(tenant_id=c.tenant_id, case=c, text="Help", is_ours=False, written_at=AT, written_by=by)
        for c in cases
    )


def fill_contracts(tenants: list[Tenant], by: User) -> None:
    """Give each tenant a look at its contract, a mismatch it found, and a choice."""
    seen = Snapshot.objects.bulk_create(
        Snapshot(tenant=t, taken_at=AT, taken_by=by.pk, matrix="matrix@1", use={"resources": {}, "roles": {}},
                 unmapped=0, choices=0, mismatches=1, currency="USD")
        for t in tenants
    )  # fmt: skip
    Mismatch.objects.bulk_create(
        Mismatch(tenant_id=s.tenant_id, subject="price", title="Price", promised="1", found="2", opened_in=s)
        for s in seen
    )
    Decision.objects.bulk_create(
        Decision(tenant=t, subject="addon:X", choice="give_up", basis="X ends", decided_at=AT, decided_by=by.pk)
        for t in tenants
    )
    AccessRequest.objects.bulk_create(
        AccessRequest(tenant_id=m.tenant_id, member=m, ability="add-seat", wanted="product_role:administrator",
                      reason="R", requested_at=AT, requested_by=m.user_id)
        for m in Member.objects.filter(tenant__in=tenants)
    )  # fmt: skip


def fill_floor(tenants: list[Tenant], by: User, checks: Collection[str]) -> None:
    """Give each tenant a finding that blocks, a job that was given up, a toggle, a hold and a token."""
    RecordedFinding.objects.bulk_create(
        RecordedFinding(tenant=t, check_id=check, outcome="block", summary="No", evaluation_id=uuid4(), evaluated_at=AT,
                        evaluated_by=by.pk, expires_at=LATER)
        for t in tenants
        for check in checks
    )  # fmt: skip
    Job.objects.bulk_create(
        Job(tenant=t, task="core.tasks.evaluate_readiness", state="dead", finished_at=AT, problem="Gone")
        for t in tenants
    )
    common = {"expires_at": LATER}
    ToggleSetting.objects.bulk_create(
        ToggleSetting(tenant=t, name="compat", reason="Churn", switched_on_at=AT, switched_on_by=by.pk, **common)
        for t in tenants
    )
    Hold.objects.bulk_create(
        Hold(tenant=t, kind="legal", reason="Court", placed_at=AT, placed_by=by.pk, **common) for t in tenants
    )
    Token.objects.bulk_create(
        Token(tenant=t, name="ETL", prefix="crx", sha256=digest(t.pk), scopes=["read"], created_at=AT, created_by=by.pk,
              **common)
        for t in tenants
    )  # fmt: skip


def digest(pk: UUID) -> bytes:
    """Return a digest that no other row has."""
    return hashlib.sha256(pk.bytes).digest()
