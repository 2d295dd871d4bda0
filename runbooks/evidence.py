"""What runbooks put into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.evidence import part
from runbooks.queries import exceptions as registry
from runbooks.queries import runbooks


@part("runbooks.sign_offs", title="Runbook sign-offs")
def sign_offs(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return every step with who signed it when (as an id); null where it is not signed."""
    runbook = runbooks.of_tenant(tenant_id=tenant_id)
    return {
        "cutover_on": runbook.cutover_on if runbook else None,
        "steps": [
            {
                "step": step.key,
                "title": step.title,
                "day": step.offset_days,
                "gates": step.gates,
                "signed_at": step.signed_at,
                "signed_by": step.signed_by_id,
            }
            for step in runbooks.steps(tenant_id=tenant_id)
        ],
    }


@part("runbooks.exceptions", title="Policy exceptions")
def policy_exceptions(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return the exceptions that stand, with what compensates for them and who answers for them (as ids)."""
    return {
        "exceptions": [
            {
                "exception": row.pk,
                "check": row.check_id,
                "items": row.items,
                "reason": row.reason,
                "compensating_controls": row.compensating_controls,
                "owner": row.owner_id,
                "requested_by": row.requested_by_id,
                "approved_by": row.approved_by_id,
                "approved_at": row.approved_at,
                "expires_at": row.expires_at,
            }
            for row in registry.active(tenant_ids=[tenant_id], at=at).order_by("requested_at", "id")
        ]
    }
