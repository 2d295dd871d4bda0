"""Parity reports, for screens, files and other apps."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from core.evidence import packs
from parity_reports.domain.ladder import Engine, Last, Method
from parity_reports.domain.sampling import CONFIDENCE
from parity_reports.domain.verdict import Verdict
from parity_reports.models import EntityResult, InvariantResult, Report, Sample

FORMAT = "crossing-parity/1"

_MEASURABLE = 100_000
"""Records from which a report's time says how fast records are read."""


def history(*, tenant_id: UUID) -> QuerySet[Report]:
    """Return the tenant's reports, newest first."""
    return Report.objects.filter(tenant_id=tenant_id).order_by("-requested_at")


def find(*, tenant_id: UUID, report_id: UUID) -> Report | None:
    """Return a report of the tenant."""
    return Report.objects.filter(tenant_id=tenant_id, pk=report_id).first()


def latest(*, tenant_id: UUID) -> Report | None:
    """Return the newest finished report that is evidence: a full comparison, neither one by checksums nor a sample."""
    return history(tenant_id=tenant_id).filter(state=Report.State.FINISHED, method=Method.FULL).first()


def latest_whole(*, tenant_id: UUID) -> Report | None:
    """Return the newest finished full comparison that came to its end: one that did not says nothing anew."""
    finished = history(tenant_id=tenant_id).filter(state=Report.State.FINISHED, method=Method.FULL)
    return finished.exclude(verdict=Verdict.INCOMPLETE).first()


def latest_glance(*, tenant_id: UUID) -> Report | None:
    """Return the newest finished comparison by checksums or of a sample."""
    return history(tenant_id=tenant_id).filter(state=Report.State.FINISHED).exclude(method=Method.FULL).first()


def last(*, tenant_id: UUID, entity: str) -> Last | None:
    """Return how an entity stood in the last full comparison, if that was wholly made."""
    rows = (
        EntityResult.objects.filter(tenant_id=tenant_id, entity=entity, report__state=Report.State.FINISHED)
        .filter(report__method=Method.FULL)
        .select_related("report")
        .order_by("-report__requested_at")
    )
    row = rows.first()
    if row is None or row.verdict not in (Verdict.EQUAL, Verdict.DIFFERENT):
        return None
    if row.engine == Engine.CLUSTER:
        # How fast a cluster was says nothing of one machine; how fast that was sent it to the cluster.
        alone = rows.exclude(engine=Engine.CLUSTER).first()
        return Last(row.tally.error_rate, _speed(alone.report) if alone else None)
    return Last(row.tally.error_rate, _speed(row.report))


def _speed(report: Report) -> float | None:
    """Return how many records a second a report compared, where it was long enough to tell."""
    if report.compared < _MEASURABLE or not report.finished_at:
        return None
    return report.compared / max(1.0, (report.finished_at - report.requested_at).total_seconds())


def latest_of_many(*, tenant_ids: Collection[UUID] | None = None) -> list[Report]:
    """Return the newest finished full report of each tenant (of all that the scope shows), in one query."""
    rows = Report.objects.filter(state=Report.State.FINISHED, method=Method.FULL)
    if tenant_ids is not None:
        rows = rows.filter(tenant_id__in=tenant_ids)
    return list(rows.order_by("tenant_id", "-requested_at").distinct("tenant_id"))


def running(*, tenant_id: UUID) -> Report | None:
    """Return the report that is being made."""
    return Report.objects.filter(tenant_id=tenant_id, state=Report.State.RUNNING).first()


def samples(report: Report) -> QuerySet[Sample]:
    """Return the report's sample differences with their entities."""
    return Sample.objects.filter(entity__report=report).select_related("entity").order_by("entity__position", *_ORDER)


def broken(report: Report) -> QuerySet[InvariantResult]:
    """Return the invariants that do not hold."""
    return report.invariants.exclude(outcome=InvariantResult.Outcome.PASS)


def evidence(report: Report) -> bytes:
    """Return a finished report as canonical JSON (RFC 8785): its SHA-256 is the report's digest, byte for byte."""
    return packs.canonical(document(report))


def document(report: Report) -> Mapping[str, Any]:
    """Return everything a report says, as JSON values in a fixed order; nothing in it changes once it is finished."""
    return {
        "format": FORMAT,
        "run": report.pk,
        "tenant": report.tenant_id,
        "requested_at": report.requested_at,
        "finished_at": report.finished_at,
        "mapping_sha256": report.mapping_sha256,
        **({} if report.method == Method.FULL else {"method": report.method}),
        "verdict": report.verdict,
        "problem": report.problem,
        "counts": _counts(report),
        "invariants": {
            "total": report.invariants_total,
            "passed": report.invariants_passed,
            "unknown": report.invariants_unknown,
            "results": [
                {name: getattr(row, name) for name in _TOLD}
                # Of what is asked of each record; reports that were sealed before there was such stay as they were.
                | ({"checked": row.checked, "rate": row.rate} if row.checked is not None else {})
                for row in report.invariants.order_by("entity", "code")
            ],
        },
        "entities": [
            {
                "entity": row.entity,
                "spec": row.spec,
                "verdict": row.verdict,
                "problem": row.problem,
                "counts": _counts(row),
                "left_behind": row.rules,
                "in_quarantine": row.held,
                "differences": row.kinds,
                # Reports that were sealed before there were these stay as they were.
                **({"examples": row.examples} if row.examples else {}),
                **({"compared": _way(row)} if row.because else {}),
                **({"checksums": row.checksums} if row.checksums else {}),
            }
            for row in report.entities.defer("differing").order_by("position")
        ],
        "samples": [
            {
                "entity": row.entity.entity,
                "record": row.record,
                "kind": row.kind,
                "column": row.column,
                "expected": row.expected,
                "actual": row.actual,
            }
            for row in samples(report)
        ],
    }


_TOLD = ("entity", "code", "title", "family", "outcome", "expected", "actual")


def _way(row: EntityResult) -> Mapping[str, Any]:
    """Return how an entity was compared, and of a sample what it says."""
    told = {"engine": row.engine, "because": row.because}
    if row.fewer_than_one_in is None:
        return told
    sample = {"one_in": row.one_in, "confidence": str(CONFIDENCE), "fewer_than_one_in": row.fewer_than_one_in}
    return {**told, "sample": sample}


_ORDER = ("kind", "column", "record")


def _counts(row: Report | EntityResult) -> dict[str, int]:
    counts = {name: getattr(row.tally, name) for name in row.tally.__slots__}
    # Reports that were sealed before there was such stay as they were.
    return counts if row.on_hold else {name: number for name, number in counts.items() if name != "on_hold"}
