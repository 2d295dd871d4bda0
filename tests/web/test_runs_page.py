"""The page of moving data as a customer meets it: empty, at work, with rejected rows, and every refusal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Tenant
from backfills.domain.runs import RunState
from backfills.models import DeadLetter, Run
from backfills.queries import files
from backfills.services import runs
from core import queue
from core.actor import Actor
from core.permissions import TenantRole
from core.tenancy import scope
from tests import airline, make
from tests.databases import Platforms

pytestmark = pytest.mark.usefixtures("db")


@dataclass
class Browser:
    """A signed-in member's browser."""

    client: Client
    tenant: Tenant

    def get(self, path: str = "runs/", *, htmx: bool = False, **data: Any):
        headers = {"HX-Request": "true"} if htmx else {}
        return self.client.get(f"/t/{self.tenant.slug}/{path}", data, headers=headers)

    def post(self, path: str, *, htmx: bool = False, **data: Any):
        headers = {"HX-Request": "true"} if htmx else {}
        return self.client.post(f"/t/{self.tenant.slug}/{path}", data, headers=headers, follow=not htmx)

    def move(self) -> None:
        self.post("runs/start/")
        queue.run_pending()


@pytest.fixture
def open_as(airline_world: Platforms) -> Callable[..., Browser]:
    def browse(role: TenantRole = TenantRole.ADMIN, tenant: Tenant | None = None) -> Browser:
        tenant = tenant or make.tenant("Zebra Air", legacy_ref=airline.CODE)
        client = Client()
        client.force_login(make.member(tenant, role).user)
        return Browser(client, tenant)

    return browse


def text(response) -> str:
    return " ".join(response.content.decode().split())


def only_run(entity: str) -> Run:
    with make.arranging():
        return Run.objects.filter(entity=entity).latest("requested_at")


def begin(entity: str, tenant: Tenant) -> None:
    """Bring a run as far as its first batch."""
    run = only_run(entity)
    with scope(tenant_id=tenant.pk):
        runs.advance(run_id=run.pk, by=Actor.system("tests"), at=timezone.now())


def test_the_empty_page_says_that_legacy_is_only_read(open_as):
    page = text(open_as().get())
    assert "<title>Your data · Zebra Air · Crossing</title>" in page
    assert "Nothing has moved yet" in page
    assert "Move everything" in page
    assert "Moving changes nothing in legacy." in page


def test_moving_everything_ends_with_every_row_accounted_for(open_as, airline_world):
    airline.flights(airline_world, 3)
    browser = open_as()
    started = text(browser.post("runs/start/"))
    assert "Your data is moving" in started
    assert 'hx-trigger="every 2s"' in started
    queue.run_pending()
    page = text(browser.get())
    assert "Every row is accounted for" in page
    assert "10 rows in legacy, 10 outcomes, none rejected." in page
    assert "every 2s" not in page


def test_rejected_rows_come_with_what_to_do_and_move_once_they_are_put_right(open_as, airline_world):
    airline.flights(airline_world, 2, tail_no="N3AAAA")
    browser = open_as()
    browser.move()
    page = text(browser.get())
    assert "2 rows: The aircraft is named by a fleet number, not by its registration" in page
    assert "What to do:</strong> In legacy, replace the fleet numbers" in page
    assert "more than the 0.1 % that the mapping allows" in page
    assert "N3AAAA" not in page
    airline.legacy_do(airline_world, "UPDATE flt_hist SET tail_no = 'N1ZZ'")
    again = browser.post(f"runs/{only_run('flights').pk}/retry/", htmx=True)
    assert again.status_code == 200
    assert "Your data is moving" in text(again)
    queue.run_pending()
    assert "Every row is accounted for" in text(browser.get())


def test_the_entity_page_shows_each_rule_and_each_rejected_row(open_as, airline_world):
    airline.flights(airline_world, 1)
    airline.flights(
        airline_world, 1, act_dep="2400", sch_dep="2355", dep_dly=5, act_arr="0312", sch_arr="0315", arr_dly=-3
    )
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    browser = open_as()
    browser.move()
    page = text(browser.get("runs/entities/flights/"))
    assert "<h1>Flights</h1>" in page
    assert "Legacy writes midnight as 2400; the new platform stores the instant." in page
    assert "Rows in legacy: 3" in page
    assert "<code>3</code>" in page  # the rejected row's public key
    assert "N3AAAA" not in page


