"""From an outcome of the flow to the rows behind it: page by page, keys only where they are public."""

from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from backfills.services import fates, runs
from core import ports, pseudonyms, queue
from core.permissions import TenantRole
from core.tenancy import scope
from portal.adapters.newplatform import PostgresMover
from tests import airline, make

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def tenant(airline_world):
    return make.tenant("Zebra Air", legacy_ref=airline.CODE)


@pytest.fixture
def look(tenant):
    with scope(tenant_id=tenant.pk):
        runs.start(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
        queue.run_pending()
    client = Client()
    client.force_login(make.member(tenant, TenantRole.AUDITOR).user)

    def page(path: str = "rows/", status: int = 200, entity: str = "flights", **query: str) -> str:
        response = client.get(f"/t/{tenant.slug}/runs/entities/{entity}/{path}", query)
        assert response.status_code == status
        return " ".join(response.content.decode().split())

    return page


@pytest.fixture
def hidden_keys(settings, tmp_path):
    """The demo's mapping, where the flights' keys are not public."""
    for path in Path(settings.MAPPING_FOLDER).glob("*.yaml"):
        (tmp_path / path.name).write_text(
            path.read_text().replace("flt_seq: {class: public}", "flt_seq: {class: internal}")
        )
    settings.MAPPING_FOLDER = tmp_path


@pytest.fixture
def some(airline_world):
    airline.flights(airline_world, 5)
    airline.flights(airline_world, 1, can_flg="Y")


@pytest.mark.usefixtures("some")
def test_each_outcome_leads_to_its_rows_and_each_row_to_what_became_of_it(look, monkeypatch):
    entity = look("")
    assert 'rows/?fate=migrated&amp;rule="' in entity
    moved = look(fate="migrated", rule="")
    assert "<h1>Flights: Moved as it was</h1>" in moved
    assert moved.count('name="key"') == 5
    assert '<input type="hidden" name="key" value="3">' in moved
    assert "<h1>Flights: Moved as it was</h1>" in look()
    rejected = look(fate="quarantined", rule="cancelled_yet_departed")
    assert rejected.count('name="key"') == 1
    monkeypatch.setattr(fates, "PAGE", 2)
    assert "page=2" in look()
    last = look(page="3")
    assert (last.count('name="key"'), "page=4" in last, "page=2" in last) == (1, False, True)


@pytest.mark.usefixtures("some", "hidden_keys")
def test_a_key_that_is_not_public_is_shown_to_nobody(look, tenant):
    page = look()
    assert 'name="key"' not in page
    assert '<code class="wrap">3</code>' not in page
    secret = pseudonyms.secret(tenant_id=tenant.pk)
    assert pseudonyms.pseudonym(secret=secret, entity="flights", key="3") in page
    assert "are those of the parity report" in page


@pytest.mark.slow
def test_what_is_no_outcome_is_not_found_and_no_rows_are_said(look):
    assert "No row has moved yet" in look()
    for query in ({"fate": "migrated"}, {"fate": "x", "rule": "y"}):
        look(status=404, **query)
    for page in ("0", "21", "x", "99999999"):
        look(status=404, entity="airports", page=page)
    look(status=404, entity="nothing")


@pytest.mark.slow
@pytest.mark.usefixtures("some")
def test_an_outage_is_said(look, monkeypatch):
    def away(*_: object, **__: object) -> None:
        raise ports.Unavailable("The new platform's database does not answer (no connection).")

    monkeypatch.setattr(PostgresMover, "ended", away)
    assert "does not answer" in look(status=422)
