"""What entitlements put into every evidence pack."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.evidence import part
from entitlements.domain import records
from entitlements.queries import previews


@part("entitlements.promise", title="Subscription promised, and what the new platform holds")
def promise(*, tenant_id: UUID, at: datetime) -> Mapping[str, Any]:
    """Return the promise, the choices it rests on, what was found, and every difference."""
    state = previews.state(tenant_id=tenant_id, at=at)
    if state is None:
        return {"compared_at": None}
    return {
        "compared_at": state.snapshot.taken_at,
        "matrix": state.snapshot.matrix,
        "promise": records.of_subscription(state.preview.promise),
        "found": state.snapshot.new,
        "choices": [{"subject": one.subject, "choice": one.made, "basis": one.basis} for one in state.preview.options],
        "mismatches": [
            {"subject": row.subject, "promised": row.promised, "found": row.found} for row in state.mismatches
        ],
    }