def test_the_entity_page_is_there_before_anything_moved(open_as):
    page = text(open_as().get("runs/entities/airports/"))
    assert "No row has moved yet" in page


def test_an_entity_that_the_mapping_does_not_know_is_not_there(open_as):
    assert open_as().get("runs/entities/passengers/").status_code == 404


def test_flights_alone_say_what_they_wait_for(open_as):
    browser = open_as()
    browser.post("runs/start/", entity="flights")
    queue.run_pending()
    assert "Flights refer to airports, which have not moved: move those first." in text(browser.get())


def test_a_second_start_while_it_moves_is_refused_with_the_reason(open_as):
    browser = open_as()
    browser.post("runs/start/")
    assert "A run is under way already." in text(browser.post("runs/start/"))
    refused = browser.post("runs/start/", htmx=True)
    assert refused.status_code == 422
    assert "A run is under way already." in text(refused)


def test_pause_and_go_on(open_as, airline_world):
    airline.flights(airline_world, 1)
    browser = open_as()
    browser.post("runs/start/")
    paused = text(browser.post(f"runs/{only_run('flights').pk}/pause/", htmx=True))
    assert "Paused" in paused
    queue.run_pending()
    browser.post(f"runs/{only_run('flights').pk}/resume/")
    queue.run_pending()
    assert "Every row is accounted for" in text(browser.get())


def test_end_early(open_as):
    browser = open_as()
    browser.post("runs/start/", entity="airports")
    begin("airports", browser.tenant)
    assert "End the move of airports here?" in text(browser.get())
    ended = text(browser.post(f"runs/{only_run('airports').pk}/cancel/"))
    assert "Ended early" in ended
    assert "<strong>The run was ended early.</strong>" in ended
    assert "Pause" not in ended
    queue.run_pending()
    assert only_run("airports").state == RunState.CANCELLED


@pytest.mark.slow
def test_rejected_rows_of_a_run_that_was_cut_short_are_not_tried_again(open_as, airline_world):
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    browser = open_as()
    browser.move()
    browser.post("runs/start/", entity="flights")
    browser.post(f"runs/{only_run('flights').pk}/cancel/")
    assert "Try rejected rows again" in text(browser.get()), "it had not begun, so all stands as it stood"
    browser.post("runs/start/", entity="flights")
    begin("flights", browser.tenant)
    browser.post(f"runs/{only_run('flights').pk}/cancel/")
    assert "Try rejected rows again" not in text(browser.get())
    refused = browser.post(f"runs/{only_run('flights').pk}/retry/", htmx=True)
    assert "The run did not come to its end." in text(refused)
    assert "Start it again: it judges every row." in text(refused)


@pytest.mark.slow
def test_pausing_what_has_ended_says_so(open_as):
    browser = open_as()
    browser.move()
    refused = browser.post(f"runs/{only_run('airports').pk}/pause/", htmx=True)
    assert refused.status_code == 422
    assert "The run has ended meanwhile." in text(refused)


@pytest.mark.slow
def test_retrying_without_rejected_rows_says_so(open_as):
    browser = open_as()
    browser.move()
    refused = browser.post(f"runs/{only_run('airports').pk}/retry/", htmx=True)
    assert refused.status_code == 422
    assert "No row of this run is rejected any more." in text(refused)


def test_an_auditor_sees_it_and_changes_nothing(open_as):
    browser = open_as(TenantRole.AUDITOR)
    page = browser.get()
    assert page.status_code == 200
    assert "Move everything" not in text(page)
    assert browser.post("runs/start/", htmx=True).status_code == 403


def test_a_plain_member_does_not_see_it(open_as):
    assert open_as(TenantRole.MEMBER).get().status_code == 403


