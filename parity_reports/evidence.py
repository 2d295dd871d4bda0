"""What parity reports put into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.evidence import part
from parity_reports.queries import reports


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
