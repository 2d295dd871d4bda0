"""Opening a tenant's runbook and signing its steps."""

from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from core import ledger, outbox
from core.actor import Actor, ActorKind
from core.errors import UseCaseError
from core.permissions import Permission, StaffRole
from runbooks.domain import template
from runbooks.models import Runbook, Step


class UnableToOpen(UseCaseError):
    """The runbook cannot be opened."""


class UnableToSign(UseCaseError):
    """The step cannot be signed now."""


def open(*, tenant_id: UUID, cutover_on: date, by: Actor, at: datetime) -> Runbook:  # noqa: A001  (the use case's own name; callers import the module)
    """Open the tenant's runbook from the template.

    Safe to repeat: an open runbook comes back unchanged.
    """
    by.require(Permission.MANAGE_STEPS, tenant_id=tenant_id)
    existing = Runbook.objects.filter(tenant_id=tenant_id).first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic(durable=True):
            runbook = Runbook.objects.create(
                tenant_id=tenant_id,
                cutover_on=cutover_on,
                opened_at=at,
                opened_by=by.id,  # type: ignore[misc]  # staff and the house have an id
            )
            Step.objects.bulk_create(
                Step(
                    tenant_id=tenant_id,
                    runbook=runbook,
                    key=step.key,
                    title=step.title,
                    validation=step.validation,
                    offset_days=step.due,
                    owner_role=step.owner.value,
                    gates=step.gates,
                )
                for step in template.STEPS
            )
            ledger.record(
                "runbooks.runbook.opened",
                by=by,
                at=at,
                tenant_id=tenant_id,
                subject=runbook,
                data={"cutover_on": cutover_on.isoformat(), "steps": len(template.STEPS)},
            )
    except IntegrityError as error:  # one runbook per tenant: someone was first
        raise UnableToOpen("This tenant's runbook was opened a moment ago. Reload the page.") from error
    return runbook


def reschedule(*, tenant_id: UUID, cutover_on: date, by: Actor, at: datetime) -> None:
    """Move T0; every step's day moves with it. Does nothing when the day is the same or no runbook is open."""
    by.require(Permission.MANAGE_WINDOW, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        runbook = Runbook.objects.filter(tenant_id=tenant_id).exclude(cutover_on=cutover_on).first()
        if runbook is None:
            return
        Runbook.objects.filter(pk=runbook.pk).update(cutover_on=cutover_on)
        ledger.record(
            "runbooks.runbook.rescheduled",
            by=by,
            at=at,
            tenant_id=tenant_id,
            subject=runbook,
            data={"from": runbook.cutover_on.isoformat(), "to": cutover_on.isoformat()},
        )


def sign(*, step: Step, by: Actor, at: datetime, note: str = "") -> Step:
    """Sign a step off as done.

    Only its owner's role or a runbook owner may sign. Safe to repeat: a signed step comes back
    unchanged, with its first signature.
    """
    by.require(Permission.SIGN_STEPS, tenant_id=step.tenant_id)
    if step.signed_at is not None:
        return step
    _require_seat(step, by=by)
    with transaction.atomic(durable=True):
        if Step.objects.filter(pk=step.pk, signed_at=None).update(signed_at=at, signed_by_id=by.id, note=note[:500]):
            ledger.record(
                "runbooks.step.signed", by=by, at=at, tenant_id=step.tenant_id, subject=step, data={"key": step.key}
            )
            outbox.publish("runbooks.step.signed", tenant_id=step.tenant_id, step_id=step.pk)
    step.refresh_from_db()
    return step


def withdraw(*, step: Step, by: Actor, at: datetime, reason: str) -> Step:
    """Take a step's signature back, with the reason; only who may sign it may. Safe to repeat."""
    by.require(Permission.SIGN_STEPS, tenant_id=step.tenant_id)
    _require_seat(step, by=by)
    if not reason.strip():
        raise UnableToSign("Say why the signature is taken back.")
    with transaction.atomic(durable=True):
        taken_back = Step.objects.filter(pk=step.pk, signed_at__isnull=False).update(
            signed_at=None, signed_by=None, note=reason.strip()[:500]
        )
        if taken_back:
            ledger.record(
                "runbooks.step.withdrawn", by=by, at=at, tenant_id=step.tenant_id, subject=step, data={"key": step.key}
            )
            outbox.publish("runbooks.step.withdrawn", tenant_id=step.tenant_id, step_id=step.pk)
    step.refresh_from_db()
    return step


def _require_seat(step: Step, *, by: Actor) -> None:
    if by.kind is ActorKind.SYSTEM or step.owner_role in by.roles or StaffRole.RUNBOOK_OWNER in by.roles:
        return
    raise UnableToSign(
        f"“{step.title}” is signed by the {step.get_owner_role_display()} or a runbook owner.",
        fix="Ask one of them.",
    )
