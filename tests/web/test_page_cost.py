"""A page costs the same number of queries for ten rows and for a thousand: staff's pages, and a customer's lists.

The other pages of a customer hold this beside their own tests (`cost` in their names).
"""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.admin import site
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Invitation, Member, Tenant, User
from core.models import RecordedFinding
from core.permissions import StaffRole
from runbooks.models import Runbook, Step
from tests import make
from tests.crowd import AT, LATER, digest, fill

pytestmark = pytest.mark.django_db

FEW, MANY = 10, 1000
ADMIN_FRAME = 6
"""Queries of every page of the admin: session, person, roles, audit of the scope."""


@pytest.fixture
def queries(client: Client) -> Callable[[str], int]:
    """Count the queries of a page, the second time it is asked for: what is read once per process does not count."""

    def count(path: str) -> int:
        assert client.get(path).status_code == 200
        with CaptureQueriesContext(connection) as counted:
            client.get(path)
        return len(counted)

    return count


@pytest.mark.slow
@pytest.mark.parametrize("many", [100, MANY])
def test_staffs_pages_cost_the_same_for_ten_tenants_and_for_many(
    client: Client, queries: Callable[[str], int], many: int
) -> None:
    by = make.staff(*StaffRole)
    client.force_login(by)
    lists = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in site._registry]
    paths = [reverse("admin:index"), reverse("staff_cutover:waiting"), reverse("staff_dashboard:programme"), *lists]
    fill(0, FEW, by)
    few = {path: queries(path) for path in paths}
    fill(FEW, many, by)
    assert {path: queries(path) for path in paths} == few
    assert max(few.values()) <= 40, few
    assert few[reverse("admin:comms_case_changelist")] <= 6 + ADMIN_FRAME, few


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


@pytest.mark.parametrize("path", ["members/", "access/", "cutover/approver/"])
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
