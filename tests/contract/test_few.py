"""Few records that differ are judged from what the servers show, as the full comparison judges them."""

import pytest

from core.comparison import ColumnDifference, Difference
from portal.adapters.comparison import DuckComparison, few, pushdown
from tests import databases, things
from tests.people import fill
from tests.rechecks import agreed, kinds, recheck
from tests.things import legacy_thing, new_thing


@pytest.fixture(scope="module")
def pair():
    with databases.platforms(kind="few") as pair:
        yield pair


@pytest.fixture
def comparison(pair, monkeypatch):
    """With few records, one that differs is most of a bucket: here that is no reason to read everything."""
    monkeypatch.setattr(pushdown, "STREAM_ABOVE", 1.0)
    things.make(pair.legacy_owner, pair.new_owner)
    return DuckComparison(legacy=pair.legacy_reader, new=pair.new_loader, settle=0, threads=1, memory_limit="300MB")


def test_few_records_are_judged_without_an_engine_of_ours(comparison, pair, monkeypatch):
    def full(*_):
        raise AssertionError("the engine was started")

    fill(pair.legacy_owner, {"thing_mast": [legacy_thing(number) for number in range(40)]})
    fill(pair.new_owner, {"clean.thing": [new_thing(number, "Bob" if number == 7 else "Ann") for number in range(40)]})
    monkeypatch.setattr(DuckComparison, "_full", full)
    _, found = recheck(comparison)
    assert found == [Difference("7", "different", (ColumnDifference("name", "Ann", "Bob"),))]


@pytest.mark.slow
@pytest.mark.parametrize("spelt", ["{%s}", "%s", "{%s", "%s-", "%.35s", "urn:uuid:%s"])
@pytest.mark.parametrize("bare", [False, True])
def test_an_identifier_is_the_same_however_it_is_spelt(comparison, pair, spelt, bare):
    reference = spelt % (things.REFERENCE.replace("-", "") if bare else things.REFERENCE)
    agreed(comparison, pair, [legacy_thing(1, ref=reference)], [new_thing(1)])


@pytest.mark.slow
def test_what_a_server_refuses_to_judge_the_engine_judges(comparison, pair, monkeypatch):
    monkeypatch.setattr(few.Few, "_promised", lambda *_: "SELECT 1/0")
    found, exact = agreed(comparison, pair, [legacy_thing(1)], [new_thing(1, "Bob")])
    assert kinds(found) == [("1", "different")]
    assert not exact


@pytest.mark.slow
def test_more_than_a_few_records_are_judged_alike(comparison, pair, monkeypatch):
    monkeypatch.setattr(few, "MOST", 2)
    found, _ = agreed(comparison, pair, [legacy_thing(n) for n in range(3)], [new_thing(n, "Bob") for n in range(3)])
    assert len(found) == 3
