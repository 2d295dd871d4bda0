"""The lockout forecast as a file: it names people, so whoever takes it leaves an entry in the ledger."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from accounts.domain.lockouts import Outcome
from accounts.queries import lockouts
from accounts.queries.lockouts import Row
from core import ledger
from core.actor import Actor
from core.permissions import Permission


def rows(*, tenant_id: UUID, by: Actor, at: datetime, outcome: Outcome | None = None) -> Iterator[Row]:
    """Return everybody with what is foreseen, read as they are sent; the download leaves an entry in the ledger."""
    by.require(Permission.MANAGE_SSO, tenant_id=tenant_id)
    ledger.append(
        "accounts.forecast.downloaded", by=by, at=at, tenant_id=tenant_id, subject=("accounts.tenant", tenant_id),
        data={"outcome": outcome.value if outcome else "all"},
    )  # fmt: skip
    return lockouts.rows(tenant_id=tenant_id, at=at, outcome=outcome)
