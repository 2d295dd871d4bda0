"""A report as its page shows it: figures beside targets, differences explained, and what happens next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from backfills.queries import mapping
from core.charts import Point
from parity_reports.domain import verdict
from parity_reports.domain.differences import ROW_KINDS, Kind
from parity_reports.domain.verdict import Tally, Verdict
from parity_reports.models import EntityResult, InvariantResult, Report
from parity_reports.queries import reports

_TREND = 30
_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside its target, as the kpi component takes it."""

    label: str
    value: str
    target: str
    state: str
    words: str
    trend: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity's line: its counts, its state, and how far it is while it is compared."""

    title: str
    tally: Tally
    state: str
    words: str
    rate: str
    problem: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A named rule of the mapping and the records it concerned."""

    entity: str
    name: str
    number: int
    because: str
    fix: str


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """How the values of a column differ, and how often."""

    entity: str
    column: str
    kind: str
    meaning: str
    number: int | str


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One differing record."""

    entity: str
    record: str
    column: str
    kind: str
    meaning: str
    expected: str
    actual: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything the page of a report shows."""

    row: Report
    headline: str
    state: str
    next_steps: Sequence[str]
    figures: Sequence[Figure]
    chart: Sequence[Point]
    entities: Sequence[Entity]
    left_behind: Sequence[RuleLine]
    held: Sequence[RuleLine]
    columns: Sequence[ColumnLine]
    broken: Sequence[InvariantResult]
    holding: Sequence[InvariantResult]
    samples: Sequence[SampleLine]

    @property
    def is_running(self) -> bool:
        """Whether the page should look again."""
        return self.row.state == Report.State.RUNNING


def of(report: Report) -> Screen:
    """Return a report's page; the number of queries does not grow with what differs."""
    rows = list(report.entities.defer("checksums").order_by("position"))
    invariants = list(report.invariants.order_by("entity", "code"))
    broken = [one for one in invariants if one.outcome != InvariantResult.Outcome.PASS]
    held = _rules(rows, "held")
    return Screen(
        row=report,
        headline=_headline(report),
        state=_STATES.get(report.verdict, "running"),
        next_steps=_next_steps(report, held, broken),
        figures=_figures(report) if report.verdict else (),
        chart=_chart(sum((row.tally for row in rows), Tally())),
        entities=[_entity(row) for row in rows],
        left_behind=_rules(rows, "rules"),
        held=held,
        columns=_columns(rows),
        broken=broken,
        holding=[one for one in invariants if one.outcome == InvariantResult.Outcome.PASS],
        samples=_samples(report),
    )


def trend(*, tenant_id: UUID, zone: tzinfo) -> list[Point]:
    """Return the share of equal records of the latest finished reports, oldest first; gaps where one is incomplete."""
    finished = reports.history(tenant_id=tenant_id).filter(state=Report.State.FINISHED)[:_TREND]
    moments = [(row, row.requested_at.astimezone(zone)) for row in reversed(finished)]
    return [Point(f"{local.day} {local:%b %H:%M}", _share(row)) for row, local in moments]


def share(number: Decimal, *, digits: int = 2) -> str:
    """Say a share in percent, never rounded up to a full 100 nor down to a clean 0."""
    percent = 100 * number
    step = Decimal(1).scaleb(-digits)
    shown = percent.quantize(step)
    if shown == 100 and percent < 100:
        shown = 100 - step
    if shown == 0 and percent > 0:
        return f"<{step} %"
    return f"{shown:f} %"


_STATES: Mapping[str, str] = {Verdict.EQUAL: "pass", Verdict.DIFFERENT: "fail", Verdict.INCOMPLETE: "incomplete"}
_WORDS: Mapping[str, str] = {Verdict.EQUAL: "Equal", Verdict.DIFFERENT: "Different", Verdict.INCOMPLETE: "Incomplete"}


def _share(report: Report) -> float | None:
    if report.verdict == Verdict.INCOMPLETE or not report.compared:
        return None
    exact = 100 * (1 - report.tally.error_rate)
    return float(exact.quantize(Decimal("0.001"), rounding=ROUND_FLOOR))


def _headline(report: Report) -> str:
    tally = report.tally
    match report.verdict:
        case Verdict.EQUAL:
            return f"Both platforms are equal: all {tally.compared:,} records agree in every column."
        case Verdict.DIFFERENT if tally.errors:
            return f"Both platforms differ: {tally.errors:,} of {tally.compared:,} records do not agree."
        case Verdict.DIFFERENT:
            return "Every record agrees, but an invariant does not hold."
        case Verdict.INCOMPLETE:
            return "The comparison is incomplete. What was not read is not called equal."
    return "The comparison is running."


