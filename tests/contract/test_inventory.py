"""What is connected to legacy, as the fake and the adapter tell it."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from django.db import transaction

from core import ports
from core.inventory import Integration, Kind
from core.ports import Inventory
from core.tenancy import TransactionOpenError
from portal.adapters.inventory import PostgresInventory
from portal.demo import legacy
from tests import databases
from tests.fakes.inventory import FakeInventory

OURS = (
    Integration(Kind.API_KEY, "1", "Crew app", "", ("flights:read",), date(2026, 11, 25)),
    Integration(Kind.CONNECTOR, "2", "Fax", "", ("flights",), None, is_active=False),
    Integration(Kind.ETL, "1", "Nightly export", "sftp://etl.zz.example/in", ("flights", "aircraft"), date(2026, 1, 2)),
    Integration(Kind.WEBHOOK, "1", "https://zz.example/h", "https://zz.example/h", ("a.b", "a.c")),
)
ROWS = """
INSERT INTO hook_mast VALUES ('ZZ', 1, 'https://zz.example/h', 'a.b,a.c', 'digest', 'Y'), ('YY', 1, 'https://yy.example/', 'a.b', 'digest', 'Y');
INSERT INTO api_key VALUES ('ZZ', 1, 'Crew app', 'digest', 'flights:read', '20261125', 'Y'), ('YY', 1, 'Other', 'digest', '', NULL, 'Y');
INSERT INTO intg_mast VALUES ('ZZ', 1, 'ETL', 'Nightly export', 'sftp://etl.zz.example/in', 'flights, aircraft', '20260102', 'Y'),
                             ('ZZ', 2, 'CONN', 'Fax', NULL, 'flights', 'never', 'N');
"""  # noqa: E501


@pytest.fixture(scope="module")
def adapter() -> Iterator[PostgresInventory]:
    with databases.platforms(kind="inventory") as pair:
        with psycopg.connect(pair.legacy_owner) as connection:
            connection.execute(legacy.DDL.read_bytes())
            connection.execute(ROWS.encode())
        yield PostgresInventory(url=pair.legacy_reader)


@pytest.fixture(params=["fake", "postgres"])
def inventory(request: pytest.FixtureRequest) -> Iterator[Inventory]:
    if request.param == "postgres":
        yield request.getfixturevalue("adapter")
        return
    FakeInventory.reset()
    FakeInventory.connected = {"ZZ": list(reversed(OURS)), "YY": [OURS[0]]}
    yield FakeInventory()
    FakeInventory.reset()


def test_everything_of_one_tenant_comes_back_by_kind_and_key(inventory: Inventory) -> None:
    assert inventory.integrations(tenant_ref="ZZ") == OURS


def test_a_tenant_that_legacy_does_not_know_has_nothing(inventory: Inventory) -> None:
    assert inventory.integrations(tenant_ref="' OR 1 = 1 --") == ()


@pytest.mark.django_db
def test_nothing_is_read_inside_a_transaction(inventory: Inventory) -> None:
    with transaction.atomic(), pytest.raises(TransactionOpenError):
        inventory.integrations(tenant_ref="ZZ")


def test_digests_of_secrets_are_not_read(adapter: PostgresInventory) -> None:
    assert "digest" not in str(adapter.integrations(tenant_ref="ZZ"))


def test_an_outage_is_told_as_one() -> None:
    with pytest.raises(ports.Unavailable):
        PostgresInventory(url="postgres://nobody@127.0.0.1:1/none").integrations(tenant_ref="ZZ")
