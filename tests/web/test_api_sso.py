"""Setting single sign-on and domains up by API: what the guides say, what a token may not, what nobody is told."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import LinkedIdentity, LinkProposal, Member, SsoTest
from accounts.services import identity_links, sso_tests
from core import ledger, tenancy
from core.actor import Actor
from core.outbound import Reply
from core.permissions import Permission, TenantRole
from core.tokens import SCOPES
from tests import api, documented, enforcing, make, sso
from tests import company as companies
from tests.company import Company
from tests.documented import Shell
from tests.fakes.dns import FakeDns
from tests.fakes.outbound import FakeOutbound
from tests.sso import EMAIL, Provider, signer

pytestmark = pytest.mark.django_db
URL = "https://idp.airline.example/metadata"
AS_MAPPED = {"mail": (EMAIL,)}


@pytest.fixture
def owner() -> Member:
    return make.member(make.tenant())


@pytest.fixture
def company() -> Company:
    return companies.found()


def call(secret: str, method: str, address: str, body: Any = None, *, status: int = 200) -> Any:
    answer = api.call(method, f"/api/v1/{address}", secret=secret, body=body)
    if status >= 400:
        return api.problem(answer, status)
    assert answer.status_code == status, answer.content
    return json.loads(answer.content) if answer.content else None


def told(tenant_id: Any) -> list[str]:
    with tenancy.scope(tenant_id=tenant_id):
        return [entry.event for entry in reversed(ledger.recent(tenant_id=tenant_id, limit=100))]


def answer_test(tenant_id: Any, *, email: str = EMAIL, **wrong: Any) -> SsoTest:
    """Come back from the provider, as a browser does, with an answer to the newest test."""
    provider = Provider()
    with tenancy.scope(tenant_id=tenant_id):
        test = SsoTest.objects.select_related("connection").latest("started_at")
        return sso_tests.answer(
            connection_id=test.connection_id, tenant_id=tenant_id, relay_state=str(test.pk),
            message=provider.message(provider.answer(test.connection, test, email=email, **wrong)),
            by=Actor.system("sso"), at=timezone.now(),
        )  # fmt: skip


@pytest.fixture
def guide(owner: Member, fake_outbound: type[FakeOutbound]) -> Callable[..., Shell]:
    """Give somebody the commands' files, and let the provider have its metadata where the guide says."""
    fake_outbound.answers[URL] = lambda sent: Reply(200, {}, Provider().metadata(), 1)
    files = {"idp.xml": Provider().metadata().decode(), "next.pem": signer("next", days=800).certificate}
    return lambda before: Shell(api.token(owner), files, before)


def test_every_command_of_the_guide_to_single_sign_on_does_what_it_says(owner: Member, guide: Any) -> None:
    olivia = make.member(owner.tenant, TenantRole.MEMBER, person=make.user("Olivia", email=EMAIL))

    def come_along(line: str) -> None:
        """Do what somebody else does meanwhile."""
        if line.startswith("crossing GET sso/tests/$TEST") and "report" not in line:
            answer_test(owner.tenant_id, attributes=AS_MAPPED)
        if line.startswith("LINK="):
            with tenancy.scope(tenant_id=owner.tenant_id):
                sso.prove(owner.tenant_id, "airline.example", make.actor(owner))
                changed = Provider(signer("next", days=800))
                sso.try_to_enter(owner.tenant_id, email=EMAIL, provider=changed, attributes=AS_MAPPED)

    shell = guide(come_along)
    answers = {line: shell.type(line) for line in documented.commands("single-sign-on.md")}
    assert {line: answer.status_code for line, answer in answers.items() if answer.status_code >= 300} == {}
    assert len(answers) >= 14
    by_start = {" ".join(line.split()[:3]): answer for line, answer in answers.items()}
    diagnosis = json.loads(by_start["crossing GET sso/tests/$TEST"].content)
    assert {"expected", "got", "fix"} <= set(diagnosis["checks"][0])
    assert b"Test sign-in at Crossing" in by_start["crossing GET sso/tests/$TEST/report"].content
    assert by_start["crossing DELETE sso/certificates/$OLD"].status_code == 204
    unknown = call(api.token(owner, "forecast:read"), "GET", "sso/forecast?outcome=unknown")
    assert unknown["items"] == []
    foreseen = json.loads(by_start["crossing GET sso/forecast"].content)["items"]
    assert {each["email"] for each in foreseen} == {EMAIL, owner.user.email}
    (link,) = json.loads(by_start["crossing GET sso/links"].content)["items"]
    assert link["member_id"] == str(olivia.pk)


