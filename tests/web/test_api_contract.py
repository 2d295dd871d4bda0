"""What goes for every endpoint: problems, bodies, pages, quota, no cookies; and that errors of ours tell nothing."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts.models import Domain, Member
from core import limits, readiness, tenancy
from core.models import LedgerEntry
from core.permissions import TenantRole
from portal.dashboard import api as readiness_api
from tests import api, make
from tests.api import call, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Member:
    return make.member(make.tenant())


@pytest.fixture
def secret(owner: Member) -> str:
    return api.token(owner)


def domains_of(owner: Member, *names: str) -> None:
    with make.arranging():
        for name in names:
            Domain.objects.create(tenant=owner.tenant, name=name, text=name, token=name[:20], claimed_by=owner.user_id)


@pytest.mark.parametrize(
    "address", ["/api/v1/", "/api/v1/nothing", "/api/v1/domains/", "/api/v1/jobs/no-uuid", "/api/v1/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_is_none_is_a_problem_to_everybody(secret: str, address: str, method: str) -> None:
    for bearer in (None, secret):
        told = problem(call(method, address, secret=bearer), 404)
        assert told["type"].endswith("/api/#not-found")


def test_a_problem_says_where_it_is_explained(client: Client) -> None:
    told = problem(call("GET", "/api/v1/domains"), 401)
    page = client.get("/api/").content.decode()
    assert f'id="{told["type"].rpartition("#")[2]}"' in page


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"name": NaN}', 400),
        (b"[" * 30_000, 400),
        (b'{"name": ' + b"9" * 5000 + b"}", 400),
        (b"[]", 422),
        (b'"text"', 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"name": null}', 422),
        (b'{"name": []}', 422),
        (b'{"name": {"a": 1}}', 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "a\\u0000b"}', 422),
        (b'{"name": "ours.example", "nmae": "x"}', 422),
        (b'{"name": "' + b"a" * 300 + b'"}', 422),
        (b'{"name": "co.uk"}', 422),
        (b" " * 65_537, 413),
    ],
    ids=lambda value: value[:24].decode(errors="replace") if isinstance(value, bytes) else str(value),
)
def test_a_body_that_is_not_what_was_asked_for_is_refused(secret: str, raw: bytes, status: int) -> None:
    problem(call("POST", "/api/v1/domains", secret=secret, raw=raw), status)


def test_a_body_without_its_length_is_refused_not_overlooked(secret: str) -> None:
    sent = {"secret": secret, "body": {"check_id": "no.such"}, "Transfer-Encoding": "chunked"}
    problem(call("POST", "/api/v1/readiness/runs", **sent), 411)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_in_another_form_is_refused(secret: str, content_type: str) -> None:
    problem(call("POST", "/api/v1/domains", secret=secret, raw=b"name=x", content_type=content_type), 415)


@pytest.mark.parametrize("blank", [" ", "\u0085", "\u2003\t"])
def test_what_is_well_formed_but_blank_is_refused_by_the_use_case(secret: str, blank: str) -> None:
    """No schema could say what is blank to people; so such a text is no broken promise of the description."""
    for address, name in (("/api/v1/domains", "name"), ("/api/v1/readiness/runs", "check_id")):
        told = problem(call("POST", address, secret=secret, body={name: blank}), 422)
        assert told["type"].endswith("#refused")


def test_what_is_wrong_in_a_body_is_pointed_at(secret: str) -> None:
    told = problem(call("POST", "/api/v1/domains", secret=secret, body={"a/b~": 1, "name": "x.example"}), 422)
    assert told["errors"] == [{"detail": "There is no such field.", "pointer": "#/a~1b~0"}]
    told = problem(call("POST", "/api/v1/domains", secret=secret, body={}), 422)
    assert [flaw["pointer"] for flaw in told["errors"]] == ["#/name"]


def test_a_use_cases_refusal_says_what_to_do(secret: str, owner: Member) -> None:
    domains_of(owner, "ours.example")
    told = problem(call("POST", "/api/v1/domains", secret=secret, body={"name": "ours.example"}), 422)
    assert told["type"].endswith("#refused")
    assert "on your list already" in told["detail"]
    assert told["fix"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "limit=٣", "limit=1e1", "page=2"]
)
def test_a_parameter_that_is_not_taken_is_named(secret: str, query: str) -> None:
    told = problem(call("GET", f"/api/v1/domains?{query}", secret=secret), 400)
    assert [flaw["parameter"] for flaw in told["errors"]] == [query.partition("=")[0]]


def test_pages_hold_everything_once_in_order(secret: str, owner: Member) -> None:
    names = [f"d{number}.example" for number in range(7)]
    domains_of(owner, *names)
    seen, address = [], "/api/v1/domains?limit=3"
    for _ in range(3):
        told = json.loads(call("GET", address, secret=secret).content)
        seen += [item["name"] for item in told["items"]]
        address = f"/api/v1/domains?limit=3&cursor={told['next_cursor']}"
    assert (seen, told["next_cursor"]) == (names, None)


def test_pages_by_time_hold_rows_of_one_moment_once(secret: str, owner: Member) -> None:
    from parity_reports.models import Report

    at = timezone.now()
    with make.arranging():
        rows = [
            Report(tenant=owner.tenant, requested_at=at - timedelta(minutes=number // 3), state="finished",
                   finished_at=at, verdict="incomplete", sha256="0" * 64)
            for number in range(8)
        ]  # fmt: skip
        Report.objects.bulk_create(rows)
    seen, address = [], "/api/v1/parity/reports?limit=2"
    while address:
        told = json.loads(call("GET", address, secret=secret).content)
        seen += [item["id"] for item in told["items"]]
        address = f"/api/v1/parity/reports?limit=2&cursor={told['next_cursor']}" if told["next_cursor"] else ""
    assert sorted(seen) == sorted(str(row.pk) for row in rows)


def test_a_cursor_of_another_list_or_tenant_or_made_up_is_refused(secret: str, owner: Member) -> None:
    domains_of(owner, "a.example", "b.example")
    cursor = json.loads(call("GET", "/api/v1/domains?limit=1", secret=secret).content)["next_cursor"]
    assert call("GET", f"/api/v1/domains?cursor={cursor}", secret=secret).status_code == 200
    stranger = make.member(make.tenant())
    for address, bearer in (("/api/v1/domains", api.token(stranger)), ("/api/v1/parity/reports", secret)):
        problem(call("GET", f"{address}?cursor={cursor}", secret=bearer), 400)
    for made_up in ("", "x", "Ww", cursor[:-1], signing.dumps(["a"]), "%00", "é"):
        told = problem(call("GET", f"/api/v1/domains?cursor={made_up}", secret=secret), 400)
        assert told["errors"][0]["parameter"] == "cursor"


def test_only_json_is_answered_but_for_files(secret: str) -> None:
    for accept in ("text/html", "application/xml", "application/zip"):
        problem(call("GET", "/api/v1/domains", secret=secret, Accept=accept), 406)
    for accept in ("*/*", "application/json", "application/*", "text/html, */*;q=0.1"):
        assert call("GET", "/api/v1/domains", secret=secret, Accept=accept).status_code == 200


def test_the_quota_is_told_and_held_for_each_token(
    owner: Member, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_QUOTA = 3
    now = timezone.now().replace(second=30)
    monkeypatch.setattr("core.api.views.timezone.now", lambda: now)
    first, second = api.token(owner), api.token(owner)
    told = [call("GET", "/api/v1/domains", secret=first) for _ in range(5)]
    assert [answer.status_code for answer in told] == [200, 200, 200, 429, 429]
    problem(told[3], 429)
    assert [answer.headers["RateLimit"] for answer in told] == [f'"default";r={left};t=30' for left in (2, 1, 0, 0, 0)]
    assert told[0].headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert told[3].headers["Retry-After"] == "30"
    assert call("GET", "/api/v1/domains", secret=second).status_code == 200
    now += timedelta(seconds=30)
    assert call("GET", "/api/v1/domains", secret=first).status_code == 200


def test_guessing_without_a_token_is_slowed_by_address(settings: Any) -> None:
    settings.API_QUOTA = 2
    told = [call("GET", "/api/v1/domains", secret="crossing_0_guess").status_code for _ in range(4)]
    assert told in ([401, 401, 429, 429], [401, 401, 401, 429], [401, 401, 401, 401], [401, 401, 429, 401])


def test_each_process_counts_alone_while_the_cache_is_away(
    secret: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError

    now = timezone.now().replace(second=30)
    settings.API_QUOTA = 2
    monkeypatch.setattr("core.limits.cache.add", away)
    monkeypatch.setattr("core.limits._alone", Counter())
    monkeypatch.setattr("core.limits._MOST_ALONE", 2)
    monkeypatch.setattr("core.api.views.timezone.now", lambda: now)
    told = [call("GET", "/api/v1/domains", secret=secret) for _ in range(3)]
    assert [answer.status_code for answer in told] == [200, 200, 429]
    assert told[0].headers["RateLimit"] == '"default";r=1;t=30'
    at = now + timedelta(seconds=30)
    used = [limits.count(who, quota=2, at=at) for who in ("one", "other", "one too many")]
    assert [usage and usage.remaining for usage in used] == [1, 1, None], (
        "the minute before is forgotten, memory is bounded"
    )


def test_a_fault_of_ours_tells_nothing_of_itself(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**kwargs: Any) -> None:
        raise LookupError("the secret plan")

    monkeypatch.setattr(readiness, "overview", broken)
    answer = call("GET", "/api/v1/readiness/checks", secret=secret)
    problem(answer, 500)
    assert "secret plan" not in answer.content.decode()
    assert "RateLimit" in answer.headers


def test_what_fails_before_an_endpoint_is_a_problem_too(secret: str) -> None:
    problem(call("GET", "/api/v1/domains", secret=secret, Host="evil.example"), 400)


def test_an_outage_of_another_system_is_told_as_one(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.ports import Unavailable

    def away(**kwargs: Any) -> None:
        raise Unavailable("The legacy platform does not answer.")

    monkeypatch.setattr(readiness_api.readiness, "overview", away)
    told = problem(call("GET", "/api/v1/readiness/checks", secret=secret), 503)
    assert told["detail"] == "The legacy platform does not answer."


def test_a_session_opens_nothing(owner: Member) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(owner.user)
    assert browser.get(f"/t/{owner.tenant.slug}/").status_code == 200
    answer = browser.get("/api/v1/domains")
    problem(answer, 401)
    assert not answer.cookies
    staff = Client(raise_request_exception=False)
    staff.force_login(make.staff("cs"))
    problem(staff.get("/api/v1/domains"), 401)


def test_a_token_opens_no_page(owner: Member, secret: str) -> None:
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get(f"/t/{owner.tenant.slug}/", headers=headers).status_code == 302


@pytest.mark.parametrize(
    "sent", ["{}", "bearer {}", "Basic {}", "Token {}", "Bearer  {}", "Bearer {} x", "Bearer \x00{}"]
)
def test_a_token_is_taken_as_a_bearer_only(secret: str, sent: str) -> None:
    status = call("GET", "/api/v1/domains", Authorization=sent.format(secret)).status_code
    assert status == (200 if sent.lower().split() == ["bearer", "{}"] else 401)


def test_head_answers_as_get_without_a_body(secret: str) -> None:
    answer = call("HEAD", "/api/v1/domains", secret=secret)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_ledger_names_the_token_that_did_it(owner: Member, secret: str) -> None:
    made = json.loads(call("POST", "/api/v1/domains", secret=secret, body={"name": "ours.example"}).content)
    with tenancy.scope(tenant_id=owner.tenant_id):
        entry = LedgerEntry.objects.get(event="accounts.domain.claimed", subject_id=made["id"])
        assert (entry.actor_kind, entry.actor_id) == ("token", tokens_of(owner)[0])
    client = Client()
    client.force_login(owner.user)
    page = client.get(f"/t/{owner.tenant.slug}/activity/").content.decode()
    assert "The token “Tool" in page


def tokens_of(owner: Member) -> list[Any]:
    from core import tokens

    return [token.pk for token in tokens.listed(tenant_id=owner.tenant_id)]


def test_a_run_of_checks_is_a_job_to_poll(secret: str) -> None:
    started = call("POST", "/api/v1/readiness/runs", secret=secret, body={"check_id": "cutover.window_set"})
    assert started.status_code == 202
    job = json.loads(call("GET", started.headers["Location"], secret=secret).content)
    assert (job["state"], job["is_over"], job["title"]) == ("queued", False, "Preflight checks")
    told = problem(call("POST", "/api/v1/readiness/runs", secret=secret, body={"check_id": "no.such"}), 422)
    assert [flaw["pointer"] for flaw in told["errors"]] == ["#/check_id"]


def test_a_domain_goes_its_whole_way(secret: str, fake_dns: Any) -> None:
    claimed = call("POST", "/api/v1/domains", secret=secret, body={"name": "Ours.Example"})
    assert claimed.status_code == 201
    here, domain = claimed.headers["Location"], json.loads(claimed.content)
    assert (domain["name"], domain["state"], domain["last_check"]) == ("ours.example", "waiting", None)
    checked = json.loads(call("POST", f"{here}/checks", secret=secret).content)
    assert checked["last_check"]["fix"]
    assert call("DELETE", here, secret=secret).status_code == 204
    problem(call("GET", here, secret=secret), 404)


def test_a_sealed_report_is_given_byte_for_byte(secret: str, owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib
    import io

    from openpyxl import load_workbook

    from parity_reports.models import Report
    from parity_reports.services import reports

    with tenancy.scope(tenant_id=owner.tenant_id):
        row = Report.objects.create(tenant=owner.tenant, requested_at=timezone.now())
        address = f"/api/v1/parity/reports/{row.pk}"
        assert json.loads(call("GET", address, secret=secret).content)["verdict"] is None
        for ending in ("", ".pdf", ".csv", ".xlsx"):
            problem(call("GET", f"{address}/document{ending}", secret=secret), 409)
        reports.finish(report=row, by=make.actor(owner), at=timezone.now())
    told = json.loads(call("GET", address, secret=secret).content)
    document = call("GET", f"{address}/document", secret=secret).content
    assert hashlib.sha256(document).hexdigest() == told["sha256"]
    book = load_workbook(io.BytesIO(call("GET", f"{address}/document.xlsx", secret=secret).getvalue()))
    assert told["sha256"] in {cell.value for cell in book["Report"]["B"]}
    table = call("GET", f"{address}/document.csv", secret=secret)
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.getvalue().decode().startswith("\ufeffrun,sha256,verdict,")


def test_every_list_asks_the_database_as_often_for_many_as_for_few(
    secret: str, owner: Member, django_assert_max_num_queries: Any
) -> None:
    domains_of(owner, *(f"d{number}.example" for number in range(30)))
    for address in ("/api/v1/domains", "/api/v1/parity/reports", "/api/v1/approvals", "/api/v1/readiness/checks"):
        with django_assert_max_num_queries(8):
            assert call("GET", f"{address}?limit=100", secret=secret).status_code == 200


def test_a_members_token_reads_what_a_member_may(owner: Member) -> None:
    admin = make.member(owner.tenant, TenantRole.ADMIN)
    secret = api.token(admin)
    with make.arranging():
        Member.objects.filter(pk=admin.pk).update(role=TenantRole.MEMBER)
    assert call("GET", "/api/v1/domains", secret=secret).status_code == 200
    told = problem(call("GET", "/api/v1/approvals", secret=secret), 403)
    assert "no longer" in told["detail"]
    assert "rotates" in told["fix"]
