"""The page that says where one row ended: moved, merged, left, rejected, waiting, or unknown to both."""

import pytest
from django.test import Client
from django.utils import timezone

from backfills.services import runs
from core import ports, queue
from core.permissions import TenantRole
from core.tenancy import scope
from portal.adapters.newplatform import PostgresMover
from tests import airline, make

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def ask(airline_world):
    tenant = make.tenant("Zebra Air", legacy_ref=airline.CODE)
    airline.flights(airline_world, 1)
    airline.flights(airline_world, 1, can_flg="Y")
    with scope(tenant_id=tenant.pk):
        runs.start(tenant_id=tenant.pk, by=make.SYSTEM, at=timezone.now())
        queue.run_pending()
    airline.flights(airline_world, 1)
    client = Client()
    client.force_login(make.member(tenant, TenantRole.AUDITOR).user)

    def page(key: str, entity: str = "flights", status: int = 200) -> str:
        response = client.post(f"/t/{tenant.slug}/runs/entities/{entity}/find/", {"key": key})
        assert response.status_code == status
        return " ".join(response.content.decode().split())

    page.client, page.tenant = client, tenant
    return page


def test_every_end_is_told(ask, airline_world):
    moved = ask("1")
    assert "Moved as it was" in moved
    assert '<code class="wrap">ZZ1-20130115-1</code>' in moved
    assert "Last written" in moved
    assert '<dd><code class="wrap">1</code></dd>' in ask("ZZ1-20130115-1")
    rejected = ask(" 2 ")
    assert "The flight is marked as cancelled but has a departure time." in rejected
    assert "clear the cancelled flag" in rejected
    assert "no run has met it yet" in ask("3")
    assert "Neither legacy nor the new platform knows this key" in ask("4711")
    assert 'together with <code class="wrap">N1ZZ</code> of legacy' in ask("N2ZZ", "aircraft_types")
    airline.legacy_do(airline_world, "DELETE FROM flt_hist WHERE flt_seq = 1")
    assert "no longer there" in ask("1")


SELDOM = [pytest.param(key, marks=pytest.mark.slow) for key in ("9" * 40, "-1", "１", "é%s{}")]


@pytest.mark.parametrize("key", ["x' OR 1=1 --", *SELDOM])
def test_what_is_no_key_finds_nothing(ask, key):
    assert "Neither legacy nor the new platform knows this key" in ask(key)


@pytest.mark.slow
def test_what_cannot_be_a_key_an_outage_and_an_entity_that_nobody_knows_are_said(ask, monkeypatch):
    assert "at most 200 characters" in ask("x" * 201, status=422)
    assert "at most 200 characters" in ask("a\0b", status=422)

    def away(*_: object, **__: object) -> None:
        raise ports.Unavailable("The new platform's database does not answer (no connection).")

    monkeypatch.setattr(PostgresMover, "trace", away)
    assert "does not answer" in ask("1", status=422)
    ask("1", "nothing", status=404)
    address = f"/t/{ask.tenant.slug}/runs/entities/flights/find/"
    assert "What became of it" not in ask.client.get(address, {"key": "1"}).content.decode(), "it is posted"
