"""The people of both platforms: the adapter and its fake keep one promise."""

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from core.people import Person
from core.ports import People, Rejected, Unavailable
from portal.adapters.people import PostgresPeople
from portal.demo import legacy, newplatform
from tests import databases
from tests.fakes.people import FakePeople

ACCOUNT, OTHER = UUID(int=1), UUID(int=2)
LEGACY = [
    Person("2", "", "olivia@zz.example", "olivia@zz.example", "Olivia Owen", "account-owner", is_owner=True),
    Person("7", "", "Ben@zz.example", "Ben@zz.example", "Ben Berg", "dispatcher"),
    Person("10", "", "old@zz.example", "old@zz.example", "Old Hand", "XYZ", is_active=False),
]
NEW = [
    Person("a", "00u1", "olivia", "olivia@zz.example", "Olivia Owen", "account-owner", is_owner=True),
    Person("b", "", "ben", "", "Ben Berg", "viewer", is_active=False),
]
LEGACY_ROWS = """
INSERT INTO usr_mast VALUES ('ZZ', 10, 'old@zz.example', 'Old Hand', 'XYZ', 'N'),
    ('ZZ', 2, 'olivia@zz.example', 'Olivia Owen', 'OWN', 'Y'), ('ZZ', 7, 'Ben@zz.example', 'Ben Berg', 'DSP', 'Y'),
    ('YY', 1, 'other@yy.example', 'Other', 'MEM', 'Y');
"""
NEW_ROWS = f"""
INSERT INTO platform.person VALUES ('{ACCOUNT}', 'b', NULL, 'ben', NULL, 'Ben Berg', 'viewer', false),
    ('{ACCOUNT}', 'a', '00u1', 'olivia', 'olivia@zz.example', 'Olivia Owen', 'account-owner', true),
    ('{OTHER}', 'a', NULL, 'other', NULL, 'Other', 'viewer', true);
"""


@pytest.fixture(scope="module")
def adapter() -> Iterator[PostgresPeople]:
    with databases.platforms(kind="people") as pair:
        with psycopg.connect(pair.legacy_owner) as connection:
            connection.execute(legacy.DDL.read_bytes())
            connection.execute(LEGACY_ROWS.encode())
        newplatform.create(pair.new_owner)
        with psycopg.connect(pair.new_owner) as connection:
            connection.execute(NEW_ROWS.encode())
        yield PostgresPeople(legacy=pair.legacy_reader, new=pair.new_loader, owner="account-owner")


@pytest.fixture(params=["fake", "postgres"])
def people(request: pytest.FixtureRequest) -> Iterator[People]:
    if request.param == "postgres":
        yield request.getfixturevalue("adapter")
        return
    FakePeople.reset()
    FakePeople.legacy, FakePeople.new = {"ZZ": LEGACY, "YY": LEGACY[:1]}, {ACCOUNT: NEW, OTHER: NEW[:1]}
    yield FakePeople()
    FakePeople.reset()


def test_people_come_page_by_page_in_one_order(people: People) -> None:
    first = people.of_legacy(tenant_ref="ZZ", after=None, limit=2)
    rest = people.of_legacy(tenant_ref="ZZ", after=first[-1].key, limit=2)
    assert [*first, *rest] == LEGACY
    assert list(people.of_legacy(tenant_ref="ZZ", after=rest[-1].key, limit=2)) == []
    one = people.of_new(account_id=ACCOUNT, after=None, limit=1)
    assert [*one, *people.of_new(account_id=ACCOUNT, after=one[-1].key, limit=5)] == NEW


def test_a_customer_without_people_has_none(people: People) -> None:
    assert list(people.of_legacy(tenant_ref="nobody", after=None, limit=5)) == []
    assert list(people.of_new(account_id=UUID(int=9), after=None, limit=5)) == []


def test_a_key_that_legacy_never_gave_is_refused(adapter: PostgresPeople) -> None:
    with pytest.raises(Rejected, match="no person with such a key"):
        adapter.of_legacy(tenant_ref="ZZ", after="x", limit=5)


def test_an_outage_is_told_as_one() -> None:
    away = PostgresPeople(legacy="postgres://127.0.0.1:1/x", new="postgres://127.0.0.1:1/x", owner="account-owner")
    with pytest.raises(Unavailable):
        away.of_new(account_id=ACCOUNT, after=None, limit=1)
