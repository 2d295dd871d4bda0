"""Makers of rows for tests: each makes one thing, the shortest way that is still honest.

They write as the house itself (a staff scope), because a test's arrangement is not what it tests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from accounts.models import Member, StaffAssignment, Tenant, User
from core import tenancy
from core.actor import Actor
from core.permissions import StaffRole, TenantRole

SYSTEM = Actor.system("tests")
PASSWORD = "correct horse battery staple"
_numbers = count(1)


@contextmanager
def arranging() -> Iterator[None]:
    """See and write every tenant's rows, to arrange a test or to look at what it left."""
    with tenancy.staff_scope(by=SYSTEM, reason="arrange a test"):
        yield


def user(name: str = "", *, email: str = "", is_staff: bool = False, password: str | None = None) -> User:
    """Make a person; with a password only where the test signs in by form (hashing is slow)."""
    number = next(_numbers)
    made = User(email=(email or f"person{number}@example.test").lower(), name=name or f"Person {number}")
    made.is_staff = is_staff
    made.set_password(password)
    made.save()
    return made


def tenant(
    name: str = "", *, slug: str = "", legacy_ref: str = "", time_zone: str = "UTC", segment: str = "major"
) -> Tenant:
    """Make a tenant."""
    number = next(_numbers)
    with arranging():
        return Tenant.objects.create(
            name=name or f"Airline {number}",
            slug=slug or f"airline-{number}",
            legacy_ref=legacy_ref or f"T{number}",
            time_zone=time_zone,
            segment=segment,
        )


def member(tenant: Tenant, role: TenantRole | str = TenantRole.OWNER, *, person: User | None = None) -> Member:
    """Make a person a member of a tenant."""
    person = person or user()
    with arranging():
        return Member.objects.create(tenant=tenant, user=person, role=str(role))


def actor(member: Member) -> Actor:
    """Return a member as an actor."""
    return Actor.member(user_id=member.user_id, tenant_id=member.tenant_id, role=member.role, name=str(member.user))


def staff(*roles: StaffRole | str, name: str = "") -> User:
    """Make one of the vendor's people, with their roles."""
    person = user(name, is_staff=True)
    for role in roles:
        StaffAssignment.objects.create(user=person, role=str(role))
    return person


def staff_actor(person: User) -> Actor:
    """Return one of the vendor's people as an actor."""
    roles = frozenset(person.staff_assignments.values_list("role", flat=True))
    return Actor.staff(user_id=person.pk, roles=roles, name=str(person))
