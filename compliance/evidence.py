"""What compliance puts into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from compliance.queries import obligations
from compliance.readiness import CHECK
from core.evidence import part


@part("compliance.promises", title="Promises and what keeps them")
def promises(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return every promise with its source, its checks and how it stands."""
    rows = obligations.stand(tenant_id=tenant_id, at=at, own_check=CHECK)
    return {
        "promises": [
            {
                "key": row.obligation.key,
                "kind": row.obligation.kind,
                "title": row.obligation.title,
                "source": row.obligation.source,
                "checks": row.obligation.checks,
                "standing": row.standing,
                "plan_due_on": row.obligation.plan_due_on,
            }
            for row in rows
        ],
        "attestations": [row.sha256 for row in obligations.attestations(tenant_id=tenant_id)],
    }
