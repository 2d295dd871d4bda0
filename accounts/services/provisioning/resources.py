"""Users and groups of a tenant's directory: created, replaced, patched and deleted by SCIM (RFC 7644 3.3 to 3.6)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from scim2_models import InvalidValueException

from accounts.domain.provisioning import patching
from accounts.domain.provisioning import resources as kinds
from accounts.domain.provisioning.plans import REASONS, Outcome, Reason
from accounts.domain.provisioning.resources import Group, Kind, User
from accounts.models import ProvisionedEmail, ProvisionedGroup, ProvisionedMembership, ProvisionedUser
from accounts.queries.provisioning import resources as known
from accounts.queries.provisioning.resources import Row
from accounts.services.provisioning import people
from core import queue
from core.actor import Actor
from core.errors import NotFound, UseCaseError
from core.permissions import Permission

MOST_AT_ONCE = 50
"""People whose roles follow from a change of a group within the call; more are left to a job."""
_MODELS: dict[Kind, type[ProvisionedUser] | type[ProvisionedGroup]] = {
    "User": ProvisionedUser,
    "Group": ProvisionedGroup,
}


class UnableToProvision(UseCaseError):
    """What the directory asks for cannot be done; `scim_type` is SCIM's word for why, where it has one."""

    def __init__(self, message: str, *, fix: str = "", status: int = 409, scim_type: str = "") -> None:
        super().__init__(message, fix=fix)
        self.status, self.scim_type = status, scim_type


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource as it is kept now, and what became of the people whom it is about."""

    row: Row
    outcome: str = ""


def create(*, kind: Kind, tenant_id: UUID, body: Any, by: Actor, at: datetime) -> Kept:
    """Keep a new user or group; refused (409, uniqueness) where its name or external id is taken.

    Raises what `scim2_models` raises for a body that cannot be read.
    """
    by.require(Permission.PROVISION_MEMBERS, tenant_id=tenant_id)
    resource = kinds.created(kind, body)
    if isinstance(resource, User) and resource.active is None:
        resource.active = True
    row = _MODELS[kind](tenant_id=tenant_id, created_at=at, modified_at=at)
    with _unique(kind), transaction.atomic(durable=True):
        _write(row, resource)
        row.save(force_insert=True)
        outcome = _follow(row, _write_around(row, resource, set()), by=by, at=at)
    return Kept(row, outcome)


def replace(*, kind: Kind, tenant_id: UUID, ident: UUID, body: Any, if_match: str, by: Actor, at: datetime) -> Kept:
    """Put a resource in the place of what stands; what is read-only and what `active` leaves unsaid stay."""
    return _change(
        kind,
        tenant_id=tenant_id,
        ident=ident,
        if_match=if_match,
        by=by,
        at=at,
        to=lambda stands: kinds.replaced(kind, body, stands),
    )


def patch(*, kind: Kind, tenant_id: UUID, ident: UUID, body: Any, if_match: str, by: Actor, at: datetime) -> Kept:
    """Apply the operations of a PATCH, all or none."""
    return _change(
        kind,
        tenant_id=tenant_id,
        ident=ident,
        if_match=if_match,
        by=by,
        at=at,
        to=lambda stands: patching.patched(stands, body),
    )


def delete(*, kind: Kind, tenant_id: UUID, ident: UUID, if_match: str, by: Actor, at: datetime) -> Kept:
    """Let a resource be gone for the directory; the row stays, so that people can undo it."""
    by.require(Permission.PROVISION_MEMBERS, tenant_id=tenant_id)
    with transaction.atomic(durable=True):
        row = _locked(kind, tenant_id=tenant_id, ident=ident, if_match=if_match)
        row.deleted_at = row.modified_at = at
        row.version += 1
        row.save(update_fields=["deleted_at", "modified_at", "version"])
        left = _people_in(row) if isinstance(row, ProvisionedGroup) else set()
        return Kept(row, _follow(row, left, by=by, at=at))


def _change(
    kind: Kind,
    *,
    tenant_id: UUID,
    ident: UUID,
    if_match: str,
    by: Actor,
    at: datetime,
    to: Callable[[User | Group], User | Group],
) -> Kept:
    by.require(Permission.PROVISION_MEMBERS, tenant_id=tenant_id)
    with _unique(kind), transaction.atomic(durable=True):
        row = _locked(kind, tenant_id=tenant_id, ident=ident, if_match=if_match)
        inside = _people_in(row) if isinstance(row, ProvisionedGroup) else set()
        stands = known.told([row], with_members=False)[0]
        if isinstance(stands, Group):
            stands = kinds.with_members(stands, map(str, inside))
        resource = to(stands)
        if isinstance(row, ProvisionedUser):
            _require_same_person(row, stands, resource, by=by)
        if kinds.kept(resource) == row.resource and _member_ids(resource) == _member_ids(stands):
            return Kept(row, Outcome.NOTHING)
        _write(row, resource)
        row.modified_at, row.version = at, row.version + 1
        row.save()
        outcome = _follow(row, _write_around(row, resource, inside), by=by, at=at)
    return Kept(row, outcome)


def _locked(kind: Kind, *, tenant_id: UUID, ident: UUID, if_match: str) -> Row:
    """Lock a resource's row; directories change one group many times at once."""
    row: Row | None
    row = _MODELS[kind].objects.select_for_update().filter(tenant_id=tenant_id, pk=ident, deleted_at=None).first()
    if row is None:
        raise NotFound(f"There is no {kind.lower()} with this id.")
    named = {tag.strip() for tag in if_match.split(",")} - {""}
    if named and not named & {"*", known.version_of(row), known.version_of(row).removeprefix("W/")}:
        raise UnableToProvision(
            "The resource has changed since that version.", fix="Read it again, then decide.", status=412
        )
    return row


