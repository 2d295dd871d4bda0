"""Differences are counted exactly, sampled sparingly and redacted at once; invariants show no restricted magnitude."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.comparison import ColumnDifference, Difference, Findings, Measures
from parity_reports.domain import collecting, invariants
from parity_reports.domain.collecting import SAMPLES_PER_KIND, Collector
from parity_reports.domain.gate import Family, passage
from parity_reports.domain.invariants import Outcome
from parity_reports.domain.redaction import Exposure
from parity_reports.domain.verdict import Tally

CANARY = "canary-9e1d"
EXPOSURES = {"open": Exposure.PUBLIC, "closed": Exposure.INTERNAL}

columns = st.lists(
    st.builds(
        ColumnDifference,
        st.sampled_from(["open", "closed", "undeclared"]),
        st.none() | st.text(max_size=5).map(lambda text: CANARY + text),
        st.none() | st.text(max_size=5).map(lambda text: text + CANARY),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda column: column.column,
)
differences = st.one_of(
    st.builds(Difference, st.text(), st.sampled_from(["missing", "extra", "duplicate"])),
    st.builds(Difference, st.text(), st.just("different"), columns.map(tuple)),
)


def collect(found):
    collector = Collector("people", EXPOSURES, b"secret")
    for difference in found:
        collector.add(difference)
    return collector


@given(st.lists(differences, max_size=40))
def test_every_record_counts_once_and_every_column_once(found):
    collector = collect(found)
    tally = collector.tally(Findings(expected=40, actual=40, compared=80))
    assert tally.errors == len(found)
    assert sum(collector.kinds.values()) == sum(len(difference.columns) for difference in found)


@given(st.lists(differences, max_size=40))
def test_only_public_columns_keep_values_and_no_sample_keeps_a_key(found):
    collector = collect([Difference(CANARY + one.key, one.kind, one.columns) for one in found])
    for sample in collector.samples:
        assert CANARY not in sample.record
        if sample.column != "open":
            assert (sample.expected, sample.actual) == ("", "")


def test_samples_are_few_and_earlier_segments_count():
    many = [Difference(str(number), "missing") for number in range(100)]
    first = collect(many)
    assert len(first.samples) == SAMPLES_PER_KIND
    second = Collector("people", EXPOSURES, b"secret", kept=first.kept)
    for difference in many:
        second.add(difference)
    assert second.samples == []


def test_samples_of_a_restricted_column_do_not_count_what_the_report_blurs():
    column = {name: (ColumnDifference(name, "A", "a"),) for name in ("open", "closed")}
    found = collect(Difference(f"{name}{n}", "different", column[name]) for name in column for n in range(3))
    assert [sample.column for sample in found.samples] == ["open"] * 3 + ["closed"]


def test_the_rules_that_hold_records_back_are_counted():
    collector = collect([Difference(str(n), "missing", because="contested") for n in range(3)])
    assert collector.held == {"contested": 3}


def test_small_counts_of_restricted_columns_are_blurred():
    kinds = {"open": {"case": 2}, "closed": {"case": 2, "null": 7}, "undeclared": {"value": 1}}
    assert collecting.redacted_kinds(kinds, EXPOSURES) == {
        "open": {"case": 2},
        "closed": {"case": "<5", "null": 7},
        "undeclared": {"value": "<5"},
    }


def evaluate(**changed):
    wanted = {
        "title": "People",
        "tally": Tally(expected=10, actual=10, compared=10, dropped=2),
        "measures": Measures(legacy_rows=11, new_rows=10, repeated=0, orphans={"zone": 0}),
        "supplied": 1,
        "sums": {"open": ("10.50", "10.5"), "closed": ("7", "7")},
        "exposures": EXPOSURES,
    }
    return {one.code: one for one in invariants.evaluate(**{**wanted, **changed})}


def test_all_invariants_hold_of_what_is_whole():
    assert {one.outcome for one in evaluate().values()} == {Outcome.HOLDS}


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("source", {"supplied": 0}),
        ("records", {"measures": Measures(11, 9, 0, {"zone": 0})}),
        ("unique", {"measures": Measures(11, 10, 1, {"zone": 0})}),
        ("reference:zone", {"measures": Measures(11, 10, 0, {"zone": 3})}),
        ("sum:open", {"sums": {"open": ("10.5", "10.6")}}),
        ("sum:closed", {"sums": {"closed": ("7", "8")}}),
    ],
)
def test_each_invariant_breaks_by_itself(code, changed):
    assert [one.code for one in evaluate(**changed).values() if one.outcome is not Outcome.HOLDS] == [code]


def test_the_figures_of_restricted_columns_are_not_shown():
    broken = evaluate(sums={"closed": ("7", "8")}, measures=Measures(11, 10, 0, {"closed": 3}))
    assert (broken["sum:closed"].expected, broken["sum:closed"].actual) == ("", "")
    assert broken["reference:closed"].actual == "<5"


numbers = st.decimals(allow_nan=False, allow_infinity=False, places=15, min_value=-(10**22), max_value=10**22)


@given(st.lists(numbers, max_size=5))
def test_sums_of_segments_add_up_exactly_however_long_they_are(parts):
    total: dict[str, tuple[str, str]] = {}
    for part in parts:
        total = invariants.added(total, {"open": (str(part), str(part.copy_negate()))})
    if parts:
        with localcontext(prec=200):
            assert Decimal(total["open"][0]) == sum(parts) == -Decimal(total["open"][1])


@pytest.mark.parametrize(
    ("declared", "family", "native"),
    [
        ("integer", Family.INTEGER, True),
        ("numeric(38,10)", Family.NUMERIC, True),
        ("numeric(39,10)", Family.NUMERIC, False),
        ("numeric(5,-2)", Family.NUMERIC, False),
        ("numeric", Family.NUMERIC, False),
        ("character varying(20)", Family.TEXT, True),
        ("character(3)", Family.OTHER, False),
        ("timestamp(3) with time zone", Family.TIMESTAMPTZ, True),
        ("time with time zone", Family.OTHER, False),
        ("interval", Family.OTHER, False),
        ("money", Family.OTHER, False),
        ("bit(3)", Family.OTHER, False),
        ("integer[]", Family.OTHER, False),
        ("platform.flight_status", Family.OTHER, False),
        ("jsonb", Family.JSON, False),
    ],
)
def test_the_gate_lets_a_closed_list_through_and_sends_the_rest_as_text(declared, family, native):
    found = passage(declared)
    assert (found.family, found.native) == (family, native)


@given(st.text(max_size=30))
def test_a_type_nobody_listed_goes_as_text(declared):
    assert not passage(f"other.{declared}").native