def _next_steps(report: Report, held: Sequence[RuleLine], broken: Sequence[InvariantResult]) -> list[str]:
    match report.verdict:
        case "":
            return []
        case Verdict.EQUAL:
            return ["Nothing is left to do here. The go/no-go asks for a comparison that is less than a day old."]
        case Verdict.INCOMPLETE:
            return [*report.problem.splitlines(), "Run a new comparison once that is settled."]
    steps = list(dict.fromkeys(line.fix for line in held if line.fix))
    if report.different:
        steps.append(
            "Records that differ are moved again from legacy by a new run; the data lead looks at each column."
        )
    if report.missing and not held:
        steps.append("Records that are missing have not moved yet, or were deleted since: run the move again.")
    if report.extra:
        steps.append("Records that only the new platform has were written there, or deleted in legacy since.")
    if broken and not report.tally.errors:
        steps.append("The invariant that fails says what does not add up; the data lead looks into it.")
    return [*steps, "Then run a new comparison."]


def _figures(report: Report) -> list[Figure]:
    tally = report.tally
    rate = verdict.pass_rate(passed=report.invariants_passed, total=report.invariants_total)
    compared = tally.compared > 0
    within = tally.error_rate <= verdict.PARITY_ERROR_TARGET
    holds = rate >= verdict.INVARIANT_TARGET
    incomplete = report.verdict == Verdict.INCOMPLETE
    judged = "incomplete" if incomplete else ""
    return [
        Figure(
            "Records that differ",
            share(tally.error_rate, digits=3) if compared else "",
            "target ≤ 0.1 %",
            judged or ("pass" if within else "fail"),
            "Incomplete" if incomplete else "On target" if within else "Above target",
        ),
        Figure(
            "Invariants that hold",
            share(rate, digits=1) if report.invariants_total else "",
            "target ≥ 99.9 %",
            judged or ("pass" if holds else "fail"),
            f"{report.invariants_passed} of {report.invariants_total}",
        ),
        Figure("Records compared", f"{tally.compared:,}", "", "", ""),
        Figure("Left behind by rule", f"{tally.dropped:,}", "accounted for", "", ""),
    ]


def _chart(tally: Tally) -> list[Point]:
    points = [
        ("Equal", tally.equal),
        ("Different", tally.different),
        ("Missing", tally.missing),
        ("Only new", tally.extra),
        ("Twice", tally.duplicate),
        ("Left behind by rule", tally.dropped),
    ]
    return [Point(label, number) for label, number in points if number] if tally.compared else []


def _entity(row: EntityResult) -> Entity:
    if row.verdict:
        state, words = _STATES[Verdict(row.verdict)], _WORDS[Verdict(row.verdict)]
    elif row.segments is None:
        state, words = "queued", "Waiting"
    else:
        state, words = "running", "Comparing"
    rate = share(row.tally.error_rate, digits=3) if row.compared else "–"
    return Entity(row.title, row.tally, state, words, rate, row.problem, row.segments_done, row.segments_total)


def _rules(rows: Sequence[EntityResult], field: str) -> list[RuleLine]:
    """Return the rules that concerned records; a rule that the mapping no longer has keeps its name only."""
    specs, found = mapping.specs(), []
    for row in rows:
        counted: Mapping[str, int] = getattr(row, field)
        spec = specs.get(row.entity)
        for rule_name, number in sorted(counted.items()):
            rule = spec.rule(rule_name) if spec else None
            because = rule.because if rule else _NOT_ACCEPTED
            found.append(RuleLine(row.title, rule_name.replace("_", " "), number, because, rule.fix if rule else ""))
    return found


_NOT_ACCEPTED = "A value cannot be read, or the new platform does not accept it."


def _columns(rows: Sequence[EntityResult]) -> list[ColumnLine]:
    return [
        ColumnLine(row.title, column.replace("_", " "), kind, Kind(kind).meaning, number)
        for row in rows
        for column, kinds in sorted(row.kinds.items())
        for kind, number in sorted(kinds.items())
        if row.verdict  # before that the counts are not yet redacted
    ]


_WHOLE: Mapping[str, tuple[str, str]] = {
    Kind.MISSING: ("there", "not there"),
    Kind.EXTRA: ("not there", "there"),
    Kind.DUPLICATE: ("–", "–"),
}
"""How a record that differs as a whole stands on both platforms."""


def _samples(report: Report) -> list[SampleLine]:
    return [
        SampleLine(
            entity=row.entity.title,
            record=row.record,
            column=row.column.replace("_", " "),
            kind=row.kind,
            meaning=Kind(row.kind).meaning,
            expected=row.expected or _WHOLE.get(row.kind, ("", ""))[0],
            actual=row.actual or _WHOLE.get(row.kind, ("", ""))[1],
            hidden=row.kind not in ROW_KINDS and not row.expected and not row.actual,
        )
        for row in reports.samples(report)[:_SAMPLES]
    ]
