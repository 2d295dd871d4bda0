"""The programme's dashboard, and an account's snapshot: what a customer may be handed."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts.models import Tenant
from core import pdf
from core.models import RecordedFinding
from core.permissions import StaffRole, TenantRole
from core.readiness import CHECKS
from cutover.models import Cutover
from portal.dashboard.queries import areas
from runbooks.models import PolicyException
from tests import make

pytestmark = pytest.mark.django_db

AT = datetime.now(UTC)
PAGE, CSV = "/staff/programme/", "/staff/programme.csv"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make.staff(StaffRole.CS, name="Carla Sanz"))
    return client


def account(name: str, *, phase: str = "preflight", wave: str = "", days: int = 0, owner=None) -> Tenant:
    tenant = make.tenant(name)
    starts_at = AT + timedelta(days=days) if days else None
    with make.arranging():
        Cutover.objects.create(
            tenant=tenant, phase=phase, wave=wave, runbook_owner=owner, phase_since=AT - timedelta(days=4),
            window_starts_at=starts_at, window_ends_at=starts_at and starts_at + timedelta(hours=2),
        )  # fmt: skip
    return tenant


def answer(tenant: Tenant, outcome: str, *check_ids: str, expires_at: datetime = AT + timedelta(days=9)) -> None:
    with make.arranging():
        RecordedFinding.objects.bulk_create(
            RecordedFinding(
                tenant=tenant, check_id=check_id, outcome=outcome, summary="Found so", evaluation_id=uuid4(),
                evaluated_at=AT - timedelta(hours=1), evaluated_by=make.SYSTEM.id, expires_at=expires_at,
            )
            for check_id in check_ids
        )  # fmt: skip


def names(response) -> list[str]:
    return [row.tenant.name for row in response.context["rows"]]


def lines(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_account_shows_what_blocks_it_whose_turn_it_is_and_by_when(staff):
    tenant = account("Aloha Air", days=20)
    answer(tenant, "pass", *CHECKS)
    with make.arranging():
        RecordedFinding.objects.filter(check_id="accounts.domain_verified").update(outcome="block")
    (row,) = staff.get(PAGE).context["rows"]
    assert row.blockers == 1
    assert (row.next.title, row.next.owner) == ("Your domain is proven", "the customer")
    assert row.next.due_on == (AT + timedelta(days=17)).date()
    assert {cell.area.id: cell.words for cell in row.cells if cell.words != "Ready"} == {"access": "1 open"}


def test_a_late_action_says_so(staff):
    answer(account("Aloha Air", days=1), "block", "accounts.domain_verified")
    page = staff.get(PAGE)
    assert page.context["rows"][0].next.is_late
    assert "Late" in page.text


def test_an_account_without_answers_is_open_not_ready(staff):
    account("Aloha Air")
    (row,) = staff.get(PAGE).context["rows"]
    assert row.blockers == len(CHECKS)
    assert {cell.words for cell in row.cells} == {"Not asked"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Beta", "Gamma", "Alpha"]),
        ("?order=name", ["Alpha", "Beta", "Gamma"]),
        ("?q=amm", ["Gamma"]),
        ("?q=%25", []),
        ("?phase=prepare", ["Alpha"]),
        ("?wave=First", ["Beta"]),
        ("?owner=OWNER", ["Gamma"]),
        ("?owner=nobody&phase=nowhere&open=nothing&order=sideways&page=zero", ["Beta", "Gamma", "Alpha"]),
        ("?q=a%00b", []),
    ],
)
def test_filters_and_order(staff, query, found):
    owner = make.staff(StaffRole.RUNBOOK_OWNER)
    account("Alpha", phase="prepare")
    account("Beta", wave="First", days=3)
    account("Gamma", days=9, owner=owner)
    page = staff.get(PAGE + query.replace("OWNER", str(owner.pk)))
    assert page.status_code == 200
    assert names(page) == found


def test_not_ready_in_an_area_means_every_check_of_it_passes_or_not(staff):
    ids = areas.check_ids(next(area for area in areas.AREAS if area.id == "data"))
    assert len(ids) > 1
    ready, stale, partly, silent = (account(name) for name in ("Ready", "Stale", "Partly", "Silent"))
    answer(ready, "pass", *ids)
    answer(stale, "pass", *ids, expires_at=AT - timedelta(minutes=1))
    answer(partly, "pass", *ids[1:])
    answer(partly, "block", ids[0])
    assert silent
    assert sorted(names(staff.get(f"{PAGE}?open=data"))) == ["Partly", "Silent", "Stale"]


def test_an_excepted_check_does_not_count_as_passed(staff):
    tenant, person = account("Alpha"), make.user()
    answer(tenant, "pass", *(check_id for check_id in CHECKS if check_id != "runbooks.steps_signed"))
    answer(tenant, "block", "runbooks.steps_signed")
    with make.arranging():
        PolicyException.objects.create(
            tenant=tenant, check_id="runbooks.steps_signed", reason="Moved", compensating_controls="Daily",
            owner=person, requested_at=AT, requested_by=person, approved_at=AT, approved_by=make.user(),
            expires_at=AT + timedelta(days=2),
        )  # fmt: skip
    (row,) = staff.get(f"{PAGE}?open=runbook").context["rows"]
    assert (row.blockers, row.exceptions) == (0, 1)
    assert {cell.words for cell in row.cells} == {"Ready", "Excepted"}


def test_the_table_for_a_spreadsheet_has_every_account_that_fits_and_no_formula(staff):
    for number in range(53):
        account(f"=HYPERLINK({number})", days=1 + number)
    account("Elsewhere", phase="done")
    found = lines(staff.get(f"{CSV}?phase=preflight"))
    assert len(found) == 53
    assert {line["account"][0] for line in found} == {"'"}
    assert found[0]["blockers"] == str(len(CHECKS))


def test_without_accounts_the_page_says_what_will_be_there(staff):
    assert "Accounts appear here once they are imported" in staff.get(PAGE).text
    assert "No account fits" in staff.get(f"{PAGE}?q=x").text


needs_pango = pytest.mark.skipif(not pdf.is_possible(), reason="PDFs need Pango: apt-get install libpangoft2-1.0-0")


@pytest.fixture
def auditor(client: Client) -> Client:
    member = make.member(make.tenant("Aloha Air", slug="aloha"), TenantRole.AUDITOR)
    with make.arranging():
        Cutover.objects.create(tenant=member.tenant, phase="preflight", runbook_owner=make.staff(name="Ruth Booker"))
    answer(member.tenant, "block", "accounts.domain_verified")
    client.force_login(member.user)
    return client


@needs_pango
def test_the_snapshot_is_a_pdf_that_says_where_the_move_stands(auditor):
    response = auditor.get("/t/aloha/snapshot.pdf")
    assert response["Content-Type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(response.content))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert "Aloha Air: where the move stands" in text
    assert "Your domain is proven" in text
    assert "Found so" in text
    assert "Nothing has been compared yet." in text


@needs_pango
def test_the_snapshot_is_the_same_for_staff_and_names_nobody_of_ours(auditor, client):
    theirs = auditor.get("/t/aloha/snapshot.pdf").content
    with make.arranging():
        tenant = Tenant.objects.get(slug="aloha")
    client.force_login(make.staff(StaffRole.SUPPORT))
    ours = client.get(reverse("staff_dashboard:snapshot", args=[tenant.pk]))
    texts = [
        "".join(page.extract_text() for page in PdfReader(io.BytesIO(one)).pages) for one in (theirs, ours.content)
    ]
    assert texts[0] == texts[1]
    assert "Ruth" not in texts[0]
    assert client.get(reverse("staff_dashboard:snapshot", args=[uuid4()])).status_code == 404


@needs_pango
def test_the_same_snapshot_is_drawn_once(auditor, monkeypatch):
    drawn = []
    monkeypatch.setattr(pdf, "_draw", lambda library, html: drawn.append(html) or b"%PDF-1.7 drawn")
    assert auditor.get("/t/aloha/snapshot.pdf").content == auditor.get("/t/aloha/snapshot.pdf").content
    assert len(drawn) == 1
    with make.arranging():
        RecordedFinding.objects.update(outcome="pass")
    auditor.get("/t/aloha/snapshot.pdf")
    assert len(drawn) == 2


def test_a_server_without_the_libraries_says_what_to_do(auditor, monkeypatch):
    monkeypatch.setattr(pdf, "_library", lambda: None)
    response = auditor.get("/t/aloha/snapshot.pdf")
    assert response.status_code == 503
    assert "Print the page from your browser instead" in response.text


def test_the_snapshot_as_a_table(auditor):
    found = lines(auditor.get("/t/aloha/snapshot.csv"))
    assert {line["account"] for line in found} == {"Aloha Air"}
    domain = next(line for line in found if line["item"] == "Your domain is proven")
    assert (domain["state"], domain["whose turn"], domain["due"]) == ("block", "you", "3 days before the cutover")


@needs_pango
def test_a_document_is_set_in_our_own_letters():
    fonts = PdfReader(io.BytesIO(pdf.render("<h1>Hello</h1>", digest="letters"))).pages[0]["/Resources"]["/Font"]
    assert all("Inter" in font["/BaseFont"] for font in fonts.values())


@needs_pango
def test_a_document_reads_no_file_but_our_static_ones():
    asked = '<img src="file:///etc/passwd"><img src="http://127.0.0.1:1/x"><p>Still drawn</p>'
    made = pdf.render(asked, digest="hostile")
    assert "Still drawn" in PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert b"root:" not in made
