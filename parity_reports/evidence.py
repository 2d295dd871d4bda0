"""What parity puts into every evidence pack: newest report, drift, what was done about it, and shadow reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.evidence import part
from parity_reports.domain.reconciliation import State
from parity_reports.queries import drift as drifts
from parity_reports.queries import reconciliations, reports, shadow


@part("parity_reports.report", title="Parity report")
def report(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return the newest finished report's digest and counts; the digest is that of its canonical JSON."""
    latest = reports.latest(tenant_id=tenant_id)
    if latest is None:
        return {"report": None}
    return {
        "report": latest.pk,
        "sha256": latest.sha256,
        "verdict": latest.verdict,
        "finished_at": latest.finished_at,
        "mapping_sha256": latest.mapping_sha256,
        "counts": {name: getattr(latest.tally, name) for name in latest.tally.__slots__},
        "invariants": {
            "total": latest.invariants_total,
            "passed": latest.invariants_passed,
            "unknown": latest.invariants_unknown,
        },
    }


@part("parity_reports.drift", title="Drift and reconciliations")
def drift(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return what came to differ since the newest report, how much nobody explains, and what was done about it."""
    now = drifts.standing(tenant_id=tenant_id, at=at)
    done = list(reconciliations.told_of(tenant_id=tenant_id).order_by("requested_at", "pk"))
    return {
        "report": now.report.pk if now.report else None,
        "looked_at": now.looked_at,
        "is_known": now.is_known(at=at),
        "differing": now.differing,
        "unexplained": now.unexplained,
        "causes": {cause: number for cause, number in now.causes.items() if number},
        "applied": sum(row.state == State.DONE for row in done),
        "undone": sum(row.state == State.UNDONE for row in done),
        "reconciliations": [
            {
                "id": row.pk,
                "entity": row.entity,
                "state": row.state,
                "records": {name: getattr(row, name) for name in ("moved", "merged", "accepted", "left")},
                "requested_at": row.requested_at,
                "agreed_at": row.approved_at,
                "accepted_until": row.accepted_until,
                "finished_at": row.finished_at,
                "undone_at": row.undone_at,
            }
            for row in done
        ],
    }


@part("parity_reports.shadow_reads", title="Shadow reads")
def shadow_reads(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return what the last day's reads of both platforms found, and with which confidence."""
    standing = shadow.standing(tenant_id=tenant_id, at=at)
    return {
        "stage": standing.stage.traffic.value,
        "on_until": standing.on_until,
        "counts": {name: getattr(standing.tally, name) for name in standing.tally.__slots__},
        "statement": standing.tally.statement,
        "open": standing.open,
        "unexplained": standing.unexplained,
    }
