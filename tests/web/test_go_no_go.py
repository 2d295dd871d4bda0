"""The go/no-go's pages: what each person sees, and each refusal with its words."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Member, User
from core import readiness, tenancy
from core.approvals import seals
from core.evidence import verifier
from core.findings import Finding, Outcome
from core.models import ApprovalRequest, SigningStatement
from core.permissions import StaffRole, TenantRole
from cutover.domain.phases import Phase
from cutover.models import Cutover
from cutover.services import go_no_go
from tests import make
from tests.cutovers import Case, ready_case
from tests.signing import challenge_of, confirm, register

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=6)


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    with ready_case(monkeypatch, at=timezone.now(), time_zone="America/New_York") as ready:
        yield ready


@pytest.fixture
def asked(case: Case) -> ApprovalRequest:
    return case.ask(at=timezone.now())


def browser(person: User, *, confirmed: str = "") -> Client:
    """Sign a person in; `confirmed` as if they had just re-authenticated so."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(person)
    if confirmed:
        confirm(client, person, confirmed)
    return client


def path(case: Case, rest: str = "") -> str:
    return f"/t/{case.owner.tenant.slug}/{rest}"


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


# The window


def test_the_window_is_shown_in_the_tenants_zone_and_in_utc(case: Case) -> None:
    page = text(browser(case.owner.user).get(path(case, "cutover/")))
    assert "All times are in America/New_York" in page
    assert "UTC</span>" in page
    assert "Change<span" in page


def test_a_window_is_read_in_the_tenants_zone(case: Case) -> None:
    day = (timezone.now() + timedelta(days=30)).date()
    form = {"starts_at": f"{day}T10:00", "ends_at": f"{day}T14:00"}
    response = browser(case.owner.user).post(path(case, "cutover/window/"), form)
    assert response.status_code == 302
    with tenancy.scope(tenant_id=case.tenant_id):
        window = Cutover.objects.get()
    assert window.window_starts_at is not None
    assert window.window_starts_at.hour in (14, 15)  # 10 h in New York, summer or winter


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("", "", "This field is required."),
        ("tomorrow", "soon", "Enter a valid date/time."),
        ("-1 day", "+1 day", "The window must start at least 24 hours from now"),
        ("+9 day", "+8 day", "The window must end after it starts."),
        ("+9 day", "+13 day", "The window must be at most 72 hours long."),
        ("+400 day", "+401 day", "The window must start within a year."),
    ],
)
def test_a_window_that_cannot_be_is_refused_with_the_reason(case: Case, start: str, end: str, message: str) -> None:
    def written(value: str) -> str:
        if not value.endswith("day"):
            return value
        moment = timezone.now() + timedelta(days=int(value.split(maxsplit=1)[0]))
        return moment.strftime("%Y-%m-%dT%H:%M")

    form = {"starts_at": written(start), "ends_at": written(end)}
    response = browser(case.owner.user).post(path(case, "cutover/window/"), form)
    assert response.status_code == 422
    assert message in text(response)


def test_a_local_time_that_does_not_exist_is_refused(case: Case) -> None:
    year = timezone.now().year + 1
    # The second Sunday of March: at 02:00 clocks in New York jump to 03:00.
    sunday = next(day for day in range(8, 15) if date(year, 3, day).weekday() == 6)
    form = {"starts_at": f"{year}-03-{sunday:02}T02:30", "ends_at": f"{year}-03-{sunday:02}T08:00"}
    response = browser(case.owner.user).post(path(case, "cutover/window/"), form)
    assert response.status_code == 422
    assert "may not exist" in text(response)


def test_the_window_cannot_change_once_the_cutover_has_begun(case: Case) -> None:
    Cutover.objects.update(phase=Phase.CANARY.value)
    day = (timezone.now() + timedelta(days=30)).date()
    form = {"starts_at": f"{day}T10:00", "ends_at": f"{day}T14:00"}
    response = browser(case.owner.user).post(path(case, "cutover/window/"), form)
    assert response.status_code == 422
    assert "The cutover has begun" in text(response)


