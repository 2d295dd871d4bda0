"""Invariants in a mapping spec: read with errors that name the line, told in words, judged strictly, and redacted."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backfills.domain import plain
from backfills.domain import spec as specs
from backfills.domain.invariants import Must
from core.comparison import Reckoned
from core.domain.declared import SpecError
from parity_reports.domain import declared
from parity_reports.domain.invariants import Family, Outcome
from parity_reports.domain.redaction import Exposure
from tests.people import INVARIANTS, PEOPLE, ZONES

SPEC = specs.load_set({"people.yaml": PEOPLE + INVARIANTS, "zones.yaml": ZONES})["people"]
ALL_PUBLIC = {column.name: Exposure.PUBLIC for column in SPEC.columns}


def refused(invariants, *, people=PEOPLE):
    with pytest.raises(SpecError) as caught:
        specs.load_set({"people.yaml": f"{people}invariants:\n{invariants}", "zones.yaml": ZONES})
    return str(caught.value)


def test_each_kind_is_read():
    read = {one.name: (one.must, one.reads, one.within) for one in SPEC.invariants}
    assert read == {
        "paying": (Must.COUNT, frozenset({"fee"}), 0),
        "fees": (Must.SUM, frozenset({"active", "fee"}), Decimal("0.5")),
        "zone_known": (Must.EVERY, frozenset({"zone"}), 0),
        "named": (Must.HOLDS, frozenset({"name"}), 0),
        "zone_used": (Must.EVERY, frozenset({"zone"}), 0),
    }


FIRST = PEOPLE.count("\n") + 2
"""The line of the first invariant that is appended."""


@pytest.mark.parametrize(
    ("item", "line", "words"),
    [
        ("  - {name: a, says: A}\n", 0, "say one of count, sum, every, holds"),
        ("  - {name: a, says: A, count: active, holds: active}\n", 0, "say one of"),
        ("  - name: a\n    says: A\n    holds: fee + 1\n", 2, "`holds` is decimal, not a condition"),
        ("  - name: a\n    says: A\n    sum: name\n", 2, "`sum` is text, not a number"),
        ("  - name: a\n    says: A\n    holds: nm == 'x'\n", 2, "unknown name 'nm'"),
        ("  - name: a\n    says: A\n    holds: exists(zone, 'zone')\n", 2, "declares no lookup 'zone'"),
        ("  - name: a\n    says: A\n    holds: active\n    within: 1\n", 3, "`within` belongs to `sum`"),
        ("  - name: a\n    says: A\n    every: zone\n", 0, "`every` needs `has`"),
        ("  - name: a\n    says: A\n    every: nowhere\n    has: zones\n", 2, "no target column 'nowhere'"),
        ("  - name: a\n    says: A\n    every: active\n    has: zones\n", 2, "only texts and whole numbers refer"),
        ("  - name: a\n    says: A\n    every: zone\n    has: planets\n", 0, "no spec declares 'planets'"),
        ("  - name: a\n    says: A\n    every: zone\n    has: {entity: zones, column: colour}\n", 0, "has no 'colour'"),
        ("  - name: a\n    says: A\n    every: id\n    has: zones\n", 0, "no 'code' of the type of id"),
        ("  - {name: a, says: A, holds: active}\n  - name: a\n    says: B\n    holds: active\n", 1, "another one"),
        ("  - {name: a, says: A, holds: active, colour: red}\n", 0, "colour"),
        (f"  - name: a\n    says: {'x' * 161}\n    holds: active\n", 1, "too long"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(item, line, words):
    told = refused(item)
    assert told.startswith(f"people.yaml:{FIRST + line}: ")
    assert words in told


def test_a_mapping_tells_its_invariants_in_words():
    told = dict(plain.tell(SPEC).must_hold)
    assert told["Everybody has a name"] == "of every record it is not so that “name” is an empty text"
    assert told["Every zone is known"] == "every “zone” is one of zones"
    assert told["The fees of the active add up"].endswith(", give or take 0.5")


def judged(sides, *, exposures=ALL_PUBLIC):
    kept = declared.added({}, {name: (Reckoned(*one), Reckoned(*two)) for name, (one, two) in sides.items()})
    return {
        one.code.partition(":")[2]: one
        for one in declared.evaluate(SPEC.invariants, reckoned=kept, exposures=exposures)
    }


FINE = {
    "paying": ((9, 0, "4"), (9, 0, "4")),
    "fees": ((9, 0, "100.25"), (9, 0, "100.75")),
    "zone_known": ((9, 0), (8, 0)),
    "named": ((9, 0), (9, 0)),
    "zone_used": ((9, 0), (9, 0)),
}


def test_all_hold_where_nothing_breaks_them():
    found = judged(FINE)
    assert {one.outcome for one in found.values()} == {Outcome.HOLDS}
    assert {name: one.family for name, one in found.items()} == {
        "paying": Family.COUNT, "fees": Family.SUM, "zone_known": Family.REFERENCE, "named": Family.RULE,
        "zone_used": Family.REFERENCE,
    }  # fmt: skip
    assert (found["named"].checked, found["named"].rate) == (9, "100 %")
    assert (found["fees"].expected, found["fees"].actual) == ("100.25", "100.75")


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("paying", ((9, 0, "4"), (9, 0, "5"))),
        ("paying", ((9, 0, "4"), (9, 1, "4"))),
        ("fees", ((9, 0, "100"), (9, 0, "100.51"))),
        ("zone_known", ((9, 0), (9, 1))),
        ("named", ((9, 1), (9, 0))),
        ("named", ((9, 0), (9, 1))),
    ],
)
def test_what_one_side_breaks_does_not_hold(name, sides):
    found = judged({**FINE, name: sides})
    assert [broken for broken, one in found.items() if one.outcome is Outcome.BROKEN] == [name]


def test_what_was_never_asked_is_unknown_and_not_held():
    assert judged({})["named"].outcome is Outcome.UNKNOWN


def test_the_pass_rate_is_that_of_the_worse_side_and_never_rounded_up():
    found = judged({**FINE, "named": ((1_000_000, 0), (1_000_000, 1))})
    assert found["named"].rate == "99.999 %"
    assert judged({**FINE, "named": ((1000, 3), (1000, 1))})["named"].rate == "99.700 %"


def test_segments_add_up_exactly():
    some = {"fees": (Reckoned(1, 0, "0.1"), Reckoned(2, 1, "1e30"))}
    twice = declared.added(declared.added({}, some), some)
    assert twice["fees"][0] == [2, 0, "0.2"]
    assert (twice["fees"][1][:2], Decimal(twice["fees"][1][2])) == ([4, 2], Decimal("2e30"))


SMALL = st.integers(1, 4)


@given(SMALL, SMALL, st.integers(5, 10**6))
def test_of_a_restricted_column_small_counts_cannot_be_told_apart_by_any_figure(one, two, rows):
    closed = {**ALL_PUBLIC, "name": Exposure.INTERNAL, "fee": Exposure.INTERNAL}

    def shown(number):
        found = judged(
            {
                "named": ((rows, number), (rows, number)),
                "paying": ((rows, 0, str(number)), (rows, 0, str(number))),
                "fees": ((rows, 0, str(number)), (rows, 0, str(number))),
            },
            exposures=closed,
        )
        return {name: (one.expected, one.actual, one.rate, one.outcome) for name, one in found.items()}

    assert shown(one) == shown(two)
    assert shown(one)["named"][:2] == ("<5", "<5")
    assert shown(one)["fees"][:2] == ("", "")
