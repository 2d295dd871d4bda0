"""Checks that compliance contributes."""

from datetime import datetime, timedelta
from uuid import UUID

from compliance.domain.datasets import GONE
from compliance.domain.obligations import Standing
from compliance.queries import obligations
from compliance.services import deletions
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


@check(
    GONE,
    title="Copies made for the move go in time",
    owner="legal-privacy",
    due="T+110",
    valid_for=timedelta(days=1),
    link="promises/#kept",
    gates=(),
)
def copies_gone(*, tenant_id: UUID, at: datetime) -> Finding:
    """What is kept past its end blocks the promise that it goes; what a legal hold keeps does not."""
    kept = deletions.overdue(tenant_id=tenant_id, at=at)
    if not kept:
        return Finding(Outcome.PASS, "Nothing is kept of the move past its end", facts={"overdue": []})
    stuck = [one for one in kept if not one.is_held]
    first = (stuck or kept)[0]
    others = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
    return Finding(
        Outcome.BLOCK if stuck else Outcome.WARN,
        f"{first.dataset.label}{others}: kept past the end. {first.why}",
        facts={"overdue": [one.dataset.value for one in kept]},
        evidence={
            "kept": [
                {
                    "dataset": one.dataset.value,
                    "what": one.dataset.label,
                    "why": one.why,
                    "what_to_do": one.fix,
                    "owner": one.dataset.owner,
                }
                for one in kept
            ]
        },
        fix=first.fix,
    )
