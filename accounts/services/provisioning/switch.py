"""What a tenant's people decide about provisioning: end the trial or go back to it, roles of groups, undoing."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.domain import roles
from accounts.domain.provisioning.plans import REASONS, Outcome
from accounts.models import Member, ProvisionedGroup, ProvisionedUser, Provisioning
from accounts.queries.provisioning import resources as known
from accounts.services.provisioning import people
from accounts.services.provisioning.people import Authority
from core import holds, ledger, outbox, queue
from core.actor import Actor, ActorKind
from core.errors import NotFound, UseCaseError
from core.permissions import Permission, TenantRole

APPLY = "accounts.tasks.apply_provisioning"
UNDOABLE = timedelta(days=90)
"""For how long a deletion by the directory can be undone; then what was kept is forgotten."""
_AT_ONCE = 5_000
_NEEDED = {ActorKind.STAFF: Permission.HOLD_PROVISIONING}
"""What our own people need to stop or repeat; a tenant's manage its members."""


class UnableToSwitch(UseCaseError):
    """Provisioning cannot be changed so."""


def enable(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """End the trial: what the directory says changes members, and what it has said is made up for by a job.

    Safe to repeat.
    """
    by.require(Permission.MANAGE_MEMBERS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        people.stand_still(tenant_id=tenant_id, alone=True)
        Provisioning.objects.get_or_create(tenant_id=tenant_id)
        on_trial = Provisioning.objects.filter(tenant_id=tenant_id, enabled_at=None)
        if on_trial.update(enabled_at=at, enabled_by=by.known_id):
            row = Provisioning.objects.get(tenant_id=tenant_id)
            queue.enqueue(APPLY, tenant_id=tenant_id, key="all")
            outbox.publish("accounts.provisioning.changed", tenant_id=tenant_id)
            ledger.record("accounts.provisioning.enabled", by=by, at=at, tenant_id=tenant_id, subject=row)


def go_back(*, tenant_id: UUID, by: Actor, at: datetime, reason: str = "") -> None:
    """Go back to the trial: members stay as they are, and nothing the directory says changes them. Safe to repeat.

    Our own people may pull this brake too, and say why.
    """
    by.require(_NEEDED.get(by.kind, Permission.MANAGE_MEMBERS), tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        people.stand_still(tenant_id=tenant_id, alone=True)
        row = Provisioning.objects.filter(tenant_id=tenant_id).first()
        enabled = Provisioning.objects.filter(tenant_id=tenant_id, enabled_at__isnull=False)
        if row is not None and enabled.update(enabled_at=None, enabled_by=None):
            outbox.publish("accounts.provisioning.changed", tenant_id=tenant_id)
            ledger.record(
                "accounts.provisioning.back_on_trial", by=by, at=at, tenant_id=tenant_id, subject=row,
                personal={"reason": reason} if reason else None,
            )  # fmt: skip


def settle_again(*, tenant_id: UUID, by: Actor, at: datetime) -> None:
    """Have done again what follows from what the directory said last, in the name of whoever ended the trial.

    Safe to repeat; on trial there is nothing to do.
    """
    by.require(_NEEDED.get(by.kind, Permission.MANAGE_MEMBERS), tenant_id=tenant_id)
    row = Provisioning.objects.filter(tenant_id=tenant_id, enabled_at__isnull=False).first()
    if row is None:
        raise UnableToSwitch("Provisioning is on trial: nothing follows from what the directory says.")
    with transaction.atomic(durable=True):
        queue.enqueue(APPLY, tenant_id=tenant_id, key="all")
        ledger.record("accounts.provisioning.settled_again", by=by, at=at, tenant_id=tenant_id, subject=row)


def give_role(*, tenant_id: UUID, group_id: UUID, role: str, by: Actor, at: datetime) -> None:
    """Give a group's people a role, or none (empty); nobody gives or takes away more than they may. Safe to repeat."""
    by.require(Permission.MANAGE_MEMBERS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        groups = ProvisionedGroup.objects.filter(tenant_id=tenant_id, deleted_at=None)
        group = groups.select_for_update().filter(pk=group_id).first()
        if group is None:
            raise NotFound("There is no such group.")
        mine = {each.value for each in roles.grantable(by.roles)}
        if not {group.role, role} - {""} <= mine:
            raise UnableToSwitch("Your role cannot give this role.", fix="Ask an owner of your account.")
        if group.role == role:
            return
        inside = known.people_in([group.pk]).get(group.pk, ())
        if not people.may_change(inside, tenant_id=tenant_id, authority=Authority.of(by)):
            raise UnableToSwitch("An owner is in this group.", fix="Ask an owner of your account.")
        was, group.role, group.role_set_at, group.role_set_by = group.role, role, at, by.known_id
        group.save(update_fields=["role", "role_set_at", "role_set_by"])
        queue.enqueue(APPLY, tenant_id=tenant_id, key="all")
        ledger.record(
            "accounts.provisioning.role_given", by=by, at=at, tenant_id=tenant_id, subject=group,
            data={"from": was or "none", "to": role or "none"},
        )  # fmt: skip


def restore(*, tenant_id: UUID, user_id: UUID, by: Actor, at: datetime) -> None:
    """Undo the directory's deletion of a user, and what followed from it. Safe to repeat."""
    by.require(Permission.MANAGE_MEMBERS, tenant_id=tenant_id)
    try:
        with transaction.atomic(durable=True):
            deleted = ProvisionedUser.objects.select_for_update().filter(tenant_id=tenant_id, pk=user_id)
            row = deleted.exclude(deleted_at=None).first()
            if row is None:
                raise NotFound("There is nothing to undo.")
            row.deleted_at, row.modified_at, row.version = None, at, row.version + 1
            row.save(update_fields=["deleted_at", "modified_at", "version"])
            enabled = people.is_enabled(tenant_id=tenant_id)
            plan = people.settle(row, authority=Authority.of(by), at=at, enabled=enabled)
            if plan.outcome is Outcome.REFUSED and plan.reason is not None:
                raise UnableToSwitch(REASONS[plan.reason])
            ledger.record("accounts.provisioning.restored", by=by, at=at, tenant_id=tenant_id, subject=row)
    except IntegrityError as error:
        raise UnableToSwitch("The directory has sent somebody with the same name since.") from error


def forget_deleted(*, at: datetime) -> int:
    """Forget people and groups whose deletion can be undone no more, some at a time; needs a staff scope.

    Those of an account under a legal hold stay until it is released. Returns how many rows went.
    """
    held, some = holds.legally_held(at=at), []
    for model in (ProvisionedUser, ProvisionedGroup):
        rows: QuerySet[ProvisionedUser] | QuerySet[ProvisionedGroup] = model.objects.all()
        over = rows.filter(deleted_at__lte=at - UNDOABLE).exclude(tenant_id__in=held)
        some.append(rows.filter(pk__in=list(over.values_list("pk", flat=True)[:_AT_ONCE])))
    return holds.remove(*some, at=at)


def apply(*, tenant_id: UUID, by: Actor, at: datetime) -> int:
    """Settle everybody whom the directory names, each alone, as if it had sent them now; return how many.

    In the name of whoever ended the trial: never more than they may give today; on trial, as if an owner had ended it.
    Safe to repeat.
    """
    if by.kind is not ActorKind.SYSTEM:
        raise UnableToSwitch
    setting = Provisioning.objects.filter(tenant_id=tenant_id).first()
    held: list[str] = [TenantRole.OWNER]
    if setting is not None and setting.enabled_by is not None:
        whose = Member.objects.filter(tenant_id=tenant_id, user_id=setting.enabled_by, deactivated_at=None)
        held = list(whose.values_list("role", flat=True))
    authority = Authority(by, frozenset(role.value for role in roles.grantable(held)))
    settled = 0
    rows = ProvisionedUser.objects.filter(tenant_id=tenant_id, deleted_at=None).order_by("created_at", "pk")
    for ident in list(rows.values_list("pk", flat=True)):
        try:
            with transaction.atomic(durable=True):
                enabled = people.is_enabled(tenant_id=tenant_id)
                row = rows.select_for_update().filter(pk=ident).first()
                if row is not None:
                    people.settle(row, authority=authority, at=at, enabled=enabled)
                    settled += 1
        except (UseCaseError, IntegrityError):  # somebody was changed at the same moment: the next call settles them
            continue
    return settled
