"""Whom a directory puts out is out at once, everywhere; whom the account cannot do without it does not touch."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from accounts.models import BreakGlassOwner, LinkProposal, Member, ProvisioningCall
from accounts.services import identity_links
from accounts.services.provisioning import switch
from core import queue, tenancy
from core.permissions import TenantRole
from tests import api, make
from tests.services.test_provisioning import OURS, Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def linked(desk: Desk, name: str, role: TenantRole) -> tuple[Member, str]:
    """Make somebody a member whom the directory keeps; return the member and their id there."""
    member = make.member(desk.tenant, role, person=make.user(email=f"{name}@{OURS}"))
    ident = desk.user(name, externalId=name)
    with tenancy.scope(tenant_id=desk.tenant.pk):
        proposals = list(LinkProposal.objects.filter(decided_at=None).values_list("pk", flat=True))
        identity_links.decide(
            tenant_id=desk.tenant.pk, proposal_ids=proposals, approve=True, by=make.actor(desk.owner), at=timezone.now()
        )
    return member, ident


@pytest.mark.parametrize("how", ["active", "delete"])
def test_whom_the_directory_puts_out_has_no_session_and_no_token_from_then_on(desk: Desk, how: str) -> None:
    desk.enable()
    ann, ident = linked(desk, "ann", TenantRole.ADMIN)
    browser, other = Client(), Client()
    browser.force_login(ann.user)
    other.force_login(desk.owner.user)
    page, secret = f"/t/{desk.tenant.slug}/members/", api.token(ann, "domains:read")
    assert browser.get(page).status_code == 200
    assert UserSession.objects.filter(user=ann.user).exists()
    assert api.call("GET", "/api/v1/domains", secret=secret).status_code == 200
    if how == "active":
        desk.set_active(ident, False)
    else:
        desk.directory.told("DELETE", f"Users/{ident}", status=204)
    assert not UserSession.objects.filter(user=ann.user).exists()
    answer = browser.get(page)
    assert (answer.status_code, page in answer.headers["Location"]) == (302, True), "asked to sign in"
    assert api.call("GET", "/api/v1/domains", secret=secret).status_code == 401
    assert other.get(page).status_code == 200, "nobody else is signed out"
    with make.arranging():
        call = ProvisioningCall.objects.filter(tenant=desk.tenant).order_by("-called_at")[0]
    assert call.outcome == "put_out"


def test_an_owner_who_breaks_the_glass_is_refused_to_the_directory_and_it_is_told_why(desk: Desk) -> None:
    desk.enable()
    second, ident = linked(desk, "second", TenantRole.OWNER)
    with make.arranging():
        seat = BreakGlassOwner.objects.create(
            tenant=desk.tenant, member=second, seat=1, named_at=timezone.now(), named_by=desk.owner.user_id
        )
    told = desk.set_active(ident, False, status=403)
    assert "break-glass owner" in told["detail"]
    assert "break-glass owner" in desk.directory.told("DELETE", f"Users/{ident}", status=403)["detail"]
    crew = desk.directory.group("Crew", ident)["id"]
    desk.give(crew, "auditor")
    assert desk.outcome(ident) == ("refused", "break_glass")
    assert desk.active()["second"] == "owner"
    with make.arranging():
        refused = ProvisioningCall.objects.filter(tenant=desk.tenant, status=403)
        assert all("break-glass owner" in call.refusal for call in refused)
        assert refused.count() == 2
        BreakGlassOwner.objects.filter(pk=seat.pk).update(ended_at=timezone.now(), ended_by=desk.owner.user_id)
    desk.set_active(ident, False)
    assert "second" not in desk.active()


def test_the_end_of_the_trial_touches_nobody_whom_the_account_cannot_do_without(desk: Desk) -> None:
    second, ident = linked(desk, "second", TenantRole.OWNER)
    desk.enable()
    with tenancy.scope(tenant_id=desk.tenant.pk):
        proposals = list(LinkProposal.objects.filter(decided_at=None).values_list("pk", flat=True))
        identity_links.decide(
            tenant_id=desk.tenant.pk, proposal_ids=proposals, approve=True, by=make.actor(desk.owner), at=timezone.now()
        )
        switch.go_back(tenant_id=desk.tenant.pk, by=make.actor(desk.owner), at=timezone.now())
    with make.arranging():
        BreakGlassOwner.objects.create(
            tenant=desk.tenant, member=second, seat=1, named_at=timezone.now() - timedelta(days=1),
            named_by=desk.owner.user_id,
        )  # fmt: skip
    desk.set_active(ident, False)
    desk.enable()
    queue.run_pending()
    assert desk.active()["second"] == "owner"
    assert desk.outcome(ident) == ("refused", "break_glass")
