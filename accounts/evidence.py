"""What accounts put into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.queries import access, identity_map
from accounts.queries.access import frozen
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
    """Return how everybody's access was decided about last, and the signature under it; nothing of a person.

    Statement, record and manifest are the exact bytes of the review's own pack, so that the signature can be
    verified from this part alone (docs/evidence.md).
    """
    review = access.last_finished(tenant_id=tenant_id)
    if review is None:
        return {"review": None}
    signature = access.signed(review)
    return {
        **frozen.summary(review),
        "signature": None
        if signature is None
        else {
            "signed_by": signature.user_id,
            "signed_at": signature.signed_at,
            "method": signature.method,
            "evidence_sha256": signature.request.pack.evidence_sha256,
            "manifest": bytes(signature.request.pack.manifest).decode(),
            "statement": bytes(signature.statement.body).decode(),
            "record": bytes(signature.record).decode(),
        },
    }
