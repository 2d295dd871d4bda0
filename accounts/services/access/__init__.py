"""Access reviews: what beginning, deciding, ending and signing have in common."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import AccessLine, AccessReview
from core import ledger
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission


class UnableToReview(UseCaseError):
    """The review cannot be begun, ended or signed so."""


class UnableToDecide(UseCaseError):
    """Nothing can be decided so about this access."""


def authorise(by: Actor, tenant_id: UUID) -> None:
    """Let in people of the account who manage members: no machine looks at who should have access."""
    by.require(Permission.MANAGE_MEMBERS, tenant_id=tenant_id)
    if by.kind is not ActorKind.MEMBER:
        raise UnableToReview("Access is reviewed by people of the account.", fix="Ask an owner or admin of it.")


def locked(review: AccessReview) -> AccessReview:
    """Return the review, locked: no two decide at once, nor anybody while it ends."""
    rows = AccessReview.objects.filter(pk=review.pk, tenant_id=review.tenant_id)
    return rows.select_for_update(of=("self",)).get()


def record(
    what: str,
    row: AccessReview | AccessLine,
    *,
    by: Actor,
    at: datetime,
    data: dict[str, Any] | None = None,
    personal: dict[str, str] | None = None,
) -> None:
    """Tell the ledger what happened to a review, or to a line of one."""
    event = f"accounts.access_review.{what}"
    ledger.record(event, by=by, at=at, tenant_id=row.tenant_id, subject=row, data=data, personal=personal)