def test_what_means_a_state_may_be_sent_again_and_again(owner: Member, guide: Any) -> None:
    shell = guide(lambda line: None)
    states = [line for line in documented.commands("single-sign-on.md") if line.startswith("crossing PUT")]
    assert len(states) == 4
    for line in (states[0], states[1], states[3]):
        shell.type(line)
    before = told(owner.tenant_id)
    for line in (states[0], states[1], states[3]):
        assert shell.type(line).status_code == 200
    assert told(owner.tenant_id) == before
    assert "accounts.sso.followed" in before
    shell.type(states[2])  # the same provider's file beside its address
    assert told(owner.tenant_id) == before


def test_every_command_of_the_guide_to_domains_does_what_it_says(owner: Member, fake_dns: type[FakeDns]) -> None:
    fake_dns.zones.domains.append("airline.example")
    shell = Shell(api.token(owner, "domains:read", "domains:write"))
    answers = {line: shell.type(line) for line in documented.commands("domains.md")}
    assert {line: answer.status_code for line, answer in answers.items() if answer.status_code >= 300} == {}
    checked = next(answer for line, answer in answers.items() if "/checks" in line)
    assert json.loads(checked.content)["last_check"]["fix"]
    assert len(answers) == 7


def test_the_ledger_names_the_token_that_set_it_up(owner: Member) -> None:
    secret = api.token(owner, "sso:read", "sso:write")
    call(secret, "PUT", "sso", status=200)
    ours = call(secret, "GET", "sso")["ours"]
    document = api.call("GET", reverse("sso:metadata", args=[ours["acs_address"].split("/sso/")[1].split("/")[0]]))
    assert f'entityID="{ours["entity_id"]}"' in document.content.decode()
    state = call(secret, "PUT", "sso/metadata", {"document": Provider().metadata().decode()})
    assert (state["state"], len(state["certificates"])) == ("connected", 1)
    with tenancy.scope(tenant_id=owner.tenant_id):
        entries = ledger.recent(tenant_id=owner.tenant_id, limit=10)
        kinds = {entry.actor_kind for entry in entries if entry.event.startswith("accounts.sso.")}
    assert kinds == {"token"}
    assert call(secret, "DELETE", "sso/metadata", status=204) is None
    assert call(secret, "GET", "sso")["state"] == "begun"


