"""A report as its page shows it: figures beside targets, differences explained, and what happens next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backfills.queries import mapping
from core.charts import Point
from parity_reports.domain import headlines, sampling, verdict
from parity_reports.domain.ladder import Method
from parity_reports.domain.verdict import Tally, Verdict, share
from parity_reports.models import EntityResult, InvariantResult, Report
from parity_reports.queries.screens import differences
from parity_reports.queries.screens.differences import ColumnLine, ExampleLine, SampleLine


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
    spec: str
    tally: Tally
    state: str
    words: str
    rate: str
    problem: str
    done: int
    total: int | None
    way: str = ""
    """Why it was compared in this way, and of a sample what it says."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A named rule of the mapping and the records it concerned."""

    entity: str
    name: str
    number: int
    because: str
    fix: str


@dataclass(frozen=True, slots=True)
class InvariantLine:
    """One invariant: what legacy and the new platform say, the share of records that pass, and what happens next."""

    title: str
    outcome: str
    expected: str
    actual: str
    rate: str
    next_step: str


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
    examples: Sequence[ExampleLine]
    columns: Sequence[ColumnLine]
    broken: Sequence[InvariantLine]
    holding: Sequence[InvariantLine]
    samples: Sequence[SampleLine]
    method: str = ""
    """What kind of comparison it is and what it is good for, where it is no full one."""

    @property
    def by_entity(self) -> str:
        """What the table of entities is called."""
        return headlines.BY_ENTITY.get(self.row.method, "By entity")

    @property
    def is_running(self) -> bool:
        """Whether the page should look again."""
        return self.row.state == Report.State.RUNNING


def of(report: Report) -> Screen:
    """Return a report's page; the number of queries does not grow with what differs."""
    rows = list(report.entities.defer("checksums", "differing").order_by("position"))
    invariants = [_invariant(one) for one in report.invariants.order_by("entity", "code")]
    broken = [one for one in invariants if one.outcome != InvariantResult.Outcome.PASS]
    held = _rules(rows, "held")
    return Screen(
        row=report,
        headline=headlines.headline(report.verdict, method=report.method, tally=report.tally, samples=_sampled(rows)),
        state=_STATES.get(report.verdict, "running"),
        next_steps=_next_steps(report, held, broken),
        figures=_figures(report, _sampled(rows)) if report.verdict else (),
        chart=_chart(sum((row.tally for row in rows), Tally())),
        entities=[_entity(row) for row in rows],
        left_behind=_rules(rows, "rules"),
        held=held,
        examples=differences.smallest(rows),
        columns=differences.columns(rows),
        broken=broken,
        holding=[one for one in invariants if one.outcome == InvariantResult.Outcome.PASS],
        samples=differences.samples(report),
        method=headlines.METHODS.get(report.method, ""),
    )


_STATES: Mapping[str, str] = {
    Verdict.EQUAL: "pass",
    Verdict.DIFFERENT: "fail",
    Verdict.INCOMPLETE: "incomplete",
    Verdict.SAMPLED: "warn",
}
_WORDS: Mapping[str, str] = {
    Verdict.EQUAL: "Equal",
    Verdict.DIFFERENT: "Different",
    Verdict.INCOMPLETE: "Incomplete",
    Verdict.SAMPLED: "Sampled",
}


def _sampled(rows: Sequence[EntityResult]) -> list[tuple[int, int]]:
    """Return (errors, compared) of each entity of which a sample was compared."""
    return [(row.tally.errors, row.tally.compared) for row in rows if row.fewer_than_one_in is not None]


def _next_steps(report: Report, held: Sequence[RuleLine], broken: Sequence[InvariantLine]) -> list[str]:
    match report.verdict:
        case "":
            return []
        case Verdict.EQUAL:
            if report.method != Method.FULL:
                return []
            return ["Nothing is left to do here. The go/no-go asks for a comparison that is less than a day old."]
        case Verdict.SAMPLED:
            return []
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


def _figures(report: Report, samples: Sequence[tuple[int, int]]) -> list[Figure]:
    tally = report.tally
    rate = verdict.pass_rate(passed=report.invariants_passed, total=report.invariants_total)
    holds = rate >= verdict.INVARIANT_TARGET
    incomplete = report.verdict == Verdict.INCOMPLETE
    judged = "incomplete" if incomplete else ""
    return [
        Figure(*headlines.differing(tally, incomplete=incomplete, samples=samples)),
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
        ("Kept under a hold", tally.on_hold),
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
    done, total, way = row.segments_done, row.segments_total, row.because
    if row.fewer_than_one_in is not None:
        way = f"{way} {sampling.statement(row.fewer_than_one_in)}"
    return Entity(row.title, row.spec, row.tally, state, words, rate, row.problem, done, total, way)


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


def _invariant(row: InvariantResult) -> InvariantLine:
    of_each = row.checked is not None
    expected, actual = (f"{shown} break it" if of_each else shown for shown in (row.expected, row.actual))
    next_step = ""
    if row.outcome == InvariantResult.Outcome.FAIL and row.code.startswith("declared:"):
        next_step = _SETTLE_FIGURES if not of_each else _SETTLE_NEW if row.expected == "0" else _SETTLE_LEGACY
    return InvariantLine(row.title, row.outcome, expected, actual, row.rate, next_step)


_SETTLE_LEGACY = "Legacy breaks it too: put the records right there, then move them again."
_SETTLE_NEW = (
    "Only the new platform breaks it: a new run moves the records again; the data lead looks at what still does."
)
_SETTLE_FIGURES = "Records that differ or are missing explain it: settle those, then compare again."