def _write(row: Row, resource: User | Group) -> None:
    """Put what is kept of a resource into its row."""
    row.external_id = kinds.exact(resource.external_id or "")
    row.resource, row.facts = kinds.kept(resource), kinds.facts(resource)
    if isinstance(resource, User):
        assert isinstance(row, ProvisionedUser)
        row.name_key = kinds.comparable(resource.user_name or "")
        if resource.active is not None:
            row.is_active = resource.active
    else:
        row.name_key = kinds.comparable(resource.display_name or "")


def _follow(row: Row, touched: set[UUID], *, by: Actor, at: datetime) -> str:
    """Do what follows for the people whom a change is about, or on trial note what would; say what became of it.

    What is refused of the person whom a call is about is refused to the directory. Of a group's people each is
    settled alone; of many, a job does it. What is not the caller's to say is refused on trial too: nothing of it may
    wait for somebody who may do more.
    """
    tenant_id, authority = row.tenant_id, people.Authority.of(by)
    enabled = people.is_enabled(tenant_id=tenant_id)
    if isinstance(row, ProvisionedUser):
        plan = people.settle(row, authority=authority, at=at, enabled=enabled)
        if plan.outcome is Outcome.REFUSED and plan.reason and (enabled or plan.reason is Reason.ROLE_NOT_OURS):
            raise UnableToProvision(REASONS[plan.reason], status=403)
        return plan.outcome.value
    if not row.role or not touched:
        return Outcome.NOTHING.value
    is_ours = row.role in authority.grantable
    if not is_ours or not people.may_change(touched, tenant_id=tenant_id, authority=authority):
        raise UnableToProvision(REASONS[Reason.ROLE_NOT_OURS], status=403)
    if len(touched) > MOST_AT_ONCE:
        queue.enqueue("accounts.tasks.apply_provisioning", tenant_id=tenant_id, key="all")
        return Outcome.ROLE.value
    found = people.settle_all(touched, tenant_id=tenant_id, authority=authority, at=at, enabled=enabled)
    outcomes = {plan.outcome for plan in found}
    return next((each.value for each in (Outcome.REFUSED, Outcome.ROLE) if each in outcomes), Outcome.NOTHING.value)


def _require_same_person(row: ProvisionedUser, stands: object, resource: object, *, by: Actor) -> None:
    """Refuse to make another person of somebody whose groups give what is not the caller's to give."""
    assert isinstance(stands, User)
    assert isinstance(resource, User)
    is_other = people.known_as(stands) != people.known_as(resource)
    if is_other and not people.given_roles(row) <= people.Authority.of(by).grantable:
        raise UnableToProvision(REASONS[Reason.ROLE_NOT_OURS], status=403)


def _write_around(row: Row, resource: User | Group, inside: set[UUID]) -> set[UUID]:
    """Write what belongs to a resource in tables of its own: addresses, members; return the users who came or went.

    `inside` is who was in the group.
    """
    if isinstance(row, ProvisionedUser) and isinstance(resource, User):
        row.emails.all().delete()
        ProvisionedEmail.objects.bulk_create(
            ProvisionedEmail(
                tenant_id=row.tenant_id,
                user=row,
                value=None if entry.value is None else kinds.comparable(entry.value),
                type=None if entry.type is None else kinds.comparable(entry.type),
                is_primary=entry.primary,
            )
            for entry in resource.emails or ()
        )
    elif isinstance(row, ProvisionedGroup) and isinstance(resource, Group):
        return _write_members(row, _member_ids(resource), inside)
    return set()


def _people_in(group: ProvisionedGroup) -> set[UUID]:
    return set(known.people_in([group.pk]).get(group.pk, ()))


def _write_members(group: ProvisionedGroup, wanted: set[str], inside: set[UUID]) -> set[UUID]:
    ids = set()
    for text in wanted:
        try:
            ids.add(UUID(text))
        except ValueError as error:
            raise InvalidValueException(detail=f"members: no user has the id “{text[:50]}”.") from error
    came, left = ids - inside, inside - ids
    there = set(known.users(tenant_id=group.tenant_id).filter(pk__in=came).values_list("pk", flat=True))
    if missing := came - there:
        raise InvalidValueException(detail=f"members: no user has the id “{min(missing)}”.")
    group.memberships.filter(user_id__in=left).delete()
    ProvisionedMembership.objects.bulk_create(
        ProvisionedMembership(tenant_id=group.tenant_id, group=group, user_id=each) for each in came
    )
    return came | left


def _member_ids(resource: User | Group) -> set[str]:
    return kinds.member_ids(resource) if isinstance(resource, Group) else set()


@contextmanager
def _unique(kind: Kind) -> Iterator[None]:
    """Turn a key that is taken into SCIM's refusal of it."""
    try:
        yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        taken = next((what for ending, what in _KEYS.items() if name.endswith(ending)), None)
        if taken is None:  # somebody signed in, or was invited, at the same moment
            raise UnableToProvision("The same person was changed by somebody else.", fix="Send it again.") from error
        raise UnableToProvision(
            f"Another {kind.lower()} has this {taken}.",
            fix=f"Look for it by {taken}, and change that one.",
            scim_type="uniqueness",
        ) from error


_KEYS = {"_id_once": "externalId", "_name_once": "userName"}
"""The key that a constraint keeps, by how the constraint's name ends."""
