"""The pages of messages, status and support as customers and staff meet them."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from comms.models import BannerDismissal, Mailing, StatusUpdate
from comms.models import Case as SupportCase
from comms.services import cases
from core.permissions import StaffRole, TenantRole
from tests import make
from tests.comms import work
from tests.cutovers import Case, ready_case
from tests.fakes.mail import FakeMail

pytestmark = pytest.mark.django_db
INJECTION = "<script>alert(1)</script>\r\nBcc: all@zebra.example"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, fake_mail: type[FakeMail]) -> Iterator[Case]:
    with ready_case(monkeypatch, at=timezone.now(), time_zone="America/Chicago") as case:
        yield case


@pytest.fixture
def open_as(world: Case) -> Callable[[str], Client]:
    def signed_in(role: str) -> Client:
        client = Client()
        client.force_login(
            world.owner.user if role == "owner" else make.member(world.owner.tenant, role=TenantRole(role)).user
        )
        return client

    return signed_in


def at(world: Case, path: str) -> str:
    return f"/t/{world.owner.tenant.slug}/{path}"


def read(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_names_are_for_those_who_may_see_members(world: Case, open_as: Callable[[str], Client]) -> None:
    work()
    owner = str(world.owner.user)
    to = f"<dt>To</dt><dd>{owner}"
    assert to in read(open_as("auditor"), at(world, "messages/"))
    page = read(open_as("member"), at(world, "messages/"))
    assert to not in page
    assert "1 person" in page
    assert "Change the day" not in page


def test_an_admin_moves_a_message_by_their_own_clock_and_adds_a_word(
    world: Case, open_as: Callable[[str], Client]
) -> None:
    work()
    mailing, client = Mailing.objects.get(template="announce.users"), open_as("admin")
    path = at(world, f"messages/{mailing.pk}/")
    late = client.post(path, {"due_at": "2020-01-01T09:00", "note": ""})
    assert late.status_code == 422
    assert "still to come" in late.content.decode()
    due = (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT09:30")
    assert client.post(path, {"due_at": due, "note": INJECTION}).status_code == 302
    mailing.refresh_from_db()
    assert mailing.due_at.strftime("%H:%M") in ("14:30", "15:30")  # Chicago's half past nine
    page = read(client, path)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_everybody_chooses_for_themselves(world: Case, open_as: Callable[[str], Client]) -> None:
    client = open_as("member")
    client.post(at(world, "messages/mine/"), {"mails": "essential"})
    assert 'value="essential" checked' in read(client, at(world, "messages/"))
    client.post(at(world, "messages/mine/"), {"mails": "all"})
    assert 'value="essential" checked' not in read(client, at(world, "messages/"))


def test_a_banner_is_put_away_by_one_person_and_a_critical_one_by_nobody(
    world: Case, open_as: Callable[[str], Client]
) -> None:
    client, other = open_as("member"), open_as("member")
    page = read(client, at(world, "support/"))
    assert "Your move is planned" in page
    assert "CST" in page or "CDT" in page
    (banner,) = [line.split('value="')[1].split('"')[0] for line in page.splitlines() if 'name="banner"' in line]
    answer = client.post(at(world, "banners/dismiss/"), {"banner": banner, "next": "https://evil.example/"})
    assert answer["Location"] == at(world, "")
    assert "Your move is planned" not in read(client, at(world, "support/"))
    assert "Your move is planned" in read(other, at(world, "support/"))
    author = make.staff(StaffRole.CS)
    news = StatusUpdate.objects.create(
        tenant=world.owner.tenant, kind="incident", title="Slow pages", text="Wait", written_at=timezone.now(),
        written_by=author,
    )  # fmt: skip
    client.post(at(world, "banners/dismiss/"), {"banner": f"comms.news:{news.pk}", "next": at(world, "status/")})
    assert "Slow pages" in read(client, at(world, "support/"))
    assert BannerDismissal.objects.count() == 1


def test_help_with_a_check_takes_what_it_found_along(world: Case, open_as: Callable[[str], Client]) -> None:
    from core.findings import Outcome

    world.answer(Outcome.BLOCK, lost=3)
    world.run_checks(at=timezone.now())
    client = open_as("member")
    path = at(world, "support/new/?check=tests.data")
    assert path.replace("&", "&amp;") in read(open_as("owner"), at(world, "preflight/"))
    page = read(client, path)
    assert "Help with: Data moved" in page
    made = client.post(path, {"check": "tests.data", "subject": INJECTION, "severity": "2", "text": INJECTION})
    case = SupportCase.objects.get()
    assert made["Location"] == at(world, f"support/{case.pk}/")
    assert (case.check_id, case.finding["outcome"]) == ("tests.data", "block")
    assert "<script>alert" not in read(client, made["Location"])
    assert "\n" not in case.subject


def test_a_member_sees_their_own_cases_only(world: Case, open_as: Callable[[str], Client]) -> None:
    case = cases.open_case(
        tenant_id=world.tenant_id, subject="The owner's", severity="3", text="Secret", by=world.customer,
        at=timezone.now(),
    )  # fmt: skip
    client = open_as("member")
    assert "The owner" not in read(client, at(world, "support/"))
    assert client.get(at(world, f"support/{case.pk}/")).status_code == 404
    assert client.post(at(world, f"support/{case.pk}/confirm/")).status_code == 404
    assert open_as("auditor").get(at(world, f"support/{case.pk}/")).status_code == 200


def test_support_works_the_queue_in_the_admin(world: Case, client: Client) -> None:
    case = cases.open_case(
        tenant_id=world.tenant_id, subject="Help", severity="1", text="Please", by=world.customer, at=timezone.now()
    )
    support = make.staff(StaffRole.SUPPORT, name="Sam Porter")
    client.force_login(support)
    queue = reverse("admin:comms_case_changelist")
    assert "59 min to answer" in read(client, queue)
    for clock in ("late", "soon", "stands"):
        assert ("Help" in read(client, f"{queue}?clock={clock}")) is (clock == "soon")
    client.post(reverse("admin:comms_case_assign", args=[case.pk]), {"person": str(support.pk)})
    client.post(reverse("admin:comms_case_answer", args=[case.pk]), {"text": "We look."})
    page = read(client, queue)
    assert "stands still" in page
    assert "Sam Porter" in page
    assert "We look." in read(client, reverse("admin:comms_case_change", args=[case.pk]))
    late = client.post(reverse("admin:comms_case_move", args=[case.pk]), {"target": "closed"})
    assert late.status_code == 422
    assert "cannot become closed" in late.content.decode()
    client.force_login(make.staff(StaffRole.AUDITOR))
    assert client.post(reverse("admin:comms_case_answer", args=[case.pk]), {"text": "x"}).status_code == 403


def test_cs_writes_news_on_the_tenants_page(world: Case, client: Client, open_as: Callable[[str], Client]) -> None:
    client.force_login(make.staff(StaffRole.CS))
    path = reverse("admin:accounts_tenant_tell_status", args=[world.tenant_id])
    client.post(path, {"kind": "info", "title": "We begin at ten", "text": "More at noon."})
    assert "We begin at ten" in read(open_as("member"), at(world, "status/"))
    client.force_login(make.staff(StaffRole.SUPPORT))
    assert client.post(path, {"kind": "info", "title": "No", "text": "No"}).status_code == 403


@pytest.mark.parametrize("path", ["messages/", "support/", "status/"])
def test_a_page_costs_the_same_for_ten_and_a_thousand(world: Case, open_as: Callable[[str], Client], path: str) -> None:
    client, author = open_as("owner"), make.staff(StaffRole.CS)

    def fill(start: int, stop: int) -> None:
        moment = timezone.now()
        for number in range(start, stop):
            StatusUpdate.objects.create(
                tenant_id=world.tenant_id, kind="info", title=f"News {number}", text="x", written_at=moment,
                written_by=author,
            )  # fmt: skip
            Mailing.objects.create(
                tenant_id=world.tenant_id, template="announce.users", version=1, kind="announce", audience="end_users",
                occasion=f"x{number}", is_essential=False, due_at=moment + timedelta(days=1), planned_at=moment,
            )  # fmt: skip
            SupportCase.objects.create(
                tenant_id=world.tenant_id, subject=f"Case {number}", severity="3", phase="prepare", opened_at=moment,
                opened_by=world.owner.user, respond_by=moment, resolve_by=moment, due_at=moment,
            )  # fmt: skip

    def queries() -> int:
        client.get(at(world, path))
        with CaptureQueriesContext(connection) as counted:
            assert client.get(at(world, path)).status_code == 200
        return len(counted)

    fill(0, 30)
    few = queries()
    fill(30, 200)
    assert queries() == few


def test_a_preview_for_an_account_that_cannot_be_is_no_crash(client: Client) -> None:
    client.force_login(make.staff(StaffRole.CS))
    assert client.get("/staff/messages/", {"tenant": "no\0body"}).status_code == 404
