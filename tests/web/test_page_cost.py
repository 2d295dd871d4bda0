"""A page costs the same number of queries for ten rows and for a thousand: staff's pages, and a customer's lists.

The other pages of a customer hold this beside their own tests (`cost` in their names).
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Domain, Invitation, Member, StaffAssignment, Tenant, User
from core.models import Hold, Job, RecordedFinding, ToggleSetting, Token
from core.permissions import StaffRole, TenantRole
from core.readiness import CHECKS
from cutover.models import Cutover, PhaseChange
from runbooks.models import PolicyException, Runbook, Step
from tests import make

pytestmark = pytest.mark.django_db

AT = datetime.now(UTC)
LATER = AT + timedelta(days=5)
FEW, MANY = 10, 1000


@pytest.fixture
def queries(client: Client) -> Callable[[str], int]:
    """Count the queries of a page, the second time it is asked for: what is read once per process does not count."""

    def count(path: str) -> int:
        assert client.get(path).status_code == 200
        with CaptureQueriesContext(connection) as counted:
            client.get(path)
        return len(counted)

    return count


def fill(start: int, stop: int, by: User) -> None:
    """Make tenants, each with one of everything that staff can list."""
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
        Invitation.objects.bulk_create(
            Invitation(
                tenant=t, email=f"i-{t.slug}@cost.example", role="member", token_digest=digest(t.pk).hex(),
                invited_by=p.pk, expires_at=LATER,
            )
            for t, p in pairs
        )  # fmt: skip
        fill_move(tenants, by)
        fill_floor(tenants, by)


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


def fill_floor(tenants: list[Tenant], by: User) -> None:
    """Give each tenant a finding that blocks, a job that was given up, a toggle, a hold and a token."""
    check = next(iter(CHECKS))
    RecordedFinding.objects.bulk_create(
        RecordedFinding(tenant=t, check_id=check, outcome="block", summary="No", evaluation_id=uuid4(), evaluated_at=AT,
                        evaluated_by=by.pk, expires_at=LATER)
        for t in tenants
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
    return hashlib.sha256(pk.bytes).digest()


def test_staffs_pages_cost_the_same_for_ten_tenants_and_a_thousand(
    client: Client, queries: Callable[[str], int]
) -> None:
    by = make.staff(*StaffRole)
    client.force_login(by)
    lists = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in site._registry]
    paths = [reverse("admin:index"), reverse("staff_cutover:waiting"), *lists]
    fill(0, FEW, by)
    few = {path: queries(path) for path in paths}
    fill(FEW, MANY, by)
    assert {path: queries(path) for path in paths} == few
    assert max(few.values()) <= 40, few


def test_a_tenants_page_in_the_admin_costs_the_same_however_much_it_has(
    client: Client, queries: Callable[[str], int]
) -> None:
    by = make.staff(*StaffRole)
    client.force_login(by)
    fill(0, 1, by)
    with make.arranging():
        tenant, runbook = Tenant.objects.get(slug="c-0"), Runbook.objects.get()
    path = reverse("admin:accounts_tenant_change", args=[tenant.pk])
    few = queries(path)
    with make.arranging():
        Step.objects.bulk_create(
            Step(tenant=tenant, runbook=runbook, key=f"step-{n}", title="A step", validation="Look", offset_days=-5,
                 owner_role="data_lead", gates=True)
            for n in range(MANY)
        )  # fmt: skip
        RecordedFinding.objects.update(is_latest=False)
        RecordedFinding.objects.bulk_create(
            RecordedFinding(tenant=tenant, check_id=f"tests.c{n}", outcome="block", summary="No", evaluation_id=uuid4(),
                            evaluated_at=AT, evaluated_by=by.pk, expires_at=LATER)
            for n in range(MANY)
        )  # fmt: skip
    assert queries(path) == few


@pytest.mark.parametrize("path", ["members/", "cutover/approver/"])
def test_a_customers_lists_cost_the_same_for_ten_people_and_a_thousand(
    client: Client, queries: Callable[[str], int], path: str
) -> None:
    owner = make.member(make.tenant(slug="crowd"))
    client.force_login(owner.user)

    def join(start: int, stop: int) -> None:
        with make.arranging():
            people = User.objects.bulk_create(
                User(email=f"m{n}@cost.example", name=f"M {n}") for n in range(start, stop)
            )
            Member.objects.bulk_create(Member(tenant=owner.tenant, user=one, role="admin") for one in people)
            Invitation.objects.bulk_create(
                Invitation(tenant=owner.tenant, email=f"new-{one.email}", role="member",
                           token_digest=digest(one.pk).hex(), invited_by=owner.user_id, expires_at=LATER)
                for one in people
            )  # fmt: skip

    join(0, FEW)
    few = queries(f"/t/crowd/{path}")
    join(FEW, MANY)
    assert queries(f"/t/crowd/{path}") == few


def test_the_choice_of_account_costs_the_same_for_ten_and_a_thousand(
    client: Client, queries: Callable[[str], int]
) -> None:
    person = make.user()
    client.force_login(person)

    def join(start: int, stop: int) -> None:
        with make.arranging():
            tenants = Tenant.objects.bulk_create(
                Tenant(name=f"Airline {n}", slug=f"h-{n}", legacy_ref=f"H{n}", segment="major")
                for n in range(start, stop)
            )
            Member.objects.bulk_create(Member(tenant=tenant, user=person, role="auditor") for tenant in tenants)

    join(0, FEW)
    few = {path: queries(path) for path in ("/", "/t/h-0/")}
    join(FEW, MANY)
    assert {path: queries(path) for path in few} == few
