"""The admin: what each role sees and may do, and that a page costs the same for ten tenants or a thousand."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.admin import site
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation, Tenant
from comms.models import Delivery
from core.permissions import StaffRole, TenantRole
from cutover.models import Cutover
from runbooks.models import PolicyException, Runbook, Step
from runbooks.services import runbooks
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant():
    made = make.tenant("Hawaiian Airlines")
    with make.arranging():
        Cutover.objects.create(tenant=made, phase="preflight", runbook_owner=make.staff(StaffRole.RUNBOOK_OWNER))
        runbooks.open(tenant_id=made.pk, cutover_on=date(2026, 12, 5), by=make.SYSTEM, at=AT)
    return made


@pytest.fixture
def sign_in(client):
    def as_(*roles):
        person = make.staff(*roles)
        client.force_login(person)
        return make.staff_actor(person)

    return as_


def pages():
    return [f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist" for model in site._registry]


@pytest.mark.parametrize("plural", [str(model._meta.verbose_name_plural) for model in site._registry])
def test_no_list_has_a_title_that_a_machine_made_wrong(plural):
    assert not re.search(r"(ch|sh|[sxz]|[^aeiou]y)s$", plural), plural


@pytest.mark.parametrize("name", pages())
def test_every_list_opens_for_an_auditor_and_for_nobody_else(client, sign_in, tenant, name):
    url = reverse(name)
    assert client.get(url).status_code == 302
    client.force_login(make.member(tenant, TenantRole.OWNER).user)
    assert client.get(url).status_code == 302
    sign_in()  # staff without a role
    assert client.get(url).status_code == 403
    sign_in(StaffRole.AUDITOR)
    assert client.get(url).status_code == 200


def test_the_front_page_shows_the_programme(client, sign_in, tenant):
    sign_in(StaffRole.AUDITOR)
    page = client.get(reverse("admin:index")).content.decode()
    assert "Steps overdue" in page
    assert "Hawaiian Airlines" in page
    assert "Tenants by phase" in page


def test_a_tenants_page_shows_checks_runbook_and_exceptions(client, sign_in, tenant):
    sign_in(StaffRole.CS)
    page = client.get(reverse("admin:accounts_tenant_change", args=[tenant.pk])).content.decode()
    assert "Runbook steps are signed" in page
    assert "Finalise the mapping spec" in page
    assert "No exceptions" in page


def test_a_step_is_signed_by_its_owner_through_the_admin(client, sign_in, tenant):
    by = sign_in(StaffRole.DATA_LEAD)
    with make.arranging():
        step = Step.objects.get(tenant=tenant, key="dry-run")
    url = reverse("admin:runbooks_step_sign", args=[step.pk])
    assert client.get(url).status_code == 200
    back = reverse("admin:accounts_tenant_change", args=[tenant.pk])
    answer = client.post(url, {"note": "It balances.", "next": back}, follow=True)
    assert answer.redirect_chain == [(back, 302)]
    assert "is signed" in answer.content.decode()
    with make.arranging():
        assert Step.objects.get(pk=step.pk).signed_by_id == by.id


def test_the_wrong_lead_is_told_who_signs(client, sign_in, tenant):
    sign_in(StaffRole.INTEGRATIONS_LEAD)
    with make.arranging():
        step = Step.objects.get(tenant=tenant, key="dry-run")
    answer = client.post(reverse("admin:runbooks_step_sign", args=[step.pk]), {"note": ""})
    assert answer.status_code == 422
    assert "is signed by the data lead or a runbook owner" in answer.content.decode()


def test_an_operation_leads_back_only_to_this_site(client, sign_in, tenant):
    sign_in(StaffRole.DATA_LEAD)
    with make.arranging():
        step = Step.objects.get(tenant=tenant, key="dry-run")
    answer = client.post(reverse("admin:runbooks_step_sign", args=[step.pk]), {"next": "https://evil.example/"})
    assert answer.url == reverse("admin:runbooks_step_change", args=[step.pk])


def test_an_exception_is_requested_by_one_and_approved_by_another(client, sign_in, tenant):
    asker = sign_in(StaffRole.CS)
    with make.arranging():
        runbook = Runbook.objects.get(tenant=tenant)
    wanted = {
        "check": "runbooks.steps_signed",
        "reason": "The GameDay moved.",
        "compensating_controls": "An engineer is on call.",
        "owner": str(asker.id),
        "until": (timezone.now() + timedelta(days=5)).date().isoformat(),
    }
    url = reverse("admin:runbooks_runbook_request_exception", args=[runbook.pk])
    assert client.post(url, {**wanted, "reason": ""}).status_code == 422
    assert client.post(url, wanted).status_code == 302
    with make.arranging():
        row = PolicyException.objects.get(tenant=tenant)
    approve = reverse("admin:runbooks_policyexception_approve", args=[row.pk])
    assert client.post(approve).status_code == 403  # CS may ask, not approve
    sign_in(StaffRole.STEERING_GROUP)
    assert "is approved" in client.post(approve, follow=True).content.decode()
    with make.arranging():
        row.refresh_from_db()
        assert row.approved_at is not None


def test_the_tenants_list_costs_the_same_for_ten_and_for_a_thousand(client, sign_in):
    sign_in(StaffRole.AUDITOR)
    url = reverse("admin:accounts_tenant_changelist")

    def add(count, start):
        with make.arranging():
            made = Tenant.objects.bulk_create(
                Tenant(name=f"Airline {n}", slug=f"a-{n}", legacy_ref=f"A{n}") for n in range(start, start + count)
            )
            Cutover.objects.bulk_create(Cutover(tenant=row, phase="prepare") for row in made)

    def queries():
        with CaptureQueriesContext(connection) as counted:
            assert client.get(url).status_code == 200
        return len(counted)

    add(10, 0)
    client.get(url)
    few = queries()
    add(990, 10)
    assert queries() == few
    assert few <= 9 + 17, "the frame, and one reading of each thing that the columns tell of"


def test_nothing_can_be_added_changed_or_deleted_by_hand(client, sign_in, tenant):
    sign_in(*StaffRole)
    assert client.get(reverse("admin:accounts_tenant_add")).status_code == 403
    assert client.post(reverse("admin:accounts_tenant_change", args=[tenant.pk]), {"name": "x"}).status_code == 403
    assert client.post(reverse("admin:accounts_tenant_delete", args=[tenant.pk])).status_code == 403


def test_staff_invites_a_first_owner_and_may_send_it_again(client, sign_in, tenant):
    sign_in(StaffRole.CS)
    url = reverse("admin:accounts_tenant_invite_first_owner", args=[tenant.pk])
    assert url in client.get(reverse("admin:accounts_tenant_change", args=[tenant.pk])).content.decode()
    page = client.post(url, {"email": "olive@hawaiian.example"}, follow=True).content.decode()
    assert "The invitation was sent to olive@hawaiian.example." in page
    with make.arranging():
        Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
        invitation = Invitation.objects.get()
    page = client.post(url, {"email": "olive@hawaiian.example"})
    assert (page.status_code, "is invited already" in page.content.decode()) == (422, True)
    again = reverse("admin:accounts_invitation_resend", args=[invitation.pk])
    assert "The invitation was sent to" in client.post(again, follow=True).content.decode()
    assert len(mail.outbox) == 2
    shown = client.get(reverse("admin:accounts_invitation_change", args=[invitation.pk])).content.decode()
    with make.arranging():
        assert Invitation.objects.get().token_digest not in shown


def test_a_tenant_with_an_owner_invites_by_itself(client, sign_in, tenant):
    make.member(tenant, TenantRole.OWNER)
    sign_in(StaffRole.CS)
    url = reverse("admin:accounts_tenant_invite_first_owner", args=[tenant.pk])
    assert url not in client.get(reverse("admin:accounts_tenant_change", args=[tenant.pk])).content.decode()
    page = client.post(url, {"email": "second@hawaiian.example"})
    assert (page.status_code, "first owner only" in page.content.decode()) == (422, True)


@pytest.mark.parametrize("role", [StaffRole.SUPPORT, StaffRole.AUDITOR])
def test_staff_who_may_not_invite_see_no_button_and_are_refused(client, sign_in, tenant, role):
    sign_in(role)
    url = reverse("admin:accounts_tenant_invite_first_owner", args=[tenant.pk])
    assert url not in client.get(reverse("admin:accounts_tenant_change", args=[tenant.pk])).content.decode()
    assert client.post(url, {"email": "olive@hawaiian.example"}).status_code == 403


@pytest.mark.parametrize(
    ("page", "column"),
    [
        ("accounts_user", "password"),
        ("accounts_user", "is_superuser"),
        ("accounts_invitation", "token_digest"),
        ("core_job", "claim"),
        ("core_token", "sha256"),
    ],
)
def test_what_a_page_leaves_out_cannot_be_guessed_by_filtering(client, sign_in, page, column):
    """Otherwise `?password__startswith=…` gives a colleague's hash away, letter by letter."""
    sign_in(StaffRole.AUDITOR)
    for lookup in (column, f"{column}__startswith", f"{column}__regex"):
        answer = client.get(reverse(f"admin:{page}_changelist"), {lookup: "a"})
        assert answer.status_code in (302, 400), lookup  # not a list, whether rows match or not


