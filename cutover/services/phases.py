"""Moving a tenant from phase to phase."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import ledger, outbox
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission
from cutover.domain import phases
from cutover.domain.phases import Facts, Phase
from cutover.models import Cutover, PhaseChange
from cutover.queries import cutovers
from cutover.services.cutovers import open_cutover


class UnableToMove(UseCaseError):
    """The tenant cannot move to that phase now."""


def advance(*, tenant_id: UUID, target: Phase, by: Actor, at: datetime, reason: str = "") -> Cutover:
    """Move a tenant to another phase, by hand. Raises UnableToMove with the reason.

    The move into the cutover itself is not made here: it follows from a signed go/no-go.
    """
    by.require(Permission.MOVE_PHASE, tenant_id=tenant_id)
    cutover = open_cutover(tenant_id=tenant_id, by=by, at=at)
    with transaction.atomic():
        move(cutover=cutover, target=target, by=by, at=at, reason=reason)
    cutover.refresh_from_db()
    return cutover


def move(
    *, cutover: Cutover, target: Phase, by: Actor, at: datetime, reason: str = "", approval_id: UUID | None = None
) -> None:
    """Make one move inside the caller's transaction: row, history, event and ledger entry together."""
    source, tenant_id = Phase(cutover.phase), cutover.tenant_id
    facts = Facts(
        source=source,
        target=target,
        approved=approval_id is not None,
        reason=reason,
        halted_from=cutovers.halted_from(tenant_id=tenant_id) if source is Phase.HALTED else None,
    )
    if problem := phases.refusal(facts):
        raise UnableToMove(problem)
    if not Cutover.objects.filter(pk=cutover.pk, phase=source.value).update(phase=target.value, phase_since=at):
        raise UnableToMove("Someone moved this tenant at the same moment. Look at it again.")
    change = PhaseChange.objects.create(
        tenant_id=tenant_id,
        cutover=cutover,
        source=source.value,
        target=target.value,
        changed_at=at,
        changed_by=by.known_id,
        reason=reason.strip(),
        approval_id=approval_id,
    )
    outbox.publish("cutover.phase.changed", tenant_id=tenant_id, source=source, target=target, change_id=change.pk)
    data = {"source": source, "target": target, "approval": approval_id}
    ledger.record("cutover.phase.changed", by=by, at=at, tenant_id=tenant_id, subject=change, data=data)