def test_an_owner_names_an_approver_who_may_read_the_evidence(case: Case) -> None:
    admin, plain = make.member(case.owner.tenant, TenantRole.ADMIN), make.member(case.owner.tenant, TenantRole.MEMBER)
    client = browser(case.owner.user)
    page = text(client.get(path(case, "cutover/approver/")))
    assert str(admin.user) in page
    assert str(plain.user) not in page
    assert client.post(path(case, "cutover/approver/"), {"member": str(admin.pk)}).status_code == 302
    assert client.post(path(case, "cutover/approver/"), {"member": str(plain.pk)}).status_code == 422
    with tenancy.scope(tenant_id=case.tenant_id):
        assert Cutover.objects.get().approver_id == admin.pk


# Asking


def test_check_answers_shows_what_would_be_frozen(case: Case) -> None:
    page = text(browser(case.owner.user).get(path(case, "go-no-go/")))
    for expected in (
        "Check before you ask",
        "Data moved",
        "Cutover window set",
        "Freeze the evidence",
        "both must sign before",
    ):
        assert expected in page
    assert str(case.runbook_owner) in page


def test_asking_leads_to_the_frozen_evidence(case: Case) -> None:
    client = browser(case.owner.user)
    response = client.post(path(case, "go-no-go/ask/"), follow=True)
    page = text(response)
    assert "The evidence is frozen" in page
    assert ApprovalRequest.objects.get().pack.evidence_sha256 in page
    assert client.get(path(case, "go-no-go/")).status_code == 302


def test_a_blocked_gate_refuses_with_the_finding(case: Case) -> None:
    case.answer(Outcome.BLOCK, lost=3)
    case.run_checks(at=timezone.now())
    client = browser(case.owner.user)
    assert "“Data moved” is not true yet" in text(client.get(path(case, "go-no-go/")))
    response = client.post(path(case, "go-no-go/ask/"))
    assert response.status_code == 422
    assert "The gate is shut: “Data moved” is not true yet." in text(response)


# Signing


def _sign(case: Case, asked: ApprovalRequest, client: Client, **form: str) -> Any:
    given = {"evidence": asked.pack.evidence_sha256} | form
    return client.post(path(case, f"go-no-go/{asked.pk}/sign/"), given)


def test_without_a_recent_confirmation_it_is_asked_for_first(case: Case, asked: ApprovalRequest) -> None:
    response = _sign(case, asked, browser(case.owner.user))
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/reauthenticate/?next=")
    Authenticator.objects.create(user=case.owner.user, type=Authenticator.Type.TOTP, data={})
    response = _sign(case, asked, browser(case.owner.user, confirmed="password"))
    assert response["Location"].startswith("/accounts/2fa/reauthenticate/?next=")
    assert not asked.signatures.exists()


def test_a_confirmed_signature_is_labelled_lower_assurance(case: Case, asked: ApprovalRequest) -> None:
    client = browser(case.owner.user, confirmed="password")
    page = text(client.get(path(case, f"go-no-go/{asked.pk}/")))
    assert "Sign, confirmed by password" in page
    assert _sign(case, asked, client).status_code == 302
    page = text(client.get(path(case, f"go-no-go/{asked.pk}/")))
    assert "Password, lower assurance" in page
    assert "You have signed. The other signature must be another person's." in page.replace("&#x27;", "'")


def test_the_passkey_signs_the_statement(case: Case, asked: ApprovalRequest) -> None:
    passkey, client = register(case.owner.user), browser(case.owner.user)
    page = text(client.get(path(case, f"go-no-go/{asked.pk}/")))
    assert "Sign with your passkey" in page
    assert "Confirm with" not in page, "nothing less is offered"
    begun = client.post(path(case, f"go-no-go/{asked.pk}/begin/"), {"evidence": asked.pack.evidence_sha256})
    assert begun.json()["options"]["publicKey"]["rpId"] == "localhost"
    statement = SigningStatement.objects.get(pk=begun.json()["statement"])
    assertion = json.dumps(passkey.answer(challenge_of(statement)))
    response = _sign(case, asked, client, statement=str(statement.pk), assertion=assertion)
    assert response.status_code == 302
    assert asked.signatures.get().method == "passkey"
    replayed = _sign(case, asked, client, statement=str(statement.pk), assertion=assertion)
    assert replayed.status_code == 422
    assert "You have signed this request already" in text(replayed)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"statement": "x", "assertion": "{}"},
        {"statement": "00000000-0000-0000-0000-000000000000", "assertion": "[]"},
        {"statement": "00000000-0000-0000-0000-000000000000", "assertion": "{" + " " * 20_000 + "}"},
    ],
)
def test_a_passkey_form_without_an_answer_is_refused(case: Case, asked: ApprovalRequest, form: dict[str, str]) -> None:
    register(case.owner.user)
    response = _sign(case, asked, browser(case.owner.user, confirmed="password"), **form)
    assert response.status_code == 422
    assert "No passkey answered, so nothing was signed." in text(response)