def test_rejected_rows_are_to_be_had_as_a_list_without_their_values(open_as, airline_world):
    airline.flights(airline_world, 1)
    airline.flights(airline_world, 2, tail_no="N3AAAA")
    browser = open_as(TenantRole.ADMIN)
    browser.move()
    answered = browser.get("runs/entities/flights/rejected.csv")
    body = answered.getvalue().decode("utf-8-sig")
    lines = body.splitlines()
    assert answered["Content-Disposition"] == f'attachment; filename="{browser.tenant.slug}-flights-rejected.csv"'
    assert lines[0] == "flt_seq,column,rule,why,what to do,attempts"
    assert [line.split(",")[:3] for line in lines[1:]] == [
        ["2", "tail_no", "fleet_number_for_registration"],
        ["3", "tail_no", "fleet_number_for_registration"],
    ]
    assert "N3AAAA" not in body


def test_the_list_of_rejected_rows_is_sent_in_blocks_each_in_the_tenants_scope(open_as, airline_world, monkeypatch):
    monkeypatch.setattr(files, "BLOCK", 1)
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    airline.flights(airline_world, 2, tail_no="N3AAAA")
    browser = open_as(TenantRole.ADMIN)
    browser.move()
    answered = browser.get("runs/entities/flights/rejected.csv")
    assert answered.streaming
    head, *blocks = (part.decode() for part in answered)
    assert head.endswith("attempts\r\n")
    assert len(blocks) > 1
    assert all(block.count("\r\n") == 1 for block in blocks)


@pytest.mark.slow
def test_an_outage_says_that_it_is_tried_again_and_at_last_who_lets_it_go_on(open_as, airline_world, settings):
    browser = open_as()
    adapters = settings.ADAPTERS
    nowhere = {"url": "postgres://legacy_reader:hunter2@127.0.0.1:1/legacy"}
    settings.ADAPTERS = {**adapters, "legacy": {**adapters["legacy"], "OPTIONS": nowhere}}
    browser.post("runs/start/", entity="airports")
    queue.run_pending()
    page = text(browser.get())
    assert "The legacy platform&#x27;s database does not answer (no connection)." in page
    assert "It is tried again by itself; nothing for you to do." in page
    for attempt in range(1, queue.TASKS["backfills.tasks.advance_run"].max_attempts):
        queue.run_pending(at=timezone.now() + timedelta(hours=attempt))
    page = text(browser.get())
    assert "Your data stand still" in page
    assert "When the cause is gone, let it go on" in page
    assert "hunter2" not in page
    settings.ADAPTERS = adapters
    browser.post(f"runs/{only_run('airports').pk}/resume/")
    queue.run_pending()
    with make.arranging():
        assert Run.objects.get().state == RunState.SUCCEEDED


def test_another_tenants_run_is_not_there(open_as, airline_world):
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    browser = open_as()
    browser.move()
    run = only_run("flights")
    stranger = open_as(TenantRole.OWNER, make.tenant("Other Air"))
    for act in ("pause", "resume", "cancel", "retry"):
        assert stranger.post(f"runs/{run.pk}/{act}/", htmx=True).status_code == 404
    assert "fleet" not in text(stranger.get("runs/entities/flights/")).lower()


def test_to_htmx_only_the_part_that_changes_is_answered(open_as):
    answered = open_as().get(htmx=True)
    assert "<html" not in answered.content.decode()
    assert "HX-Request" in answered["Vary"]


@pytest.mark.parametrize("path", ["runs/", pytest.param("runs/entities/flights/", marks=pytest.mark.slow)])
def test_the_pages_cost_the_same_however_many_rows_are_rejected(open_as, airline_world, path):
    airline.flights(airline_world, 1, tail_no="N3AAAA")
    browser = open_as()
    browser.move()
    run = only_run("flights")
    add_letters(run, 9)
    browser.get(path)
    with CaptureQueriesContext(connection) as few:
        browser.get(path)
    add_letters(run, 990)
    with CaptureQueriesContext(connection) as many:
        browser.get(path)
    assert len(many) == len(few)


def add_letters(run: Run, count: int) -> None:
    now = timezone.now()
    with make.arranging():
        first = DeadLetter.objects.count() + 1000
        DeadLetter.objects.bulk_create(
            DeadLetter(
                tenant_id=run.tenant_id,
                run=run,
                entity=run.entity,
                source_key=str(first + number),
                rule="missing_value",
                sqlstate="23502",
                column="tail_no",
                spec=run.spec,
                first_at=now,
                last_at=now,
            )
            for number in range(count)
        )
