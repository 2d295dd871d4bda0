"""What a customer decides about a workflow: they rely on it, have tried it, accept its absence, keep the old way."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.queries import tenants
from core import ledger, outbox, toggles
from core.actor import Actor
from core.errors import NotFound, UseCaseError
from core.permissions import Permission
from core.toggles import UnableToSwitch
from parity_reports.domain.workflows import Compat, Workflow
from parity_reports.models import Reliance
from parity_reports.queries import catalogue

DECIDED = "parity_reports.workflow.decided"
LONGEST_REASON = 500


class UnableToDecide(UseCaseError):
    """Such a thing cannot be said of the workflow."""


def rely(*, tenant_id: UUID, workflow_id: str, by: Actor, at: datetime) -> None:
    """Note that the tenant relies on a workflow. Safe to repeat."""
    by.require(Permission.MANAGE_WORKFLOWS, tenant_id=tenant_id)
    workflow = _find(tenant_id, workflow_id)
    try:
        with transaction.atomic(durable=True):
            row = Reliance.objects.create(
                tenant_id=tenant_id, workflow=workflow.id, relied_at=at, relied_by=by.known_id
            )
            _tell("parity_reports.workflow.relied_on", row, by=by, at=at)
    except IntegrityError:  # they do already
        return


def release(*, tenant_id: UUID, workflow_id: str, by: Actor, at: datetime) -> None:
    """Take it back, with all that was said of the workflow; one that is no longer described, too. Safe to repeat."""
    by.require(Permission.MANAGE_WORKFLOWS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        row = Reliance.objects.select_for_update().filter(tenant_id=tenant_id, workflow=workflow_id).first()
        if row is None:
            return
        _tell("parity_reports.workflow.released", row, by=by, at=at)
        row.delete()


def confirm(*, tenant_id: UUID, workflow_id: str, by: Actor, at: datetime) -> None:
    """Note that somebody of the tenant tried the workflow on the new platform. Safe to repeat."""
    by.require(Permission.MANAGE_WORKFLOWS, tenant_id=tenant_id)
    workflow = _find(tenant_id, workflow_id)
    if not workflow.parity.is_there:
        raise UnableToDecide(
            f"“{workflow.title}” is not there yet, so nobody can have tried it.",
            fix="Keep the old way for a time, or accept the difference with a reason.",
        )
    with transaction.atomic(durable=True):
        changed = (
            Reliance.objects.filter(tenant_id=tenant_id, workflow=workflow.id)
            .exclude(tried_as=workflow.fingerprint)
            .update(tried_at=at, tried_by=by.known_id, tried_as=workflow.fingerprint)
        )
        row = _relied(tenant_id, workflow)
        if changed:
            _tell("parity_reports.workflow.tried", row, by=by, at=at, seen=workflow.fingerprint)


def accept(*, tenant_id: UUID, workflow_id: str, reason: str, by: Actor, at: datetime) -> None:
    """Accept that a workflow the tenant relies on is not there, with a reason, which is kept with it."""
    by.require(Permission.MANAGE_WORKFLOWS, tenant_id=tenant_id)
    workflow, reason = _find(tenant_id, workflow_id), reason.strip()
    if workflow.parity.is_there:
        raise UnableToDecide(f"“{workflow.title}” is there; there is nothing to accept.", fix="Try it, then confirm.")
    if not reason:
        raise UnableToDecide("Say why you can do without it: the reason is kept and shown to whoever signs.")
    if len(reason) > LONGEST_REASON:
        raise UnableToDecide(f"The reason is longer than {LONGEST_REASON} characters.", fix="Say it more briefly.")
    with transaction.atomic(durable=True):
        Reliance.objects.filter(tenant_id=tenant_id, workflow=workflow.id).update(
            accepted_at=at, accepted_by=by.known_id, accepted_as=workflow.fingerprint, reason=reason
        )
        row = _relied(tenant_id, workflow)
        _tell("parity_reports.workflow.difference_accepted", row, by=by, at=at, seen=workflow.fingerprint)


def keep_old_way(*, tenant_id: UUID, workflow_id: str, until: datetime, reason: str, by: Actor, at: datetime) -> None:
    """Keep the old way open until a moment, by the workflow's toggle; it ends by itself."""
    by.require(Permission.MANAGE_WORKFLOWS, tenant_id=tenant_id)
    compat = _compat(_find(tenant_id, workflow_id))
    toggles.switch_on(
        compat.toggle, tenant_id=tenant_id, expires_at=until, reason=reason[:LONGEST_REASON], by=by, at=at
    )
    _ask_again(tenant_id)


def end_old_way(*, tenant_id: UUID, workflow_id: str, by: Actor, at: datetime) -> None:
    """End the old way before its time. Safe to repeat."""
    by.require(Permission.MANAGE_WORKFLOWS, tenant_id=tenant_id)
    compat = _compat(_find(tenant_id, workflow_id))
    if toggles.switch_off(compat.toggle, tenant_id=tenant_id, by=by, at=at):
        _ask_again(tenant_id)


def _find(tenant_id: UUID, workflow_id: str) -> Workflow:
    """Return a workflow of the tenant's segment."""
    workflow = catalogue.read().workflows.workflows.get(workflow_id)
    if workflow is None or tenants.get(tenant_id=tenant_id).segment not in workflow.segments:
        raise NotFound("There is no such workflow.")
    return workflow


def _compat(workflow: Workflow) -> Compat:
    if workflow.compat is None:
        raise UnableToDecide(f"The old way of “{workflow.title}” cannot be kept.")
    return workflow.compat


def _relied(tenant_id: UUID, workflow: Workflow) -> Reliance:
    row = Reliance.objects.filter(tenant_id=tenant_id, workflow=workflow.id).first()
    if row is None:
        raise UnableToDecide(f"Nobody has said that you rely on “{workflow.title}”.", fix="Say so first.")
    return row


def _tell(event: str, row: Reliance, *, by: Actor, at: datetime, seen: str = "") -> None:
    outbox.publish(DECIDED, tenant_id=row.tenant_id)
    known = catalogue.read().workflows.workflows.get(row.workflow)
    data = {"workflow": row.workflow, "title": known.title if known else row.workflow}
    if seen:
        data["seen"] = seen
    ledger.record(event, by=by, at=at, tenant_id=row.tenant_id, subject=row, data=data)


def _ask_again(tenant_id: UUID) -> None:
    with transaction.atomic(durable=True):
        outbox.publish(DECIDED, tenant_id=tenant_id)


__all__ = [
    "UnableToDecide",
    "UnableToSwitch",
    "accept",
    "confirm",
    "end_old_way",
    "keep_old_way",
    "release",
    "rely",
]
