"""Bringing in what the programme knows already: tenants, their people, and the vendor's own."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import Member, StaffAssignment, Tenant, User
from core import ledger, outbox
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission, StaffRole, TenantRole


class UnableToImport(UseCaseError):
    """What should be brought in contradicts what is here."""


def tenant(*, slug: str, name: str, segment: str, legacy_ref: str, time_zone: str, by: Actor, at: datetime) -> Tenant:
    """Register a customer of the vendor under its key in legacy.

    Safe to repeat: the tenant with this key comes back unchanged. Raises UnableToImport when another tenant has
    the slug.
    """
    by.require(Permission.MANAGE_TENANTS)
    known = Tenant.objects.filter(legacy_ref=legacy_ref).first()
    if known is not None:
        return known
    if Tenant.objects.filter(slug=slug).exists():
        raise UnableToImport(f"Another tenant is called “{slug}”.", fix="Choose another slug.")
    with transaction.atomic(durable=True):
        made = Tenant.objects.create(
            slug=slug, name=name, segment=segment, legacy_ref=legacy_ref, time_zone=time_zone, created_at=at
        )
        outbox.publish("accounts.tenant.registered", tenant_id=made.pk)
        ledger.record("accounts.tenant.registered", by=by, at=at, tenant_id=made.pk, subject=made)
    return made


def member(
    *, tenant_id: UUID, email: str, name: str, role: TenantRole, password: str | None, by: Actor, at: datetime
) -> Member:
    """Bring a person of the legacy platform in as a member, with their address taken as verified.

    Without a password they set one by the link for a forgotten password. Safe to repeat: a member comes back
    unchanged, and a person who is here already keeps their password.
    """
    by.require(Permission.MANAGE_TENANTS)
    person = User.objects.filter(email=email.lower()).first()
    known = Member.objects.filter(tenant_id=tenant_id, user=person).first() if person else None
    if known is not None:
        return known
    hashed = make_password(password)  # slow by design: outside the transaction
    with transaction.atomic(durable=True):
        person = person or _person(email=email, name=name, hashed=hashed)
        made = Member.objects.create(tenant_id=tenant_id, user=person, role=role.value, joined_at=at)
        ledger.record(
            "accounts.member.imported", by=by, at=at, tenant_id=tenant_id, subject=made, data={"role": role.value}
        )
    return made


def staff(
    *, email: str, name: str, roles: Collection[StaffRole], password: str | None, by: Actor, at: datetime
) -> User:
    """Bring one of the vendor's people in, with their roles. Safe to repeat: roles they lack are added."""
    by.require(Permission.MANAGE_STAFF)
    person = User.objects.filter(email=email.lower()).first()
    held = set(StaffAssignment.objects.filter(user=person).values_list("role", flat=True)) if person else set()
    missing = [role for role in roles if role.value not in held]
    if person is not None and person.is_staff and not missing:
        return person
    hashed = make_password(password)
    with transaction.atomic(durable=True):
        person = person or _person(email=email, name=name, hashed=hashed)
        User.objects.filter(pk=person.pk).update(is_staff=True)
        StaffAssignment.objects.bulk_create(StaffAssignment(user=person, role=role.value) for role in missing)
        ledger.record(
            "accounts.staff.appointed",
            by=by,
            at=at,
            tenant_id=None,
            subject=person,
            data={"roles": sorted(role.value for role in missing)},
        )
    person.refresh_from_db()
    return person


def _person(*, email: str, name: str, hashed: str) -> User:
    made = User.objects.create(email=email.lower(), name=name, password=hashed)
    EmailAddress.objects.create(user=made, email=made.email, verified=True, primary=True)
    return made
