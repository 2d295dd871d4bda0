"""What a cutover that went wrong says on every page."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from core.banners import Banner, banners
from cutover.domain.phases import Phase
from cutover.queries import cutovers

_BANNERS = {
    Phase.HALTED: Banner(
        id="cutover.halted",
        title="The line is stopped",
        text="Your cutover was halted: no more traffic moves until the reason is settled. “Cutover window” says what "
        "it is.",
        state="fail",
    ),
    Phase.ROLLED_BACK: Banner(
        id="cutover.rolled_back",
        title="You are back on the legacy platform",
        text="Your cutover was rolled back. Work there as before; preparing the next attempt begins with preflight.",
        state="warn",
    ),
}


@banners
def stopped(*, tenant_id: UUID, at: datetime) -> Iterable[Banner]:
    """Say that the line is stopped, or that the tenant is back on legacy."""
    banner = _BANNERS.get(cutovers.phase_of(tenant_id))
    return [banner] if banner else []
