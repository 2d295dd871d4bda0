"""Checks that compliance contributes."""

from datetime import datetime, timedelta
from uuid import UUID

from compliance.domain.obligations import Standing
from compliance.queries import obligations
from core.findings import Finding, Outcome
from core.readiness import check

CHECK = "compliance.promises_kept"


@check(
    CHECK,
    title="Every promise has something that keeps it",
    owner="legal-privacy",
    due="T-14",
    valid_for=timedelta(days=7),
    link="promises/",
)
def promises_kept(*, tenant_id: UUID, at: datetime) -> Finding:
    """A promise that nothing keeps blocks; one at risk does not, because the check that keeps it blocks by itself."""
    rows = obligations.stand(tenant_id=tenant_id, at=at, own_check=CHECK)
    if not rows:
        return Finding(
            Outcome.BLOCK,
            "No promise is recorded for this account",
            facts={"gaps": None},
            fix="Our legal and privacy lead records what your contract promises; nothing is needed from you.",
        )
    gaps = [row.obligation for row in rows if row.standing is Standing.GAP]
    planned = [row.obligation for row in rows if row.standing is Standing.PLANNED]
    facts = {"gaps": sorted(row.key for row in gaps), "planned": sorted(row.key for row in planned)}
    if gaps:
        listed = [{"promise": row.title, "where": row.source} for row in gaps]
        return Finding(
            Outcome.BLOCK,
            f"Nothing keeps {len(gaps)} of {len(rows)} promises: {gaps[0].title}",
            facts=facts,
            evidence={"promises": listed},
            fix="Our legal and privacy lead names what keeps it, or plans it with a date. “Promises” shows each.",
        )
    if planned:
        first = min(planned, key=lambda row: str(row.plan_due_on))
        return Finding(
            Outcome.WARN,
            f"{len(planned)} of {len(rows)} promises are kept by a plan: {first.title}, by {first.plan_due_on}",
            facts=facts,
            fix=first.plan,
        )
    return Finding(Outcome.PASS, f"All {len(rows)} promises are mapped to what keeps them", facts=facts)
