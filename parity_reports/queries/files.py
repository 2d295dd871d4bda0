"""A finished report as bytes for download."""

import hashlib
import io
from collections.abc import Iterator

from defusedcsv import csv

from core.errors import UseCaseError
from parity_reports.models import Report
from parity_reports.queries import reports

HEADER = ("run", "sha256", "verdict", "section", "entity", "item", "kind", "expected", "actual")
_BOM = "\ufeff"
"""So that spreadsheets read UTF-8."""


class UnableToExport(UseCaseError):
    """The report is not what was sealed."""


def name(slug: str, report: Report, ending: str) -> str:
    """Return the name that a report's file is downloaded under."""
    return f"parity-{slug}-{report.run}.{ending}"


def sealed(report: Report) -> bytes:
    """Return the report's canonical JSON. Raises UnableToExport when it no longer matches its digest."""
    evidence = reports.evidence(report)
    if hashlib.sha256(evidence).hexdigest() != report.sha256:
        raise UnableToExport(
            "The stored report no longer matches its digest: it was changed after it was sealed.",
            fix="Do not rely on it; run a new comparison and tell your contact.",
        )
    return evidence


def table(report: Report) -> bytes:
    """Return the report as CSV (formulas defused): counts, rules, invariants and samples, one line each."""
    sealed(report)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for line in _lines(report):
        writer.writerow((report.pk, report.sha256, report.verdict, *line))
    return (_BOM + text.getvalue()).encode()


def _lines(report: Report) -> Iterator[tuple[object, ...]]:
    for entity in report.entities.order_by("position"):
        tally = entity.tally
        yield "entity", entity.entity, "records", entity.verdict, tally.expected, tally.actual
        for kind in ("missing", "extra", "different", "duplicate"):
            yield "entity", entity.entity, "differences", kind, 0, getattr(tally, kind)
        for rule, number in entity.rules.items():
            yield "rule", entity.entity, rule, "left behind", "", number
        for rule, number in entity.held.items():
            yield "rule", entity.entity, rule, "in quarantine", "", number
        for column, kinds in entity.kinds.items():
            for kind, number in kinds.items():
                yield "column", entity.entity, column, kind, 0, number
    for row in report.invariants.order_by("entity", "code"):
        yield "invariant", row.entity, row.title, row.outcome, row.expected, row.actual
    for sample in reports.samples(report):
        item = f"{sample.record} {sample.column}".strip()
        yield "sample", sample.entity.entity, item, sample.kind, sample.expected, sample.actual
