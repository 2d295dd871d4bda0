"""What accounts put into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.queries import access, identity_map
from core.evidence import part


@part("accounts.people", title="Where everybody of legacy ended")
def people(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return how many people ended where by which rule, and every decision about them; nothing of a person."""
    standing, link = identity_map.standing(tenant_id=tenant_id), identity_map.link(tenant_id=tenant_id)
    return {
        "link": {"legacy_ref": link.legacy_ref, "account_id": link.account_id} if link else None,
        "run": standing.last.pk if standing.last else None,
        "people": standing.people,
        "outcomes": [
            {"outcome": outcome, "rule": rule, "people": count}
            for outcome, rule, count in identity_map.by_rule(tenant_id=tenant_id)
        ],
        "decisions": [
            {
                "id": row.pk,
                "kind": row.kind,
                "state": row.state,
                "people": row.people,
                "decided_by": row.decided_by,
                "agreed_by": row.agreed_by,
                "decided_at": row.decided_at,
            }
            for row in identity_map.decisions(tenant_id=tenant_id)
        ],
    }


@part("accounts.access", title="The last access review")
def access_review(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return how everybody's access was decided about last, with the digest of the lines; nothing of a person."""
    review = access.last_finished(tenant_id=tenant_id)
    if review is None:
        return {"review": None}
    return {
        "review": review.pk,
        "begun_at": review.begun_at,
        "begun_by": review.begun_by,
        "finished_at": review.finished_at,
        "finished_by": review.finished_by,
        "summary": review.summary,
        "sha256": review.sha256,
    }
