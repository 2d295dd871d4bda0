"""Collecting the differences of a segment: counted exactly, sampled sparingly, redacted at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.comparison import Difference, Findings
from parity_reports.domain import redaction
from parity_reports.domain.differences import Kind, classify
from parity_reports.domain.examples import Candidate
from parity_reports.domain.redaction import Exposure
from parity_reports.domain.verdict import Tally

SAMPLES_PER_KIND = 5
"""Samples of one column and kind that a report keeps per entity."""

SAMPLES_OF_RESTRICTED = 1
"""Of a column that is not public: more would tell how many there are where the report says “<5”."""

NAMES = 20_000
"""Differing records of an entity whose names a report keeps. Of an entity with more, drift cannot be told."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One difference as the customer may see it."""

    record: str
    kind: Kind
    column: str
    exposure: Exposure
    expected: str
    actual: str


@dataclass(slots=True)
class Collector:
    """Takes the differences of one segment, one by one; raw values and keys go no further than this.

    `exposures` says per column what may be shown, `secret` keys the records' names, `kept` counts the samples
    that earlier segments left, per (column, kind).
    """

    entity: str
    exposures: Mapping[str, Exposure]
    secret: bytes
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, Kind]] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    samples: list[SampleRow] = field(default_factory=list)
    smallest: dict[Kind, Candidate] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    """Of the differing records, at most one more than `NAMES`."""

    def add(self, difference: Difference) -> None:
        """Take one differing record."""
        self.rows[difference.kind] += 1
        if len(self.names) <= NAMES:
            self.names.append(redaction.pseudonym(secret=self.secret, entity=self.entity, key=difference.key))
        if difference.because:
            self.held[difference.because] += 1
        if difference.kind != "different":
            self._take(difference.key, Kind(difference.kind), "", Exposure.INTERNAL, None, None)
        for column in difference.columns:
            kind = classify(column.expected, column.actual)
            self.kinds[column.column, kind] += 1
            exposure = self.exposures.get(column.column, Exposure.INTERNAL)
            self._take(difference.key, kind, column.column, exposure, column.expected, column.actual)

    def tally(self, findings: Findings) -> Tally:
        """Return the segment's counts."""
        return Tally(
            expected=findings.expected,
            actual=findings.actual,
            compared=findings.compared,
            missing=self.rows["missing"],
            extra=self.rows["extra"],
            different=self.rows["different"],
            duplicate=self.rows["duplicate"],
            dropped=sum(findings.dropped.values()),
            on_hold=findings.on_hold,
        )

    def _take(
        self, key: str, kind: Kind, column: str, exposure: Exposure, expected: str | None, actual: str | None
    ) -> None:
        room = SAMPLES_OF_RESTRICTED if column and exposure is not Exposure.PUBLIC else SAMPLES_PER_KIND
        best, enough = self.smallest.get(kind), self.kept[column, kind.value] >= room
        if (
            enough
            and best is not None
            and best.beats(column=column, exposure=exposure, expected=expected, actual=actual)
        ):
            return  # so it is with most of many differences
        record = redaction.pseudonym(secret=self.secret, entity=self.entity, key=key)
        candidate = Candidate.of(record=record, column=column, exposure=exposure, expected=expected, actual=actual)
        self.smallest[kind] = candidate if best is None else min(best, candidate, key=lambda one: one.rank)
        if enough:
            return
        self.kept[column, kind.value] += 1
        # A whole record has no values of its own to show.
        shown = redaction.values(exposure if column else Exposure.INTERNAL, expected=expected, actual=actual)
        self.samples.append(SampleRow(record, kind, column, exposure, shown.expected, shown.actual))


def named(before: Sequence[str] | None, more: Sequence[str]) -> list[str] | None:
    """Return the names of all segments together; None where they are too many to keep."""
    if before is None or len(before) + len(more) > NAMES:
        return None
    return [*before, *more]


def redacted_kinds(
    kinds: Mapping[str, Mapping[str, int]], exposures: Mapping[str, Exposure]
) -> dict[str, dict[str, int | str]]:
    """Return counts per column and kind as they may be shown."""
    return {
        column: {
            kind: redaction.count(exposures.get(column, Exposure.INTERNAL), number) for kind, number in counted.items()
        }
        for column, counted in kinds.items()
    }
