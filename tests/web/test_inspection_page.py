"""The check before the move as a customer meets it: empty, at work, with faults, stuck, and refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from backfills.models import Inspection
from backfills.services.inspections import UnableToInspect
from core import queue
from core.models import Job
from core.permissions import TenantRole
from tests import airline, make
from tests.databases import Platforms

pytestmark = pytest.mark.usefixtures("db")


@dataclass
class Browser:
    """A signed-in member's browser."""

    client: Client
    tenant: Tenant

    def get(self, *, htmx: bool = False) -> Any:
        return self.client.get(
            f"/t/{self.tenant.slug}/runs/inspection/", headers={"HX-Request": "true"} if htmx else {}
        )

    def ask(self, *, htmx: bool = False) -> Any:
        return self.client.post(
            f"/t/{self.tenant.slug}/runs/inspection/request/", headers={"HX-Request": "true"} if htmx else {},
            follow=not htmx,
        )  # fmt: skip

    def check(self) -> str:
        self.ask()
        queue.run_pending()
        return text(self.get())


@pytest.fixture
def open_as(airline_world: Platforms) -> Callable[..., Browser]:
    def browse(role: TenantRole = TenantRole.ADMIN) -> Browser:
        tenant = make.tenant("Zebra Air", legacy_ref=airline.CODE)
        client = Client()
        client.force_login(make.member(tenant, role).user)
        return Browser(client, tenant)

    return browse


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_the_empty_page_says_that_nothing_is_written(open_as):
    page = text(open_as().get())
    assert "<title>Check before the move · Zebra Air · Crossing</title>" in page
    assert "Nothing was checked yet" in page
    assert "Nothing is written, neither there nor on the new platform" in page
    assert "Check my data" in page


def test_an_auditor_sees_it_and_may_not_ask(open_as):
    auditor = open_as(TenantRole.AUDITOR)
    assert "Check my data" not in text(auditor.get())
    assert auditor.ask().status_code == 403


def test_while_it_runs_the_page_asks_again_and_then_stops(open_as):
    browser = open_as()
    page = text(browser.ask())
    assert "Your data is being checked" in page
    assert 'hx-trigger="every 2s"' in page
    assert "The check waits for its turn" in page
    queue.run_pending()
    part = text(browser.get(htmx=True))
    assert "<html" not in part
    assert "No row would be rejected" in part
    assert "hx-trigger" not in part
    assert 'data-announce="7 rows checked, 0 would be rejected"' in part


def test_faults_stand_by_what_is_to_be_done_with_examples(open_as, airline_world):
    airline.flights(airline_world, 2, tail_no="N3AAAA")
    airline.flights(airline_world, 1, can_flg="Y", tail_no="<b>N4AAA")
    page = open_as().check()
    assert "3 rows would be rejected" in page
    assert "More than the mapping allows" in page
    first, second = page.index("replace the fleet numbers"), page.index("clear the cancelled flag")
    assert first < second
    assert '<code>1</code>: <code class="wrap">N3AAAA</code>' in page
    assert "&lt;b&gt;N4AAA" in page
    assert "less than a minute" in page


def test_private_values_stand_nowhere(open_as, airline_world):
    airline.flights(airline_world, 1, air_min=98765)
    page = open_as().check()
    assert "outside of what the new platform can hold" in page
    assert "98765" not in page


def test_one_that_stands_still_says_why_and_can_be_started_again(open_as):
    browser = open_as()
    browser.ask()
    with make.arranging():
        Job.objects.filter(task="backfills.tasks.inspect").update(
            state="dead", finished_at=timezone.now(), problem="The legacy platform does not answer."
        )
    page = text(browser.get())
    assert "The check stands still" in page
    assert "The legacy platform does not answer." in page
    assert "No row would be rejected" in browser.check()


def test_one_that_failed_says_why(open_as):
    browser = open_as()
    browser.check()
    with make.arranging():
        Inspection.objects.update(state="failed", problem="The legacy platform refused.")
    page = text(browser.get())
    assert "The check was not finished" in page
    assert "The legacy platform refused." in page


def test_a_mapping_that_cannot_be_read_is_refused_in_words(open_as, monkeypatch):
    browser = open_as()

    def broken(**_: object) -> None:
        raise UnableToInspect("The mapping cannot be read.", fix="Our data lead must correct it: flights.yaml:7: no")

    monkeypatch.setattr("backfills.services.inspections.request", broken)
    page = text(browser.ask(htmx=True))
    assert "The mapping cannot be read." in page
    assert "flights.yaml:7" in page


def test_the_page_costs_the_same_with_many_faults(open_as, airline_world):
    browser = open_as()
    browser.check()
    with CaptureQueriesContext(connection) as few:
        browser.get()
    airline.flights(airline_world, 2, tail_no="N3AAAA", can_flg="Y", dst_stn="XXX", flt_dt="x", dist_mi=None)
    browser.check()
    with CaptureQueriesContext(connection) as many:
        browser.get()
    assert len(many) == len(few)
