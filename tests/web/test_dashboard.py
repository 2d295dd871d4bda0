"""The customer's pages: overview, preflight, live jobs, activity."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant, User
from core import ledger, queue, readiness, tenancy
from core.actor import Actor
from core.findings import Finding, Outcome
from core.models import Job
from core.permissions import TenantRole
from core.queue import TASKS, Scope
from core.readiness import CHECKS
from core.readiness.requesting import TASK
from cutover.models import Cutover
from portal.dashboard.queries import jobs
from tests import make

BY = Actor.system("tests")
HTMX = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script>"
PAGES = ["", "preflight/", "jobs/", "activity/"]


@pytest.fixture
def tenant(db: None) -> Tenant:
    """A tenant whose pages are looked at."""
    return make.tenant("JetBlue Airways", slug="jetblue", time_zone="America/New_York")


@pytest.fixture
def owner(tenant: Tenant, client: Client) -> User:
    """Its owner, signed in."""
    person = make.member(tenant, TenantRole.OWNER).user
    client.force_login(person)
    return person


@pytest.fixture
def found(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the only checks there are find something, by now or some time ago."""
    monkeypatch.setattr(CHECKS, "_items", {})

    def find(
        finding: Finding, *, check_id: str = "accounts.x", owner: str = "customer", ago: timedelta = timedelta(0)
    ) -> None:
        register = readiness.check(check_id, title=f"Check {check_id}", owner=owner, due="T-3", valid_for=timedelta(1))
        register(lambda *, tenant_id, at: finding)
        with tenancy.scope(tenant_id=tenant.pk):
            readiness.evaluate(tenant_id=tenant.pk, by=BY, at=timezone.now() - ago, checks=[check_id])

    return find


def job_of(tenant: Tenant, **fields: Any) -> UUID:
    """Make a job as the queue would leave it."""
    with make.arranging():
        return Job.objects.create(tenant_id=tenant.pk, **{"task": TASK, "key": uuid4().hex, **fields}).pk


def get(client: Client, path: str, **headers: str) -> str:
    """Return a page of the tenant."""
    response = client.get(f"/t/jetblue/{path}", headers=headers or None)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_page_says_what_will_be_here(client: Client, owner: User, path: str) -> None:
    page = get(client, path)
    assert "<title>" in page
    assert re.search(r"yet|nothing", page, re.IGNORECASE)


@pytest.mark.parametrize("path", ["", "preflight/", "jobs/"])
def test_htmx_gets_the_part_that_moves_and_caches_keep_them_apart(client: Client, owner: User, path: str) -> None:
    response = client.get(f"/t/jetblue/{path}", headers=HTMX)
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response.headers["Vary"]


def test_a_failure_is_open_and_says_found_expected_and_what_to_do(
    client: Client, owner: User, found: Callable[..., None]
) -> None:
    evidence = {"found": ["old-7731"], "expected": "token=b2k7", "rows": [{"key": "a", "why": "gone"}]}
    found(Finding(Outcome.BLOCK, "Not proven", evidence=evidence, fix="Publish the record.", link="domains/"))
    found(Finding(Outcome.PASS, "Fine"), check_id="accounts.y")
    page = get(client, "preflight/")
    for words in ("old-7731", "token=b2k7", "Publish the record.", "gone", 'href="/t/jetblue/domains/"', "1 needs you"):
        assert words in page
    assert re.search(r'id="check-accounts-x" open', page)
    assert not re.search(r'id="check-accounts-y" open', page)


def test_what_a_check_says_is_escaped(client: Client, owner: User, found: Callable[..., None]) -> None:
    finding = Finding(
        Outcome.BLOCK, HOSTILE, evidence={HOSTILE: HOSTILE, "found": HOSTILE, "rows": [{HOSTILE: HOSTILE}]}, fix=HOSTILE
    )
    found(finding)
    for path in PAGES:
        assert HOSTILE not in get(client, path)


@pytest.mark.parametrize(
    ("outcome", "ago", "words"),
    [
        (Outcome.PASS, timedelta(days=2), "Out of date"),
        (Outcome.UNKNOWN, timedelta(0), "Unknown"),
        (Outcome.WARN, timedelta(0), "Review"),
    ],
)
def test_each_standing_has_its_words(
    client: Client, owner: User, found: Callable[..., None], outcome: Outcome, ago: timedelta, words: str
) -> None:
    found(Finding(outcome, "Found"), ago=ago)
    assert words in get(client, "preflight/")


