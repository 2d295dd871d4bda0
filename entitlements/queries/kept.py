"""What is kept of an account's contract as both platforms had it."""

from collections.abc import Mapping
from uuid import UUID

from entitlements.models import Mismatch, Snapshot


def count(*, tenant_id: UUID) -> Mapping[str, int]:
    """Count an account's snapshots and what was found to differ in them."""
    return {
        "mismatch": Mismatch.objects.filter(tenant_id=tenant_id).count(),
        "snapshot": Snapshot.objects.filter(tenant_id=tenant_id).count(),
    }
