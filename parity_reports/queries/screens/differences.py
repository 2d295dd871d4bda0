"""What differs, as a report shows it: by column, by the smallest example of each kind, and record by record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parity_reports.domain import examples
from parity_reports.domain.differences import ROW_KINDS, Kind
from parity_reports.models import EntityResult, Report
from parity_reports.queries import reports

_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """How the values of a column differ, and how often."""

    entity: str
    column: str
    kind: str
    meaning: str
    number: int | str


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """The smallest case of a kind of difference, and what happens next with all of that kind."""

    kind: str
    meaning: str
    next_step: str
    entity: str
    record: str
    column: str
    expected: str
    actual: str
    made_up: bool


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One differing record, as the table of differing records takes it."""

    entity: str
    name: str
    """The code that it has in all reports."""
    column: str
    kind: str
    differs: str
    expected: str
    actual: str
    hidden: bool
    is_code: bool = True


def columns(rows: Sequence[EntityResult]) -> list[ColumnLine]:
    """Return how often the values of each column differ, and how."""
    return [
        ColumnLine(row.title, column.replace("_", " "), kind, Kind(kind).meaning, number)
        for row in rows
        for column, kinds in sorted(row.kinds.items())
        for kind, number in sorted(kinds.items())
        if row.verdict  # before that the counts are not yet redacted
    ]


def smallest(rows: Sequence[EntityResult]) -> list[ExampleLine]:
    """Return one example per kind, the smallest of all entities."""
    lines = []
    for kind in Kind:
        found = [(examples.read(row.examples[kind]), row.title) for row in rows if row.verdict and kind in row.examples]
        if found:
            one, entity = min(found, key=lambda pair: pair[0].rank)
            there, gone = _WHOLE.get(kind, (one.expected, one.actual)) if kind is not Kind.DUPLICATE else ("", "")
            column = one.column.replace("_", " ")
            lines.append(
                ExampleLine(
                    kind, kind.meaning, kind.next_step, entity, one.record, column, there, gone, made_up=one.made_up
                )
            )
    return lines


_WHOLE: Mapping[str, tuple[str, str]] = {
    Kind.MISSING: ("there", "not there"),
    Kind.EXTRA: ("not there", "there"),
    Kind.DUPLICATE: ("–", "–"),
}
"""How a record that differs as a whole stands on both platforms."""


def samples(report: Report) -> list[SampleLine]:
    """Return some of the records that differ."""
    return [
        SampleLine(
            entity=row.entity.title,
            name=row.record,
            column=row.column.replace("_", " "),
            kind=row.kind,
            differs=Kind(row.kind).meaning,
            expected=row.expected or _WHOLE.get(row.kind, ("", ""))[0],
            actual=row.actual or _WHOLE.get(row.kind, ("", ""))[1],
            hidden=row.kind not in ROW_KINDS and not row.expected and not row.actual,
        )
        for row in reports.samples(report)[:_SAMPLES]
    ]
