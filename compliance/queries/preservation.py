"""What is preserved of an account, for the page of the vendor's people."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import holds, ports


@dataclass(frozen=True, slots=True)
class PreservedView:
    """How many copies are kept and objects held; `copies` is None where the new platform cannot tell."""

    is_held: bool
    copies: int | None
    held: int


def preserved(*, tenant_id: UUID, at: datetime) -> PreservedView:
    """Count what a legal hold has preserved of an account, on the new platform."""
    is_held = holds.is_legally_held(tenant_id=tenant_id, at=at)
    try:
        staged = ports.mover().staged(account_id=tenant_id)
    except (ports.Unavailable, ports.Rejected):
        return PreservedView(is_held, None, 0)
    return PreservedView(is_held, staged.get("preserved", 0), staged.get("held", 0))
