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

from accounts.models import (
    Invitation,
    LegacyPerson,
    LinkCheckpoint,
    LinkedIdentity,
    LinkProposal,
    Member,
    PersonChange,
    PersonDecision,
    ProvisionedGroup,
    ProvisionedUser,
    ProvisioningCall,
    SsoConnection,
    SsoSignIn,
    Tenant,
    User,
)
from core.models import RecordedFinding, Token
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


def test_the_pages_of_identity_cost_the_same_for_ten_and_for_a_hundred(
    client: Client, queries: Callable[[str], int]
) -> None:
    owner = make.member(make.tenant(slug="crowd"))
    tenant, by = owner.tenant, owner.user_id
    client.force_login(owner.user)
    with make.arranging():
        connection = SsoConnection.objects.create(tenant=tenant, begun_by=by)
        token = Token.objects.create(
            tenant=tenant, name="Directory", prefix="x", sha256=digest(by), created_at=AT, created_by=by,
            expires_at=LATER, scopes=["scim"],
        )  # fmt: skip

    def add(start: int, stop: int) -> None:
        numbers, told = range(start, stop), {"tenant": tenant, "created_at": AT, "modified_at": AT}
        known = {"tenant": tenant, "outcome": "placeholder", "rule": "nobody"}
        with make.arranging():
            users = User.objects.bulk_create(User(email=f"m{n}@cost.example", name=f"M {n}") for n in numbers)
            members = Member.objects.bulk_create(Member(tenant=tenant, user=one, role="member") for one in users)
            ProvisionedGroup.objects.bulk_create(ProvisionedGroup(name_key=f"g{n}", **told) for n in numbers)
            ProvisionedUser.objects.bulk_create(
                ProvisionedUser(name_key=f"u{n}", outcome="waiting", deleted_at=AT if n % 2 else None, **told)
                for n in numbers
            )
            ids = list(ProvisionedUser.objects.values_list("pk", flat=True))[-len(numbers) :]
            ProvisioningCall.objects.bulk_create(
                ProvisioningCall(tenant=tenant, token=token, called_at=AT, method="PUT", kind="User", resource_id=each,
                                 status=200, outcome="waiting", was_trial=True)
                for each in ids
            )  # fmt: skip
            SsoSignIn.objects.bulk_create(
                SsoSignIn(tenant=tenant, connection=connection, request_id=f"_{n}", browser="b", started_at=AT,
                          expires_at=AT, answered_at=AT, outcome="signed_in", reason="linked", member=one)
                for n, one in zip(numbers, members, strict=True)
            )  # fmt: skip
            for decided in ({}, {"decided_at": AT, "decided_by": by, "is_approved": False}):
                LinkProposal.objects.bulk_create(
                    LinkProposal(tenant=tenant, member=one, user_name=f"{len(decided)}", reason="to_be_approved",
                                 proposed_at=AT, **decided)
                    for one in members
                )  # fmt: skip
            LinkedIdentity.objects.bulk_create(
                LinkedIdentity(tenant=tenant, member=one, user_name=f"m{n}", source="rule", linked_at=AT, linked_by=by)
                for n, one in zip(numbers, members, strict=True)
            )
            people = [(n, uuid4()) for n in numbers]
            LegacyPerson.objects.bulk_create(
                LegacyPerson(pk=pk, person_id=pk, key=f"{n}", name="Ada", **known) for n, pk in people
            )
            asked = PersonDecision.objects.bulk_create(
                PersonDecision(tenant=tenant, kind="drop", state=state, people=1, reason="Gone", decided_at=AT,
                               decided_by=by)
                for state in ("waiting", "standing")
                for _ in numbers
            )  # fmt: skip
            PersonChange.objects.bulk_create(
                PersonChange(tenant=tenant, decision=one, legacy_id=pk, before_outcome="placeholder",
                             before_person_id=pk, after_outcome="dropped", after_person_id=pk)
                for one in asked[: len(people)]
                for _, pk in people[:3]
            )  # fmt: skip
            LinkCheckpoint.objects.bulk_create(
                LinkCheckpoint(tenant=tenant, number=n, reason="Before", people=1, taken_at=AT, taken_by=by)
                for n in numbers
                if n % 20 == 0
            )

    add(0, FEW)
    with make.arranging():
        person = LegacyPerson.objects.get(key="0").pk
    paths = ("provisioning/", "sso/sign-ins/", "sso/links/", "sso/forecast/", "people/?outcome=placeholder",
             f"people/{person}/", "people/decisions/", "people/link/")  # fmt: skip
    few = {path: queries(f"/t/crowd/{path}") for path in paths}
    add(FEW, 100)
    assert {path: queries(f"/t/crowd/{path}") for path in paths} == few