@pytest.mark.parametrize("pattern", ["(", "(a*)*$"])
def test_a_list_is_not_filtered_by_a_pattern(client, sign_in, pattern):
    sign_in(StaffRole.AUDITOR)
    assert client.get(reverse("admin:accounts_user_changelist"), {"email__regex": pattern}).status_code == 400
    assert client.get(reverse("admin:accounts_user_changelist"), {"email__iregex": pattern}).status_code == 400


def test_staff_changes_the_password_where_everybody_does(client, sign_in):
    sign_in(StaffRole.AUDITOR)
    assert client.get("/admin/password_change/").url == reverse("account_change_password")
    assert client.post("/admin/password_change/", {"old_password": "x"}).url == reverse("account_change_password")


def test_a_moment_is_written_with_its_time_zone(client, sign_in, tenant):
    at = datetime(2026, 11, 27, 4, 16, tzinfo=UTC)
    with make.arranging():
        Cutover.objects.filter(tenant=tenant).update(window_starts_at=at, window_ends_at=at + timedelta(hours=4))
    sign_in(*StaffRole)
    assert "27 Nov 2026, 04:16 UTC" in client.get(reverse("admin:cutover_cutover_changelist")).content.decode()


def test_a_mail_that_was_sent_is_not_tried_next():
    page, at = site.get_model_admin(Delivery), timezone.now()
    assert page.tried_next(Delivery(state="waiting", next_at=at)) == at
    assert page.tried_next(Delivery(state="sent", next_at=at)) is None
