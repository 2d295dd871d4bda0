"""Shadow reads as decisions: what may be declared, how the platforms are spared, what the numbers say."""

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.declared import SpecError
from parity_reports.domain import reads, shadow
from parity_reports.domain.shadow import Latency, Tally
from tests.people import SPECS

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
LISTS = """format: crossing-reads/1
entity: people
reads:
  - name: of_a_zone
    title: People of one zone
    by: zone
"""


def load(text):
    return reads.load_set({"reads/people.yaml": text}, specs=SPECS)


def pace(**changed):
    calm = {"slowed": 1, "reads": 30, "per_minute": 30, "took": timedelta(seconds=1), "strained": False, "at": AT}
    return shadow.pace(**{**calm, **changed})


def test_every_entity_whose_rows_do_not_merge_is_read_by_key_without_being_declared():
    found = reads.load_set({}, specs=SPECS)
    assert {entity: [read.name for read in each] for entity, each in found.items()} == {
        "zones": ["one"],
        "people": ["one"],
    }


def test_a_list_goes_by_a_column_that_is_taken_over():
    one, of_a_zone = load(LISTS)["people"]
    assert (one.by, of_a_zone.by, of_a_zone.at_most, of_a_zone.title) == ("", "zone", 200, "People of one zone")


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("by: zone", "by: name"), 6, "name is made of trim(nm)"),
        (("by: zone", "by: nowhere"), 6, "no column 'nowhere'"),
        (("entity: people", "entity: ghosts"), 2, "no mapping of 'ghosts'"),
        (("entity: people", "entity: badges"), 2, "several rows of legacy"),
        (("name: of_a_zone", "name: one"), 4, "two reads have the name"),
        (("by: zone", "by: zone\n    sql: SELECT 1"), 7, "sql"),
        (("by: zone", "by: zone\n    at_most: 5000"), 7, "at_most"),
        (("by: zone", 'by: "zone\' OR 1=1"'), 6, "by"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(change, line, says):
    with pytest.raises(SpecError) as refused:
        load(LISTS.replace(*change))
    assert says in str(refused.value)
    assert f"reads/people.yaml:{line}:" in str(refused.value)


def test_the_reads_of_an_entity_stand_in_one_file():
    with pytest.raises(SpecError, match="another file"):
        reads.load_set({"a.yaml": LISTS, "b.yaml": LISTS}, specs=SPECS)


def test_a_round_waits_until_its_budget_is_used_up():
    assert pace().due_at == AT + timedelta(minutes=1)
    assert pace(reads=60).due_at == AT + timedelta(minutes=2)
    assert pace(reads=0).due_at > AT


def test_a_round_that_took_long_leaves_the_platforms_ten_times_as_long():
    assert pace(took=timedelta(minutes=1)).due_at == AT + timedelta(minutes=10)


def test_each_strain_halves_the_reads_down_to_a_bound_and_each_calm_doubles_them_again():
    strained, slowed = [], 1
    for _ in range(8):
        slowed = pace(slowed=slowed, strained=True).slowed
        strained.append(slowed)
    assert strained == [2, 4, 8, 16, 32, 64, 64, 64]
    assert pace(slowed=4, strained=True).due_at == AT + timedelta(minutes=8)
    assert [pace(slowed=each).slowed for each in (64, 4, 2, 1)] == [32, 2, 1, 1]


@pytest.mark.parametrize(
    ("now", "usual", "slower"),
    [
        ([0.03], [0.01] * 5, True),
        ([0.02], [0.01] * 5, False),
        ([0.03], [0.01] * 4, False),
        ([0.004], [0.001] * 9, False),
        ([], [0.01] * 5, False),
        ([0.01, 0.01, 0.9], [0.01] * 5, False),
    ],
)
def test_legacy_is_slow_where_its_median_is_twice_the_usual_one_and_worth_heeding(now, usual, slower):
    assert shadow.is_slower(now, usual) is slower


def test_percentiles_are_values_that_were_measured():
    values = [number / 1000 for number in range(1, 201)]
    assert Latency.of(values) == Latency(200, 0.1, 0.19, 0.198)
    assert Latency.of([0.5]) == Latency(1, 0.5, 0.5, 0.5)
    assert Latency.of([]) is None


def test_what_was_read_bounds_what_would_differ_with_a_stated_confidence():
    assert Tally().statement == "Nothing was compared yet."
    assert Tally(compared=10_000).statement == "99 % confident that fewer than 1 in 2,171 reads differ."
    assert Tally(compared=10, mismatched=10).statement == "The sample is too small to say anything."
    assert (Tally(1000, 1).within_target, Tally(1000, 2).within_target) == (True, False)
    assert (Tally(1, 2, 3, 4, 5, 6) + Tally(1, 1, 1, 1, 1, 1)) == Tally(2, 3, 4, 5, 6, 7)
