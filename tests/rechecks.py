"""A re-check held against the full comparison of the same records."""

import dataclasses
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from core.comparison import Segment
from tests import things
from tests.people import fill
from tests.things import legacy_thing, new_thing, plan


def told(findings, found):
    """Everything a report is made of; sums are numbers, however they are written."""
    sums = {column: tuple(map(Decimal, both)) for column, both in findings.sums.items()}
    return dataclasses.replace(findings, sums=sums, exact=True), sorted(found, key=lambda one: (one.key, one.kind))


def recheck(comparison, asked=None):
    found = []
    return comparison.recheck(asked or plan(), report=found.append), found


def agreed(comparison, pair, legacy, new, asked=None):
    """Let both compare; return what they agree on, and whether the re-check read everything."""
    asked = asked or plan()
    fill(pair.legacy_owner, {asked.spec.source_table: legacy})
    fill(pair.new_owner, {asked.spec.target_table: new})
    found = []
    full = told(comparison.compare(asked, segment=Segment(), report=found.append), found)
    findings, found = recheck(comparison, asked)
    assert told(findings, found) == full
    return full[1], findings.exact


def kinds(found):
    return [(one.key, one.kind) for one in found]


names = st.none() | st.sampled_from(["", "Ann", "ann", " Ann", "é", "e\u0301", "NULL", "N", "|", "a\tb"])
legacy_values = st.fixed_dictionaries(
    {
        "nm": names,
        "qty": st.none() | st.sampled_from(["7", "+07", "-1", "x", "", "999999999", "1234567890"]),
        "fee": st.none() | st.sampled_from(["1.5", "1.500", "0", "-0", "NaN", "9999999999.99", "0.000000000000001"]),
        "flag": st.sampled_from(["Y", "N", None, "?"]),
        "day": st.sampled_from(["20130701", "20130310", "20131103", "20130230", None, "x"]),
        "clock": st.sampled_from(["0930", "0230", "0130", "2400", "2500", None]),
        "ref": st.sampled_from([things.REFERENCE, things.REFERENCE.upper(), "x", None]),
        "state": st.sampled_from([None, None, None, "A", "Q"]),
    }
)
new_values = st.fixed_dictionaries(
    {},
    optional={
        "name": names,
        "quantity": st.sampled_from([7, -1, None, 999_999_999]),
        "fee": st.sampled_from([Decimal("150.00"), Decimal(0), None, Decimal("NaN"), Decimal("0.01")]),
        "active": st.sampled_from([True, False, None]),
        "on_day": st.sampled_from(["2013-07-01", None, "infinity"]),
        "begins_at": st.sampled_from(["2013-07-01 13:30+00", "2013-07-01 13:30:00.000001+00", None, "-infinity"]),
        "reference": st.sampled_from([things.REFERENCE, None]),
        "nothing": st.sampled_from([None, ""]),
    },
)


@st.composite
def platforms(draw):
    """Draw what both platforms hold: a few records, whose keys may stand twice."""
    keys = st.lists(st.integers(1, 9), max_size=8)
    legacy = [legacy_thing(key, **draw(legacy_values | st.just({}))) for key in draw(keys)]
    return legacy, [new_thing(key, **draw(new_values | st.just({}))) for key in draw(keys)]


def some(examples):
    return settings(
        max_examples=examples, deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )  # fmt: skip