def test_a_block_that_is_the_vendors_turn_does_not_count_as_yours(
    client: Client, owner: User, found: Callable[..., None]
) -> None:
    found(Finding(Outcome.BLOCK, "No runbook"), owner="cs")
    page = get(client, "preflight/")
    assert "Nothing needs you now" in page
    assert "With us" in page


def test_running_a_check_again_works_without_javascript(
    client: Client, owner: User, tenant: Tenant, found: Callable[..., None]
) -> None:
    found(Finding(Outcome.PASS, "Fine"))
    response = client.post("/t/jetblue/preflight/run/accounts.x/")
    assert (response.status_code, response.headers["Location"]) == (302, "/t/jetblue/preflight/")
    with tenancy.scope(tenant_id=tenant.pk):
        assert [job.key for job in queue.jobs(tenant.pk, task=TASK)] == ["accounts.x"]


def test_the_list_asks_again_only_while_something_runs(
    client: Client, owner: User, tenant: Tenant, found: Callable[..., None]
) -> None:
    found(Finding(Outcome.PASS, "Fine"))
    assert "every 2s" not in get(client, "preflight/")
    running = client.post("/t/jetblue/preflight/run/", headers=HTMX).content.decode()
    assert 'hx-trigger="every 2s"' in running
    assert "<noscript>" in get(client, "preflight/")
    with tenancy.scope(tenant_id=tenant.pk):
        queue.run_pending()
    after = get(client, "preflight/", **HTMX)
    assert "every 2s" not in after
    assert 'data-announce="Checks finished: 1 of 1 pass, 0 need you."' in after


def test_an_unknown_check_is_not_found(client: Client, owner: User) -> None:
    assert client.post("/t/jetblue/preflight/run/no.such/", headers=HTMX).status_code == 404


def test_a_stuck_run_can_be_stopped(client: Client, owner: User, tenant: Tenant, found: Callable[..., None]) -> None:
    found(Finding(Outcome.PASS, "Fine"))
    job_id = job_of(tenant, state="queued", created_at=timezone.now() - timedelta(minutes=5))
    stop = f"/t/jetblue/preflight/stop/{job_id}/"
    assert stop in get(client, "preflight/")
    assert "every 2s" not in client.post(stop, headers=HTMX).content.decode()


def test_stopping_what_is_over_is_refused_with_the_reason(client: Client, owner: User, tenant: Tenant) -> None:
    job_id = job_of(tenant, state="done", finished_at=timezone.now())
    response = client.post(f"/t/jetblue/preflight/stop/{job_id}/", headers=HTMX)
    assert response.status_code == 422
    assert "It is over already" in response.content.decode()


def test_another_tenants_run_cannot_be_stopped(client: Client, owner: User) -> None:
    other = make.tenant()
    job_id = job_of(other, state="queued")
    assert client.post(f"/t/jetblue/preflight/stop/{job_id}/").status_code == 404
    with make.arranging():
        assert Job.objects.get(pk=job_id).state == "queued"


def test_who_may_not_run_checks_sees_no_button_and_is_refused(
    client: Client, tenant: Tenant, found: Callable[..., None]
) -> None:
    found(Finding(Outcome.BLOCK, "Not proven"))
    client.force_login(make.member(tenant, TenantRole.MEMBER).user)
    page = get(client, "preflight/")
    assert "/preflight/run/" not in page
    assert client.post("/t/jetblue/preflight/run/").status_code == 403


@pytest.mark.parametrize(
    ("role", "offered", "sees_activity"),
    [
        (TenantRole.OWNER, "Review and sign", True),
        (TenantRole.AUDITOR, "Review", True),
        (TenantRole.MEMBER, None, False),
    ],
)
def test_a_ready_account_offers_only_what_the_role_may_open(
    client: Client,
    tenant: Tenant,
    found: Callable[..., None],
    role: TenantRole,
    offered: str | None,
    sees_activity: bool,
) -> None:
    found(Finding(Outcome.PASS, "Proven"))
    client.force_login(make.member(tenant, role).user)
    page = get(client, "")
    assert ("/go-no-go/" in page.split("<main", 1)[1]) is (offered is not None)
    assert offered is None or f">{offered} " in page
    assert ("Every step leaves an entry here" in page or "All activity" in page) is sees_activity


