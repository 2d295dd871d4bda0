"""Why a record drifted: what the facts settle, and what stays unknown because a wrong reason would hide a loss."""

from datetime import UTC, datetime, timedelta

import pytest

from core.comparison import ColumnDifference, Difference
from parity_reports.domain import drift
from parity_reports.domain.differences import Kind
from parity_reports.domain.drift import Cause, Collector, Facts, Found, Source

HOUR = timedelta(hours=1)
AT = datetime(2026, 11, 26, 12, tzinfo=UTC)


def facts(kind="different", *, moved=True, source=Source.SAME, offsets=(None,), **more):
    return Facts(Found("1", "a" * 16, kind, offsets=offsets), moved=moved, source=source, **more)


def causes(*given, mapping_changed=False, new_is_home=False):
    return drift.causes(given, mapping_changed=mapping_changed, new_is_home=new_is_home)


@pytest.mark.parametrize(
    "late",
    [
        facts(source=Source.CHANGED),
        facts("extra", source=Source.GONE),
        facts("extra", source=Source.CHANGED),
        facts("missing", moved=False, source=Source.UNKNOWN),
    ],
    ids=["changed", "deleted", "no longer promised", "new"],
)
def test_what_legacy_changed_after_the_move_is_a_late_write(late):
    assert causes(late) == [Cause.LATE_WRITE]


@pytest.mark.parametrize(
    "odd",
    [
        facts(),
        facts("missing"),
        facts("missing", source=Source.CHANGED),
        facts("extra", moved=False, source=Source.UNKNOWN),
        facts("duplicate", source=Source.CHANGED),
        facts(source=Source.UNKNOWN),
    ],
    ids=["changed there", "deleted there", "deleted there and changed here", "made there", "twice", "nobody knows"],
)
def test_what_no_fact_settles_is_unknown(odd):
    assert causes(odd) == [Cause.UNKNOWN]


def test_once_people_work_on_the_new_platform_its_changes_are_theirs():
    assert causes(facts(), facts("missing"), facts("extra", moved=False), new_is_home=True) == [Cause.NEW_WRITE] * 3
    assert causes(facts(source=Source.CHANGED), new_is_home=True) == [Cause.LATE_WRITE]
    assert causes(facts(source=Source.UNKNOWN), new_is_home=True) == [Cause.UNKNOWN]


def test_a_clock_is_blamed_where_times_alone_are_off_by_one_span_often_enough():
    assert causes(*[facts(offsets=(HOUR,))] * 3) == [Cause.CLOCK] * 3
    assert causes(facts(offsets=(HOUR, HOUR)), facts(offsets=(HOUR,))) == [Cause.CLOCK] * 2
    assert causes(*[facts(offsets=(HOUR,))] * 2) == [Cause.UNKNOWN] * 2, "two may be somebody's edits"
    assert causes(*[facts(offsets=(HOUR,))] * 3, facts(offsets=(-HOUR,))) == [Cause.UNKNOWN] * 4
    mixed = causes(*[facts(offsets=(HOUR,))] * 3, facts(offsets=(HOUR, None)))
    assert mixed == [*[Cause.CLOCK] * 3, Cause.UNKNOWN]


def test_a_changed_mapping_is_blamed_only_where_it_accounts_for_all_that_is_left():
    former = facts(by_former_mapping=True)
    assert causes(former, former, mapping_changed=True) == [Cause.RULE] * 2
    assert causes(former, facts(source=Source.CHANGED), mapping_changed=True) == [Cause.RULE, Cause.LATE_WRITE]
    assert causes(former, facts(), mapping_changed=True) == [Cause.UNKNOWN] * 2
    assert causes(former) == [Cause.UNKNOWN], "the mapping is the one that parity was shown by"


def test_a_record_that_was_never_promised_is_a_rules_where_the_mapping_changed():
    new = facts("missing", moved=False, by_former_mapping=True)
    assert causes(new, mapping_changed=True) == [Cause.RULE]


def collector(**options):
    return Collector(entity="people", secret=b"s", times={"begins_at"}, **{"known": (), **options})


def test_records_that_the_comparison_told_of_are_no_drift():
    first, second = (Difference(str(number), "missing") for number in (1, 2))
    taken = collector()
    taken.add(first)
    again = collector(known={taken.found[0].record})
    again.add(first)
    again.add(second)
    assert (again.total, [one.key for one in again.found]) == (1, ["2"])


def test_values_become_kinds_and_times_become_spans():
    taken = collector()
    taken.add(
        Difference(
            "1",
            "different",
            (
                ColumnDifference("begins_at", "2013-07-01 13:30:00+00", "2013-07-01 14:30:00+00"),
                ColumnDifference("name", "Ann", "ANN"),
            ),
        )
    )
    (found,) = taken.found
    assert found.columns == {"begins_at": Kind.VALUE, "name": Kind.CASE}
    assert found.offsets == (HOUR, None)


@pytest.mark.parametrize("value", [None, "infinity", "294276-12-31 00:00:00+00", "0001-01-01 00:00:00 BC"])
def test_a_moment_that_cannot_be_read_has_no_span(value):
    taken = collector()
    taken.add(Difference("1", "different", (ColumnDifference("begins_at", "2013-07-01 13:30:00+00", value),)))
    assert taken.found[0].offsets == (None,)


def test_beyond_a_bound_records_are_counted_alone(monkeypatch):
    monkeypatch.setattr(drift, "CLASSIFIED", 2)
    taken = collector()
    for number in range(5):
        taken.add(Difference(str(number), "missing"))
    assert (taken.total, len(taken.found)) == (5, 2)


def test_what_is_kept_one_by_one_is_first_what_nobody_explains():
    items = [("a", Cause.RULE), ("b", Cause.UNKNOWN), ("c", Cause.LATE_WRITE)]
    kept = drift.listed(items, cause=lambda item: item[1], room=2)
    assert [name for name, _ in kept] == ["b", "a"]
    assert drift.listed(items, cause=lambda item: item[1], room=-1) == []


def test_unexplained_is_overdue_after_half_an_hour():
    assert not drift.is_overdue(None, at=AT)
    assert not drift.is_overdue(AT - timedelta(minutes=30), at=AT)
    assert drift.is_overdue(AT - timedelta(minutes=30, seconds=1), at=AT)
