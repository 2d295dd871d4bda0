"""One suite over the fake and the real checksummer: what the new platform holds, summed as published."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

from core.comparison import Plan
from core.ports import Rejected, Unavailable
from parity_reports.domain import checksums, encoding
from parity_reports.domain.checksums import Bucket
from portal.adapters.comparison.checksums import PostgresChecksummer
from tests.fakes.comparison import FakeChecksummer
from tests.people import SPECS, ZONES_MOVED, fill, new_person, plan

CODE = "6fb3a1c95d0e4b2a8c7d9e0f1a2b3c4d"
KINDS = {
    "id": "integer", "name": "text", "fee": "decimal(2)", "active": "boolean", "begins_at": "timestamp", "zone": "text",
}  # fmt: skip


@pytest.fixture(params=["fake", "postgres"])
def summed(request):
    """A function from the people of the new platform to their checksums."""

    def by_fake(people, *, code=CODE, buckets=1, asked=None):
        fake = FakeChecksummer({"clean.person": people, "clean.zone": ZONES_MOVED})
        return fake.sum(asked or plan(), code=code, buckets=buckets)

    def by_postgres(people, *, code=CODE, buckets=1, asked=None):
        platforms = request.getfixturevalue("people_platforms")
        fill(platforms.new_owner, {"clean.person": people, "clean.zone": ZONES_MOVED})
        return PostgresChecksummer(platforms.new_loader).sum(asked or plan(), code=code, buckets=buckets)

    return by_fake if request.param == "fake" else by_postgres


PEOPLE = [
    new_person(1),
    new_person(2, None, fee=None, begins_at=None, zone=None),
    new_person(3, "", active=False),
    new_person(4, 'N\\"é|', fee=Decimal("-0.10"), begins_at=datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    *(new_person(number, f"Person {number}") for number in range(5, 200)),
]


def test_the_sums_are_those_of_the_published_encoding(summed):
    found = summed(PEOPLE, buckets=3)
    assert found.key == "id"
    assert dict(found.columns) == KINDS
    expected = [Bucket() for _ in range(3)]
    for person in PEOPLE:
        bucket, name = checksums.place(encoding.record(["integer"], [person["id"]], code=CODE), 3)
        whole = encoding.record(list(KINDS.values()), [person[column] for column in KINDS], code=CODE)
        expected[bucket].add(digest=encoding.digest_of(whole), name=name)
    assert found.buckets == tuple(bucket.sums for bucket in expected)


def test_rows_of_other_tenants_are_not_summed(summed):
    assert summed([new_person(1), new_person(2, owner="t2")]) == summed([new_person(1)])


def test_nothing_is_nought(summed):
    assert summed([], buckets=2).buckets == ((0, 0, 0, 0), (0, 0, 0, 0))


def test_another_code_gives_other_sums(summed):
    assert summed([new_person(1)]).buckets != summed([new_person(1)], code="another").buckets


def test_a_row_that_stands_twice_counts_twice(summed):
    once, twice = summed([new_person(1)]).buckets[0], summed([new_person(1)] * 2).buckets[0]
    assert twice == tuple(2 * number for number in once)


def test_columns_of_json_are_summed_by_reading_them(people_platforms):
    with psycopg.connect(people_platforms.new_owner) as connection:
        connection.execute(
            "DROP TABLE IF EXISTS clean.noted; CREATE TABLE clean.noted (owner text, code text, fee jsonb)"
        )
        connection.execute("GRANT SELECT ON clean.noted TO new_loader")
        connection.execute("""INSERT INTO clean.noted VALUES ('t1', 'a', '{"b": 1.0, "a": []}'), ('t1', 'b', NULL)""")
    badges = SPECS["badges"]
    spec = type(badges)(**{slot: getattr(badges, slot) for slot in badges.__slots__} | {"target_table": "clean.noted"})
    found = PostgresChecksummer(people_platforms.new_loader).sum(
        Plan("badges", spec, SPECS, legacy_tenant="B6", new_tenant="t1"), code="", buckets=1
    )
    assert found.columns == (("code", "text"), ("fee", "json"))
    rows = [("a", '{"a":[],"b":1}'), ("b", None)]
    digests = [encoding.digest_of(encoding.record(["text", "text"], row)) for row in rows]
    assert found.buckets[0][:2] == (2, sum(digests))


def test_a_platform_that_does_not_answer_or_lacks_the_table_is_told_apart(people_platforms):
    with pytest.raises(Unavailable):
        PostgresChecksummer("postgresql://nobody@127.0.0.1:1/none").sum(plan(), code="", buckets=1)
    spec = SPECS["people"]
    gone = type(spec)(**{slot: getattr(spec, slot) for slot in spec.__slots__} | {"target_table": "clean.gone"})
    with pytest.raises(Rejected, match=r"no column id"):
        PostgresChecksummer(people_platforms.new_loader).sum(
            Plan("people", gone, SPECS, legacy_tenant="B6", new_tenant="t1"), code="", buckets=1
        )
