"""A finished report as bytes for download: its sealed JSON, and the tables that are made from those bytes."""

import hashlib
import json
from collections.abc import Iterator

from core.errors import UseCaseError
from parity_reports.domain import tables
from parity_reports.models import Report
from parity_reports.queries import reports

HEADER = tables.FLAT


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


def lines(report: Report) -> Iterator[tables.Line]:
    """Return the report as one flat table: counts, rules, invariants and samples, one line each."""
    return tables.flat(json.loads(sealed(report)), sha256=report.sha256)


def sheets(report: Report) -> list[tables.Sheet]:
    """Return the report as the sheets of a workbook."""
    return tables.sheets(json.loads(sealed(report)), sha256=report.sha256)
