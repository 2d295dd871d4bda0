"""A cutover's own settings: its window, who approves it, who owns its runbook."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.queries import members, staff, tenants
from core import ledger, outbox
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission, staff_grants, tenant_grants
from cutover.domain import windows
from cutover.models import Cutover
from runbooks.services import runbooks


class UnableToSetWindow(UseCaseError):
    """The cutover window cannot be set so."""


class UnableToAppoint(UseCaseError):
    """The person cannot take this part in the cutover."""


def open_cutover(*, tenant_id: UUID, by: Actor, at: datetime) -> Cutover:
    """Open a tenant's cutover in phase discover. Safe to repeat: an open one comes back unchanged."""
    with transaction.atomic():
        cutover, created = Cutover.objects.get_or_create(tenant_id=tenant_id, defaults={"phase_since": at})
        if created:
            ledger.record("cutover.cutover.opened", by=by, at=at, tenant_id=tenant_id, subject=cutover)
    return cutover


def set_window(*, tenant_id: UUID, starts_at: datetime, ends_at: datetime, by: Actor, at: datetime) -> Cutover:
    """Set or change when the tenant moves. Raises UnableToSetWindow with the reason.

    The window is a material fact: changing it voids a go/no-go that was asked for with another one. The runbook's
    T0 moves with it. Safe to repeat: the same window again leaves no entry.
    """
    by.require(Permission.MANAGE_WINDOW, tenant_id=tenant_id)
    if problem := windows.refusal(starts_at=starts_at, ends_at=ends_at, at=at):
        raise UnableToSetWindow(problem)
    cutover = open_cutover(tenant_id=tenant_id, by=by, at=at)
    with transaction.atomic():
        early = Cutover.objects.filter(pk=cutover.pk, phase__in=[phase.value for phase in windows.SETTABLE])
        other = early.exclude(window_starts_at=starts_at, window_ends_at=ends_at)
        if other.update(window_starts_at=starts_at, window_ends_at=ends_at):
            data = {"starts_at": starts_at, "ends_at": ends_at}
            outbox.publish("cutover.window.set", tenant_id=tenant_id)
            ledger.record("cutover.window.set", by=by, at=at, tenant_id=tenant_id, subject=cutover, data=data)
            outbox.publish("cutover.window.set", tenant_id=tenant_id)
        elif not early.exists():
            raise UnableToSetWindow("The cutover has begun, so its window can no longer be changed.")
    zone = ZoneInfo(tenants.get(tenant_id=tenant_id).time_zone)
    runbooks.reschedule(tenant_id=tenant_id, cutover_on=starts_at.astimezone(zone).date(), by=by, at=at)
    cutover.refresh_from_db()
    return cutover


def name_approver(*, tenant_id: UUID, member_id: UUID | None, by: Actor, at: datetime) -> Cutover:
    """Name who signs the go/no-go for the customer; None: any owner.

    Raises UnableToAppoint for a stranger, and for a member who may not read what they would sign.
    """
    by.require(Permission.APPROVE_CUTOVER, tenant_id=tenant_id)
    if member_id is not None:
        member = members.active(tenant_id=tenant_id).filter(pk=member_id).first()
        if member is None:
            raise UnableToAppoint("The approver must be an active member of this account.")
        if Permission.VIEW_EVIDENCE not in tenant_grants(member.role):
            raise UnableToAppoint("The approver must be an owner, an admin or an auditor, to read what they sign.")
    return _change("approver_id", member_id, "cutover.approver.named", tenant_id=tenant_id, by=by, at=at)


def assign_runbook_owner(*, tenant_id: UUID, user_id: UUID, by: Actor, at: datetime) -> Cutover:
    """Assign the one runbook owner of a tenant. Raises UnableToAppoint unless they hold that staff role."""
    by.require(Permission.MANAGE_STEPS, tenant_id=tenant_id)
    if Permission.SIGN_AS_RUNBOOK_OWNER not in staff_grants(staff.roles_of(user_id=user_id)):
        raise UnableToAppoint("Only someone with the role runbook owner can own a runbook.")
    return _change("runbook_owner_id", user_id, "cutover.runbook_owner.assigned", tenant_id=tenant_id, by=by, at=at)


def put_in_wave(*, tenant_id: UUID, wave: str, by: Actor, at: datetime) -> Cutover:
    """Put a tenant into a wave, the group that moves together."""
    by.require(Permission.MANAGE_TENANTS, tenant_id=tenant_id)
    return _change("wave", wave, "cutover.wave.changed", tenant_id=tenant_id, by=by, at=at)


def _change(field: str, value: UUID | str | None, event: str, *, tenant_id: UUID, by: Actor, at: datetime) -> Cutover:
    """Set one field if it differs, with its ledger entry."""
    cutover = open_cutover(tenant_id=tenant_id, by=by, at=at)
    with transaction.atomic():
        if Cutover.objects.filter(pk=cutover.pk).exclude(**{field: value}).update(**{field: value}):
            data = {"value": value}
            ledger.record(event, by=by, at=at, tenant_id=tenant_id, subject=cutover, data=data)
    cutover.refresh_from_db()
    return cutover
