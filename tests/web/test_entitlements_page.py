"""The entitlements page: the verdict first, every state said in words, choices refused with their reason."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member
from core import queue, tenancy
from core.permissions import StaffRole, TenantRole
from core.subscriptions import AddOn
from entitlements.models import Decision, Mismatch, Snapshot
from entitlements.services import snapshots
from tests import contracts, make
from tests.fakes.contracts import FakeBilling

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_contracts")]
PAGE = "/t/zebra/entitlements/"


@pytest.fixture
def owner(client: Client) -> Member:
    made = make.member(make.tenant("Zebra Air", slug="zebra"))
    contracts.sign(made.tenant)
    client.force_login(made.user)
    return made


def take(owner: Member, *, ago: timedelta = timedelta(0)) -> Snapshot:
    with tenancy.scope(tenant_id=owner.tenant_id):
        return snapshots.take(tenant_id=owner.tenant_id, by=make.SYSTEM, at=timezone.now() - ago)


def html(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_no_price_change_is_said_first_with_the_money(client: Client, owner: Member) -> None:
    take(owner)
    text = html(client)
    assert "No price change" in text
    assert "USD 1,615.00 a month, USD 19,380.00 a year, before and after." in text
    assert text.index("No price change") < text.index("What changes") < text.index("What you use")


def test_before_the_first_look_there_is_one_thing_to_do(client: Client, owner: Member) -> None:
    text = html(client)
    assert "Not compared yet" in text
    assert "Compare now" in text
    assert "What changes" not in text


def test_a_stale_look_says_so(client: Client, owner: Member) -> None:
    take(owner, ago=timedelta(hours=31))
    assert "too long ago to count" in html(client)


def test_comparing_again_goes_through_the_queue(client: Client, owner: Member, settings) -> None:
    settings.QUEUE_RINGS = False
    answer = client.post(f"{PAGE}refresh/", headers={"HX-Request": "true"})
    assert "Both platforms are being compared" in answer.content.decode()
    assert 'hx-trigger="every 2s"' in answer.content.decode()
    queue.run_pending()
    fragment = client.get(PAGE, headers={"HX-Request": "true"}).content.decode()
    assert "No price change" in fragment
    assert "<html" not in fragment
    assert "every 2s" not in fragment


def test_a_mismatch_is_with_us_and_says_what_happens_next(client: Client, owner: Member) -> None:
    contracts.bill(owner.tenant, 165_000)
    take(owner)
    text = html(client)
    assert "The new platform is not set up as promised" in text
    assert "USD 1,450.00 a month" in text
    assert "USD 1,650.00 a month" in text
    assert "our identity and billing lead sets your subscription up anew" in text


def test_what_is_unmapped_stands_first(client: Client, owner: Member) -> None:
    contracts.sign(owner.tenant, AddOn("FREIGHT", "Freight desk", 1, 100))
    take(owner)
    text = html(client)
    assert "The new price cannot be said yet" in text
    assert text.index("Freight desk") < text.index("Enterprise" if "Enterprise" in text else "Professional")
    assert "You can give Freight desk up." in text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_owner_chooses_and_can_choose_otherwise(client: Client, owner: Member, headers: dict[str, str]) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    basis = "ops-mail, 1, at USD 25.00 a month instead of TTY-FAX"
    assert basis in html(client)
    for choice in ("accept", "give_up"):
        given = {"subject": "addon:TTY-FAX", "choice": choice, "basis": basis}
        assert client.post(f"{PAGE}choose/", given, headers=headers).status_code == (200 if headers else 302)
        assert "You have chosen" in html(client)
    with make.arranging():
        assert Decision.objects.count() == 2


def test_a_refused_choice_comes_back_with_its_reason(client: Client, owner: Member) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    given = {"subject": "addon:TTY-FAX", "choice": "accept", "basis": "for nothing"}
    answer = client.post(f"{PAGE}choose/", given, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "The offer has changed since you saw it." in answer.content.decode()
    followed = client.post(f"{PAGE}choose/", given, follow=True)
    assert "The offer has changed since you saw it." in followed.content.decode()


def test_who_may_not_choose_reads_who_may(client: Client, owner: Member) -> None:
    contracts.sign(owner.tenant, contracts.TELEX)
    take(owner)
    client.force_login(make.member(owner.tenant, TenantRole.AUDITOR).user)
    text = html(client)
    assert "An owner of your account chooses." in text
    assert "Compare again" not in text
    assert '<button class="btn primary"' not in text.split('id="entitlements"')[1]


def test_the_page_costs_the_same_however_much_there_is(client: Client, owner: Member) -> None:
    take(owner)

    def count() -> int:
        client.get(PAGE)
        with CaptureQueriesContext(connection) as counted:
            client.get(PAGE)
        return len(counted)

    few = count()
    contracts.sign(owner.tenant, *(AddOn(f"X{number}", f"Thing {number}", 1, 1) for number in range(200)))
    for _ in range(20):
        take(owner)
    with make.arranging():
        seen = Snapshot.objects.first()
        Mismatch.objects.bulk_create(
            Mismatch(tenant=owner.tenant, subject=f"s{n}", title="T", promised="1", found="2", opened_in=seen)
            for n in range(200)
        )
    assert count() == few


def test_staff_sees_it_on_the_tenants_page_and_sets_it_up_anew(client: Client, owner: Member) -> None:
    contracts.bill(owner.tenant, 165_000)
    snapshot = take(owner)
    lead = make.staff(StaffRole.IDENTITY_BILLING_LEAD)
    client.force_login(lead)
    page = client.get(f"/admin/accounts/tenant/{owner.tenant_id}/change/").content.decode()
    assert "The new platform is not set up as promised" in page
    assert "1 mismatch" in client.get("/admin/accounts/tenant/").content.decode()
    address = f"/admin/entitlements/snapshot/{snapshot.pk}/provision/"
    client.post(address)
    assert FakeBilling.held[owner.tenant_id].price == 145_000
    with make.arranging():
        assert Mismatch.objects.get().settled_in is not None
    assert "matches" in client.get("/admin/accounts/tenant/").content.decode()


def test_staff_without_the_permission_may_look_only(client: Client, owner: Member) -> None:
    contracts.bill(owner.tenant, 165_000)
    snapshot = take(owner)
    client.force_login(make.staff(StaffRole.CS))
    page = client.get(f"/admin/entitlements/snapshot/{snapshot.pk}/change/").content.decode()
    assert "Set up as promised" not in page
    assert "Compare again" in page
    assert client.post(f"/admin/entitlements/snapshot/{snapshot.pk}/provision/").status_code == 403