def test_both_signatures_lead_to_the_receipt_and_the_pack_verifies(case: Case, asked: ApprovalRequest) -> None:
    _sign(case, asked, browser(case.owner.user, confirmed="password"))
    staff = browser(case.runbook_owner, confirmed="password")
    assert str(case.owner.tenant) in text(staff.get("/staff/go-no-go/"))
    assert "Sign as Runbook owner" in text(staff.get(f"/staff/go-no-go/{asked.pk}/"))
    signed = staff.post(f"/staff/go-no-go/{asked.pk}/sign/", {"evidence": asked.pack.evidence_sha256})
    assert signed.status_code == 302
    client = browser(case.owner.user)
    page = text(client.get(path(case, "go-no-go/"), follow=True))
    assert "The go/no-go is signed" in page
    assert "Ledger witness" in page
    pack = client.get(path(case, f"go-no-go/{asked.pk}/pack.zip"))
    assert pack["Content-Disposition"].startswith(f'attachment; filename="{case.owner.tenant.slug}-go-no-go-')
    assert verifier.verify(pack.content, server_key=seals.public_key()).problems == []
    assert "verify_pack.py" in zipfile.ZipFile(io.BytesIO(pack.content)).namelist()


def test_a_stale_page_is_refused_and_shows_what_holds_now(case: Case, asked: ApprovalRequest) -> None:
    response = _sign(case, asked, browser(case.owner.user, confirmed="password"), evidence="0" * 64)
    assert response.status_code == 422
    assert "This page is out of date" in text(response)
    begun = browser(case.owner.user).post(path(case, f"go-no-go/{asked.pk}/begin/"), {"evidence": "0" * 64})
    assert begun.status_code == 422
    assert "This page is out of date" in begun.json()["message"]


def test_evidence_that_moved_is_refused_with_what_moved(case: Case, asked: ApprovalRequest) -> None:
    case.answer(Outcome.WARN, lost=1)
    response = _sign(case, asked, browser(case.owner.user, confirmed="password"))
    assert response.status_code == 422
    page = text(response)
    assert "Nothing was signed. The evidence moved after it was frozen: Data moved." in page
    assert "Void" in page
    assert "The last go/no-go ended" in text(browser(case.owner.user).get(path(case, "go-no-go/")))


def test_a_signer_without_a_seat_is_told_why(case: Case, asked: ApprovalRequest) -> None:
    admin = make.member(case.owner.tenant, TenantRole.ADMIN)
    client = browser(admin.user, confirmed="password")
    assert "the signatures are others" in text(client.get(path(case, f"go-no-go/{asked.pk}/")))
    response = _sign(case, asked, client)
    assert response.status_code == 403
    assert "Only an owner of this account can sign the go/no-go" in text(response)


def test_a_veto_needs_its_reason_and_ends_the_request(case: Case, asked: ApprovalRequest) -> None:
    client = browser(case.owner.user)
    address = path(case, f"go-no-go/{asked.pk}/veto/")
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": " "}).status_code == 422
    page = text(client.post(address, {"reason": "Our peak season."}, follow=True))
    assert "Vetoed by the customer: Our peak season." in page
    again = client.post(address, {"reason": "Again."})
    assert again.status_code == 422
    assert "has ended already" in text(again)


# Who may see what


