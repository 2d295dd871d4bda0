"""Asking anew how far behind legacy a tenant is, once the answer that stands is none any more."""

from datetime import datetime
from uuid import UUID

from backfills.queries import lag as lags
from core import readiness
from core.actor import Actor

CHECK = "backfills.caught_up"


def ask_anew(*, tenant_id: UUID, behind: lags.Behind | None = None, by: Actor, at: datetime) -> None:
    """Have the check asked where its answer is another than the one that stands, or that one has expired."""
    said = readiness.latest(tenant_id=tenant_id).get(CHECK)
    if said is None:
        return
    now = behind or lags.behind(tenant_id=tenant_id, at=at)
    if said.outcome is not now.outcome or said.expires_at <= at:
        readiness.request(tenant_id=tenant_id, by=by, check_id=CHECK)
