"""What entitlements do when something has happened."""

from uuid import UUID

from core import readiness
from core.actor import Actor
from core.outbox import subscribe
from entitlements.readiness import IDS
from entitlements.services import snapshots

OUTBOX = Actor.system("outbox")


@subscribe("entitlements.snapshot.taken")
def ask_checks_again(*, tenant_id: UUID) -> None:
    """Have the checks answer anew from what was just seen."""
    for check_id in IDS:
        readiness.request(tenant_id=tenant_id, by=OUTBOX, check_id=check_id)


@subscribe("entitlements.choice.made")
def look_again(*, tenant_id: UUID) -> None:
    """Compare the new platform with what is promised now."""
    snapshots.request(tenant_id=tenant_id, by=OUTBOX)