def _statuses(case: Case, asked: ApprovalRequest, person: User) -> dict[str, int]:
    client = browser(person)
    reads = ["cutover/", "cutover/window/", "cutover/approver/", "go-no-go/", f"go-no-go/{asked.pk}/"]
    reads += [f"go-no-go/{asked.pk}/veto/", f"go-no-go/{asked.pk}/pack.zip"]
    return {read.replace(str(asked.pk), "ID"): client.get(path(case, read)).status_code for read in reads}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (TenantRole.OWNER, [200, 200, 200, 302, 200, 200, 200]),
        (TenantRole.ADMIN, [200, 200, 403, 302, 200, 403, 200]),
        (TenantRole.AUDITOR, [200, 403, 403, 302, 200, 403, 200]),
        (TenantRole.MEMBER, [200, 403, 403, 403, 403, 403, 403]),
    ],
)
def test_each_role_sees_its_pages(case: Case, asked: ApprovalRequest, role: TenantRole, expected: list[int]) -> None:
    person = make.member(case.owner.tenant, role).user
    assert list(_statuses(case, asked, person).values()) == expected


def test_a_stranger_and_another_tenants_owner_find_nothing(case: Case, asked: ApprovalRequest) -> None:
    assert set(_statuses(case, asked, make.user()).values()) == {404}
    other: Member = make.member(make.tenant())
    assert set(_statuses(case, asked, other.user).values()) == {404}
    mine = SimpleNamespace(owner=other)
    for rest in (f"go-no-go/{asked.pk}/", f"go-no-go/{asked.pk}/pack.zip", f"go-no-go/{asked.pk}/veto/"):
        assert browser(other.user).get(path(mine, rest)).status_code == 404  # type: ignore[arg-type]  # only the slug
    signed = browser(other.user, confirmed="password").post(
        path(mine, f"go-no-go/{asked.pk}/sign/"),  # type: ignore[arg-type]  # only the slug
        {"evidence": asked.pack.evidence_sha256},
    )
    assert signed.status_code == 404
    assert not asked.signatures.exists()


def test_customers_find_no_staff_page_and_staff_without_the_role_cannot_sign(
    case: Case, asked: ApprovalRequest
) -> None:
    address = f"/staff/go-no-go/{asked.pk}/"
    assert browser(case.owner.user).get(address).status_code == 404
    assert browser(case.owner.user).get("/staff/go-no-go/").status_code == 404
    cs = browser(make.staff(StaffRole.CS), confirmed="password")
    assert cs.get(address).status_code == 200
    assert cs.post(f"{address}sign/", {"evidence": asked.pack.evidence_sha256}).status_code == 403
    other = browser(make.staff(StaffRole.RUNBOOK_OWNER), confirmed="password")
    refused = other.post(f"{address}sign/", {"evidence": asked.pack.evidence_sha256})
    assert refused.status_code == 403
    assert "You are not this account's runbook owner" in text(refused).replace("&#x27;", "'")


def _queries(client: Client, address: str) -> int:
    client.get(address)  # what is read once per process is not the page's cost
    with CaptureQueriesContext(connection) as spent:
        assert client.get(address).status_code == 200
    return len(spent)


def _more_checks(case: Case, count: int) -> None:
    for number in range(count):
        told = readiness.check(f"tests.more{number}", title=f"More {number}", owner="data", due="T-2", valid_for=HOURS)
        told(lambda *, tenant_id, at: Finding(Outcome.PASS, "Fine", facts={"rows": 1}))
    case.run_checks(at=timezone.now())


def test_the_pages_cost_the_same_for_ten_checks_and_for_a_thousand(case: Case) -> None:
    client = browser(case.owner.user)
    spent = []
    for more in (8, 992):
        _more_checks(case, more)
        draft = _queries(client, path(case, "go-no-go/"))
        asked = case.ask(at=timezone.now())
        request = _queries(client, path(case, f"go-no-go/{asked.pk}/"))
        go_no_go.veto(request_id=asked.pk, reason="Later.", by=case.customer, at=timezone.now())
        spent.append((draft, request))
        if more == 8:
            monkey = {name: check for name, check in readiness.CHECKS.items() if not name.startswith("tests.more")}
            readiness.CHECKS._items = monkey
    assert spent[0] == spent[1]
    assert max(spent[0]) < 40


def test_the_draft_costs_the_same_however_many_requests_ended(case: Case) -> None:
    client, spent = browser(case.owner.user), []
    for rounds in (1, 12):
        for number in range(rounds):
            asked = case.ask(at=timezone.now())
            go_no_go.veto(request_id=asked.pk, reason=f"No {number}.", by=case.customer, at=timezone.now())
        spent.append(_queries(client, path(case, "go-no-go/")))
    assert spent[0] == spent[1]
