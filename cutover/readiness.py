"""What cutover asks before a tenant may move."""

from datetime import datetime, timedelta
from uuid import UUID

from core.evidence import packs
from core.findings import Finding, Outcome
from core.readiness import check
from cutover.domain.phases import Phase
from cutover.domain.windows import SETTABLE
from cutover.queries import cutovers


@check("cutover.window_set", title="Cutover window set", owner="customer", due="T-14", valid_for=timedelta(days=7),
       link="cutover/")  # fmt: skip
def window_set(*, tenant_id: UUID, at: datetime) -> Finding:
    """The window is what people are told and what the go/no-go is for, so it is material."""
    cutover = cutovers.find(tenant_id=tenant_id)
    if cutover is None or cutover.window_starts_at is None or cutover.window_ends_at is None:
        return Finding(
            Outcome.BLOCK,
            "No cutover window is set",
            fix="Choose when your account moves to the new platform.",
        )
    facts = {"starts_at": packs.moment(cutover.window_starts_at), "ends_at": packs.moment(cutover.window_ends_at)}
    if Phase(cutover.phase) not in SETTABLE:
        return Finding(Outcome.PASS, "The cutover has begun", facts=facts)
    if cutover.window_ends_at <= at:
        return Finding(
            Outcome.BLOCK, "The cutover window has passed", facts=facts, fix="Choose another time for your move."
        )
    return Finding(Outcome.PASS, "The cutover window is set", facts=facts)