def test_incomplete_is_not_failed(client: Client, owner: User, tenant: Tenant) -> None:
    ended = {"state": "dead", "finished_at": timezone.now(), "problem": "The new platform refused."}
    job_of(tenant, done=40, total=100, **ended)
    job_of(tenant, done=0, total=100, **ended)
    page = get(client, "jobs/")
    assert "Incomplete" in page
    assert "40 of 100 stand." in page
    assert "Failed" in page


def test_a_live_job_says_how_long_it_takes_and_that_the_page_may_be_closed(
    client: Client, owner: User, tenant: Tenant
) -> None:
    now = timezone.now()
    job_of(
        tenant, state="running", done=500, total=1000, first_done=0, measured_at=now - timedelta(seconds=100),
        started_at=now, claim=uuid4(), claimed_until=now + timedelta(minutes=1), worker="w",
    )  # fmt: skip
    page = get(client, "jobs/")
    assert "about 2 minutes left" in page
    assert "You can close this page" in page
    assert 'hx-trigger="every 2s"' in page


def test_the_ledger_is_paged_without_a_gap(client: Client, owner: User, tenant: Tenant) -> None:
    with tenancy.scope(tenant_id=tenant.pk):
        for number in range(120):
            ledger.append(
                f"tests.page.n{number}", by=BY, at=timezone.now(), tenant_id=tenant.pk, subject=("tests.page", number)
            )
    seen: list[str] = []
    path = "activity/"
    while path:
        page = get(client, path)
        seen += re.findall(r"n(\d+) a page", page)
        older = re.search(r'rel="next" href="(\?before=\d+)"', page)
        path = f"activity/{older[1]}" if older else ""
    assert [int(number) for number in seen] == list(range(119, -1, -1))


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "1;drop", "²"])
def test_a_page_that_is_no_number_is_the_first(client: Client, owner: User, before: str) -> None:
    assert client.get("/t/jetblue/activity/", {"before": before}).status_code == 200


@pytest.mark.parametrize("path", [PAGES[0], *(pytest.param(path, marks=pytest.mark.slow) for path in PAGES[1:])])
def test_a_page_costs_the_same_however_much_there_is(
    client: Client, owner: User, tenant: Tenant, found: Callable[..., None], path: str
) -> None:
    def fill(count: int) -> None:
        for number in range(count):
            job_of(tenant, state="done", finished_at=timezone.now(), key=f"{count}-{number}")
        with tenancy.scope(tenant_id=tenant.pk):
            for number in range(count):
                ledger.append(
                    "tests.x.done", by=BY, at=timezone.now(), tenant_id=tenant.pk, subject=("tests.x", number)
                )

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            get(client, path)
        return len(captured)

    found(Finding(Outcome.PASS, "Fine"))
    fill(10)
    get(client, path)
    few = queries()
    fill(1000)
    for number in range(30):
        found(Finding(Outcome.BLOCK, "Not proven"), check_id=f"accounts.c{number}")
    assert queries() == few
    assert few <= 31  # the sidebar's counts and the banners cost one or two each


def test_only_the_shown_evidence_rows_are_many(client: Client, owner: User, found: Callable[..., None]) -> None:
    rows = [{"key": f"row-{number}"} for number in range(1000)]
    found(Finding(Outcome.BLOCK, "Many", evidence={"rows": rows}))
    page = get(client, "preflight/")
    assert page.count("row-") == 10
    assert "and 990 more" in page


def test_a_stranger_learns_nothing(client: Client, tenant: Tenant) -> None:
    client.force_login(make.user())
    for path in PAGES:
        assert client.get(f"/t/jetblue/{path}").status_code == 404


def test_every_task_of_a_tenant_is_watched_or_plumbing() -> None:
    """A new kind of work either has a name for the customer or is declared to be nothing to watch."""
    named = {*jobs.TITLES, *jobs.PLUMBING}
    tasks = {task.name for task in TASKS.values() if task.scope is Scope.TENANT and not task.name.startswith("tests.")}
    assert tasks - named == set()
    assert named - tasks == set()


@pytest.mark.parametrize(
    ("phase", "words"),
    [("halted", "The line is stopped"), ("rolled_back", "You are back on the legacy platform"), ("preflight", "")],
)
def test_every_page_says_when_the_line_is_stopped(
    client: Client, owner: User, tenant: Tenant, phase: str, words: str
) -> None:
    with make.arranging():
        Cutover.objects.create(tenant=tenant, phase=phase)
    for path in PAGES:
        page = get(client, path)
        assert words in page
        assert ('class="banners"' in page) == bool(words)