@pytest.mark.parametrize(
    ("method", "address", "body", "words"),
    [
        ("PUT", "sso/metadata", {"document": "hello"}, "not an XML file"),
        ("PUT", "sso/metadata", {"document": "<!DOCTYPE a><a/>"}, ""),
        ("PUT", "sso/metadata", {"document": "x" * (600 * 1024)}, "larger than"),
        ("PUT", "sso/metadata-address", {"url": "http://idp.example/"}, ""),
        ("PUT", "sso/metadata-address", {"url": "https://[::1"}, ""),
        ("PUT", "sso/mapping", {"email": "mail"}, "No provider is connected"),
        ("PUT", "sso/mapping", {"email": "mail", "groups": "mail"}, "chosen for two things"),
        ("PUT", "sso/mapping", {"roles": {"A = admin\nB": "member"}}, "visible characters"),
        ("PUT", "sso/mapping", {"roles": {"Pilots": "owner"}}, "not a valid choice"),
        ("POST", "sso/certificates", {"certificate": "MIIC"}, ""),
        ("POST", "sso/tests", {"second_address": True}, "No provider is connected"),
        ("POST", "sso/waiting-links/approvals", {"links": []}, ""),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_to_do(
    owner: Member, method: str, address: str, body: Any, words: str
) -> None:
    problem = call(api.token(owner), method, address, body, status=422)
    assert words in problem["detail"]
    assert problem["fix"]


def test_a_token_adds_nothing_to_what_is_believed_once_people_sign_in(company: Company) -> None:
    secret = api.token(company_owner(company))
    certificate = {"certificate": signer("theirs").certificate}
    call(secret, "POST", "sso/certificates", {"certificate": signer("next").certificate}, status=201)
    company.link()  # of a plain member
    ways = (
        ("POST", "sso/certificates", certificate),
        ("PUT", "sso/metadata", {"document": Provider(signer("theirs")).metadata().decode()}),
        ("PUT", "sso/metadata-address", {"url": URL}),
        ("PUT", "sso/mapping", {"external_id": "nickname"}),
    )
    for method, address, body in ways:
        assert "a person changes what it is believed" in call(secret, method, address, body, status=422)["detail"]
    with make.arranging():
        LinkedIdentity.objects.all().delete()
    company.rule("join")  # by which a group could make an admin
    for method, address, body in ways:
        call(secret, method, address, body, status=422)
    call(secret, "POST", "sso/tests", status=201)
    retired = call(secret, "GET", "sso")["certificates"][0]["id"]
    call(secret, "DELETE", f"sso/certificates/{retired}", status=204)


def company_owner(company: Company) -> Member:
    with make.arranging():
        return Member.objects.select_related("tenant", "user").get(user_id=company.owner.id)


@pytest.fixture
def waiting(company: Company) -> dict[TenantRole, LinkProposal]:
    """Let a member and an admin have tried to sign in."""
    admin = make.member(company.olivia.tenant, TenantRole.ADMIN, person=make.user(email="adam@airline.example"))
    with tenancy.scope(tenant_id=company.tenant_id):
        for email in (EMAIL, "adam@airline.example"):
            sso.try_to_enter(company.tenant_id, email=email)
        found = {each.member_id: each for each in LinkProposal.objects.select_related("member__user")}
    return {TenantRole.MEMBER: found[company.olivia.pk], TenantRole.ADMIN: found[admin.pk]}


def test_a_token_decides_about_plain_members_alone(company: Company, waiting: Any) -> None:
    secret = api.token(company_owner(company))
    ids = [str(each.pk) for each in waiting.values()]
    listed = call(secret, "GET", "sso/waiting-links")["items"]
    assert sorted(each["id"] for each in listed) == sorted(ids)
    assert {each["user_name"] for each in listed} == {EMAIL, "adam@airline.example"}
    problem = call(secret, "POST", "sso/waiting-links/approvals", {"links": ids}, status=422)
    assert "no token" in problem["detail"]
    assert len(call(secret, "GET", "sso/waiting-links")["items"]) == 2, "all or none"
    plain = {"links": ids[:1]}
    assert call(secret, "POST", "sso/waiting-links/approvals", plain) == {"decided": 1}
    assert call(secret, "POST", "sso/waiting-links/approvals", plain) == {"decided": 0}
    (link,) = call(secret, "GET", "sso/links")["items"]
    call(secret, "DELETE", f"sso/links/{link['id']}", status=204)
    call(secret, "DELETE", f"sso/links/{link['id']}", status=404)
    sso_of_admin = sso.linked(waiting[TenantRole.ADMIN].member, company.owner, name="adam@airline.example")
    call(secret, "DELETE", f"sso/links/{sso_of_admin.pk}", status=422)


def test_a_link_is_rejected_and_waits_again(company: Company, waiting: Any) -> None:
    secret = api.token(company_owner(company), "sign_ins:read", "links:approve", "links:withdraw")
    plain, admins = (str(waiting[role].pk) for role in (TenantRole.MEMBER, TenantRole.ADMIN))
    call(secret, "POST", "sso/waiting-links/rejections", {"links": [plain, admins]})
    assert {each["id"] for each in call(secret, "GET", "sso/rejected-links")["items"]} == {plain, admins}
    call(secret, "DELETE", f"sso/rejected-links/{plain}", status=204)
    call(secret, "DELETE", f"sso/rejected-links/{admins}", status=422)
    assert [each["id"] for each in call(secret, "GET", "sso/rejected-links")["items"]] == [admins]
    stranger = api.token(make.member(make.tenant()))
    call(stranger, "POST", "sso/waiting-links/approvals", {"links": [admins]}, status=404)
    call(stranger, "DELETE", f"sso/rejected-links/{admins}", status=404)


def test_a_rule_is_told_and_ended_but_made_by_an_owner(company: Company) -> None:
    company.rule("link")
    secret = api.token(company_owner(company))
    (rule,) = call(secret, "GET", "sso/link-rules")["rules"]
    assert (rule["domain"], rule["kind"], rule["counts"]) == ("airline.example", "link", True)
    call(secret, "DELETE", f"sso/link-rules/{rule['id']}", status=204)
    assert call(secret, "GET", "sso/link-rules")["rules"] == []
    by = Actor.token(
        token_id=make.SYSTEM.known_id, tenant_id=company.tenant_id, grants={Permission.MANAGE_SSO}, role="owner"
    )
    with tenancy.scope(tenant_id=company.tenant_id), pytest.raises(identity_links.UnableToRule):
        identity_links.make_rule(
            tenant_id=company.tenant_id, domain="airline.example", kind="join", by=by, at=timezone.now()
        )


def test_a_diagnosis_tells_what_to_do_and_nothing_of_a_person(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    secret = api.token(company_owner(company))
    with caplog.at_level(logging.DEBUG):
        started = call(secret, "POST", "sso/tests", status=201)
        assert started["continue_at"].startswith("https://idp.airline.example/sso?")
        api.problem(api.call("GET", f"/api/v1/sso/tests/{started['id']}/report", secret=secret), 409)
        answer_test(company.tenant_id, email="somebody@elsewhere.example", audience="https://other.example/sp")
        found = call(secret, "GET", f"sso/tests/{started['id']}")
        report = api.call("GET", f"/api/v1/sso/tests/{started['id']}/report", secret=secret)
    assert found["outcome"] == "failed"
    failed = {check["code"]: check for check in found["checks"] if check["verdict"] == "fail"}
    assert failed["audience"]["got"] == "https://other.example/sp"
    assert failed["audience"]["expected"] in str(call(secret, "GET", "sso")["ours"])
    assert failed["email"]["fix"]
    listed = call(secret, "GET", "sso/tests")["items"][0]
    assert "continue_at" not in listed | found
    for words in (json.dumps(found), report.content.decode(), json.dumps(listed), caplog.text):
        assert "somebody" not in words


def test_company_sign_in_tells_who_holds_codes_and_never_a_code() -> None:
    company = enforcing.company()
    with tenancy.scope(tenant_id=company.tenant_id):
        enforcing.prepare(company)
    answer = api.call("GET", "/api/v1/sso/company-sign-in", secret=api.token(company.owners[0], "sso:read"))
    state = json.loads(answer.content)
    assert [(seat["seat"], seat["member_id"], seat["has_codes"]) for seat in state["break_glass"]] == [
        (number, str(owner.pk), True) for number, owner in enumerate(company.owners[:2], start=1)
    ]
    assert state["passwords_taken"] is None
    assert not any(code in answer.content.decode() for codes in company.codes for code in codes)


def test_members_are_told_with_those_who_left(owner: Member) -> None:
    gone = make.member(owner.tenant, TenantRole.AUDITOR)
    with make.arranging():
        Member.objects.filter(pk=gone.pk).update(deactivated_at=timezone.now(), deactivated_by=owner.user_id)
    secret = api.token(owner, "members:read")
    pages, address = [], "members?limit=1"
    while address:
        page = call(secret, "GET", address)
        pages += page["items"]
        address = page["next_cursor"] and f"members?limit=1&cursor={page['next_cursor']}"
    assert {(each["id"], each["role"], each["is_active"]) for each in pages} == {
        (str(owner.pk), "owner", True), (str(gone.pk), "auditor", False),
    }  # fmt: skip
    assert call(secret, "GET", f"members/{gone.pk}")["email"] == gone.user.email


def test_an_outcome_that_is_none_is_pointed_at(owner: Member) -> None:
    problem = call(api.token(owner, "forecast:read"), "GET", "sso/forecast?outcome=lost", status=400)
    assert [flaw["parameter"] for flaw in problem["errors"]] == ["outcome"]


def test_no_scope_stands_for_what_decides_who_gets_in() -> None:
    kept = {
        Permission.MANAGE_BREAK_GLASS,
        Permission.REQUEST_CUTBACK,
        Permission.APPROVE_CUTBACK,
        Permission.REMOVE_PASSWORDS,
    }
    assert [name for name, scope in SCOPES.items() if scope.permission in kept] == []
