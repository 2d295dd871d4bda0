"""Every page of the resolver, empty and filled: none is forgotten, each is fit to be seen.

The admin's pages are the framework's; `tests/web/test_admin.py` holds them to what we promise of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Domain, Invitation, Tenant, User
from accounts.services import domains, invitations
from backfills.queries import runs as run_queries
from backfills.services import runs
from core import queue, tenancy
from core.permissions import TenantRole
from parity_reports.services import reports
from tests import addresses, airline, make
from tests.browsing import Visits, check_page
from tests.cutovers import Case, ready_case
from tests.databases import Platforms
from tests.fakes.dns import FakeDns

ELSEWHERE = ("admin/", "staff/", "healthz", "readyz", "components/", "favicon.ico")
"""The admin; what is no page; and what test_shell.py visits as staff."""

UNREACHABLE = {
    "accounts/^confirm-email/": "the key comes by mail",
    "accounts/^password/reset/key/": "the key comes by mail",
    "invitations/<str:token>/": "the token comes by mail; the dead link's page is visited",
    "accounts/2fa/webauthn/keys/<int:pk>/": "needs a registered passkey; test_go_no_go.py registers one",
}


@dataclass
class World:
    """Somebody, their tenant, and the arguments of its addresses."""

    person: User
    slug: str
    examples: dict[str, object] = field(default_factory=dict)

    def paths(self) -> Iterator[str]:
        """Every address whose arguments are known; fails on one that nobody gave an example for."""
        for address in addresses.every():
            if address.route.startswith(ELSEWHERE) or any(map(address.route.startswith, UNREACHABLE)):
                continue
            names = re.findall(r"<\w+:(\w+)>", address.route)
            known = {"slug": self.slug, **self.examples}
            if missing := [name for name in names if name not in known]:
                if self.examples:
                    pytest.fail(f"{address.route}: give an example of {missing}")
                continue
            yield reverse(address.name, kwargs={name: known[name] for name in names})


def pages(client: Client, world: World) -> list[str]:
    """Those addresses that answer a reader with a page."""
    found = []
    for path in world.paths():
        response = client.get(path)
        # A page of a tenant opens, leads on or takes only POST; allauth's may have nothing to show.
        allowed = (200, 302, 405) if path.startswith("/t/") else (200, 302, 403, 404, 405)
        assert response.status_code in allowed, f"{path} answers {response.status_code}"
        if response.status_code == 200 and response.headers["Content-Type"].startswith("text/html"):
            found.append(path)
    return found


def see(visit: Visits, world: World, *, least: int) -> None:
    """Look at every page the person can open, and tell everything that is wrong at once."""
    problems = []
    world.person.set_password(make.PASSWORD)
    world.person.save()
    page = visit("/accounts/sessions/", by=world.person, freshly=True)
    paths = pages(visit.client, world)
    for path in paths:
        page.goto(path)
        try:
            check_page(page)
        except AssertionError as error:
            problems.append(str(error))
        page.complaints.clear()  # type: ignore[attr-defined]  # set by visit
    assert not problems, "\n\n".join(problems)
    assert len(paths) >= least, paths


@pytest.mark.slow  # test_shell.py looks at the first of them in every run
def test_every_page_is_fit_to_be_seen_while_there_is_nothing(visit: Visits, airline_world: Platforms) -> None:
    tenant = make.tenant("Zebra Air", slug="zebra", legacy_ref=airline.CODE)
    see(visit, World(make.member(tenant).user, "zebra"), least=18)


def test_every_page_is_fit_to_be_seen_when_it_is_full(
    visit: Visits, airline_world: Platforms, fake_dns: type[FakeDns], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ready_case(monkeypatch, at=timezone.now(), time_zone="America/New_York") as case:
        world = fill(case, airline_world, fake_dns)
    see(visit, world, least=20)


def test_every_page_for_strangers_is_fit_to_be_seen(visit: Visits) -> None:
    page = visit("/accounts/login/")
    for path in (
        "/accounts/login/",
        "/accounts/password/reset/",
        "/accounts/signup/",
        "/accounts/password/reset/done/",
    ):
        page.goto(path)
        check_page(page)
    page.complaints.clear()  # type: ignore[attr-defined]  # set by visit
    page.goto("/invitations/no-such-token/")
    check_page(page, expected_status=404)


def fill(case: Case, platforms: Platforms, dns: type[FakeDns]) -> World:
    """Give the tenant people, a domain that is not proven, moved and rejected rows, a comparison and a request."""
    owner, now = case.customer, timezone.now()
    tenant = case.owner.tenant
    with make.arranging():
        Tenant.objects.filter(pk=tenant.pk).update(name="Zebra Air", slug="zebra", legacy_ref=airline.CODE)
    for number in range(30):
        make.member(tenant, TenantRole.MEMBER, person=make.user(f"Somebody with a long name {number}"))
    airline.flights(platforms, 40)
    airline.flights(platforms, 3, org_stn="???")
    dns.zones.domains.append("zebra.example")
    with tenancy.scope(tenant_id=tenant.pk):
        claimed = domains.claim(tenant_id=tenant.pk, typed="zebra.example", by=owner, at=now)
        dns.publish("_crossing-challenge.zebra.example", "token=old")
        domains.check(domain=claimed, by=owner, at=now)
        invitations.invite(tenant_id=tenant.pk, email="new@zebra.example", role="admin", by=owner, at=now)
        runs.start(tenant_id=tenant.pk, by=owner, at=now)
        queue.run_pending()
        report = reports.request(tenant_id=tenant.pk, by=owner, at=now)
        queue.run_pending()
        request = case.ask(at=now)
        waiting = queue.enqueue("core.tasks.evaluate_readiness", tenant_id=tenant.pk, key="all")
        moved = run_queries.latest(tenant_id=tenant.pk)
        return World(
            case.owner.user,
            "zebra",
            {
                "domain_id": Domain.objects.get().pk,
                "member_id": case.owner.pk,
                "invitation_id": Invitation.objects.get().pk,
                "run_id": moved["flights"].pk,
                "entity": "flights",
                "report_id": report.pk,
                "request_id": request.pk,
                "check_id": "cutover.window_set",
                "job_id": waiting,
            },
        )
