"""Waivers: rejected rows that stay behind by a policy exception, until that expires."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from core import readiness
from core.readiness import Cover

CHECK = "backfills.dead_letters"
"""The check that rejected rows keep shut; an exception from it lets them stay behind."""


def standing(*, tenant_ids: Collection[UUID], at: datetime) -> Mapping[UUID, Cover]:
    """Return per tenant the exception that lets its rejected rows stay behind; the last to expire, if several do."""
    found = {}
    for tenant_id, covers in readiness.covers(tenant_ids=tenant_ids, at=at).items():
        if ours := [cover for cover in covers if cover.check_id == CHECK]:
            found[tenant_id] = max(ours, key=lambda cover: cover.expires_at)
    return found
