"""Whom a message reaches: people of the tenant by role, the signers of a request, the rungs of the ladder."""

from collections.abc import Collection
from uuid import UUID

from accounts.queries import members, staff
from comms.domain import sla
from comms.domain.ladder import Audience
from comms.models import Preference
from core.approvals import reading
from core.permissions import STAFF_ROLE_GRANTS, Permission, TenantRole
from cutover.domain.go_no_go import CUSTOMER
from cutover.queries import pages

ROLES: dict[Audience, tuple[TenantRole, ...]] = {
    Audience.SPONSORS: (TenantRole.OWNER,),
    Audience.ADMINS: (TenantRole.ADMIN,),
    Audience.END_USERS: (TenantRole.MEMBER, TenantRole.AUDITOR),
    Audience.DECIDERS: (TenantRole.OWNER, TenantRole.ADMIN),
}
"""Audiences that are looked up by role when a message leaves; the others are named by what happened."""


def of_tenant(audience: Audience, *, tenant_id: UUID) -> list[UUID]:
    """Return the active people of an audience."""
    active = members.active(tenant_id=tenant_id).filter(role__in=ROLES[audience], user__is_active=True)
    return list(active.values_list("user_id", flat=True))


def signers(*, tenant_id: UUID, request_id: UUID) -> list[UUID]:
    """Return who may still sign a request: for each empty seat the person named, or any owner."""
    request = pages.find(request_id=request_id)
    if request is None:
        return []
    signed = {signature.seat for signature in reading.signatures(request)}
    found: list[UUID] = []
    for seat in request.seats:
        if seat["name"] in signed:
            continue
        if seat["user_id"]:
            found.append(UUID(seat["user_id"]))
        elif seat["name"] == CUSTOMER:
            found += of_tenant(Audience.SPONSORS, tenant_id=tenant_id)
    return list(dict.fromkeys(found))


def owners(*, tenant_id: UUID) -> list[UUID]:
    """Return the tenant's active owners."""
    return of_tenant(Audience.SPONSORS, tenant_id=tenant_id)


def rung(level: int) -> list[UUID]:
    """Return the vendor's people who hear at an escalation level."""
    found = sla.rung(level)
    return list(staff.holders(roles=found[1]).values_list("pk", flat=True)) if found else []


def staff_who_may(permission: Permission) -> list[UUID]:
    """Return the vendor's people who hold a permission."""
    roles = [role for role, granted in STAFF_ROLE_GRANTS.items() if permission in granted]
    return list(staff.holders(roles=roles).values_list("pk", flat=True))


def belongs(person_id: UUID, *, tenant_id: UUID) -> bool:
    """Say whether a person may still hear of a tenant: one of its active people, or one of the vendor's."""
    ours = members.active(tenant_id=tenant_id).filter(user_id=person_id, user__is_active=True)
    return ours.exists() or staff.people().filter(pk=person_id).exists()


def without_reminders(*, tenant_id: UUID, people: Collection[UUID]) -> set[UUID]:
    """Return those who want only what is essential."""
    chosen = Preference.objects.filter(tenant_id=tenant_id, person_id__in=people)
    return set(chosen.values_list("person_id", flat=True))
