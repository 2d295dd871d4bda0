"""The tenant's ledger as a file that proves itself."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from core import ledger
from core.actor import Actor
from core.permissions import Permission


def export(*, tenant_id: UUID, by: Actor, at: datetime) -> Iterator[str]:
    """Record that the ledger is taken out, seal it, and return the export's lines (they read as they are sent)."""
    by.require(Permission.VIEW_LEDGER, tenant_id=tenant_id)
    ledger.append(
        "core.ledger.exported", by=by, at=at, tenant_id=tenant_id, subject=("core.ledger", tenant_id)
    )  # fmt: skip
    return ledger.export(tenant_id=tenant_id, at=at)
