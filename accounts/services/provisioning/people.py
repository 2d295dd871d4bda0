"""Doing to members what follows from what the directory says of people, or on trial only saying what would be done."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.domain import directory, people, roles, signing_in
from accounts.domain.directory import Key
from accounts.domain.provisioning import plans
from accounts.domain.provisioning.plans import Outcome, Plan, Reason, Said, Standing
from accounts.domain.provisioning.resources import User as DirectoryUser
from accounts.domain.provisioning.resources import comparable, exact, first_address, full_name
from accounts.models import LinkedIdentity, Member, ProvisionedUser, Provisioning, SsoConnection
from accounts.models.identities import Source
from accounts.queries import enforcement, identities
from accounts.queries.provisioning import resources as known
from accounts.services import identity_links, members
from core.actor import Actor
from core.permissions import TenantRole


@dataclass(frozen=True, slots=True)
class Authority:
    """In whose name something is done, and the roles that are theirs to give."""

    by: Actor
    grantable: frozenset[str]

    @classmethod
    def of(cls, by: Actor) -> "Authority":
        """Return the authority of a directory's token."""
        return cls(by, frozenset(role.value for role in roles.grantable(by.roles)))


def is_enabled(*, tenant_id: UUID) -> bool:
    """Say whether what the directory says changes members; so it stays until the caller's transaction ends."""
    stand_still(tenant_id=tenant_id)
    return Provisioning.objects.filter(tenant_id=tenant_id, enabled_at__isnull=False).exists()


def stand_still(*, tenant_id: UUID, alone: bool = False) -> None:
    """Let nobody end the trial or go back to it until the caller's transaction ends; `alone`: wait for all who do so.

    Else a call that found the trial would commit after the job that makes up for it, and nobody would.
    """
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(hashtextextended(%s, 0))", [f"accounts.provisioning:{tenant_id}"])


def known_as(user: DirectoryUser) -> tuple[Key, str]:
    """Return by what somebody is found here: their key, and their address."""
    return directory.provisioned(external_id=user.external_id, user_name=user.user_name or ""), _address(user)


def given_roles(row: ProvisionedUser) -> set[str]:
    """Return the roles that a person's groups give."""
    return set(row.memberships.filter(group__deleted_at=None).values_list("group__role", flat=True)) - {""}


def may_change(ids: Collection[UUID], *, tenant_id: UUID, authority: Authority) -> bool:
    """Say whether the roles that these people have here are the caller's to take away.

    Asked before anything is kept: a job does later what was kept, in the name of whoever ended the trial.
    """
    return not beyond(tenant_id=tenant_id, authority=authority).filter(pk__in=list(ids)).exists()


def beyond(*, tenant_id: UUID, authority: Authority) -> QuerySet[ProvisionedUser]:
    """Return the people of the directory whose roles here are not the caller's to take away."""
    others = LinkedIdentity.objects.filter(tenant_id=tenant_id, member__deactivated_at=None)
    keys = list(others.exclude(member__role__in=authority.grantable).values_list("external_id", "user_name"))
    named = Q(external_id__in=[exact(ident) for ident, _ in keys if ident])
    named |= Q(name_key__in=[comparable(name) for _, name in keys if name])
    return ProvisionedUser.objects.filter(named, tenant_id=tenant_id)


def settle(row: ProvisionedUser, *, authority: Authority, at: datetime, enabled: bool) -> Plan:
    """Do what follows for a person, inside the caller's transaction; on trial only note what would. Safe to repeat."""
    user = known.told([row])[0]
    assert isinstance(user, DirectoryUser)
    key, address = known_as(user)
    planned, decision = _planned(row, key=key, address=address, grantable=authority.grantable)
    if enabled:
        _carry_out(row, planned, decision, key=key, address=address, name=full_name(user), by=authority.by, at=at)
    row.outcome, row.reason = planned.outcome.value, planned.reason.value if planned.reason else ""
    row.save(update_fields=["outcome", "reason", "put_out_at", "given_role"])
    return planned


def settle_all(
    ids: Iterable[UUID], *, tenant_id: UUID, authority: Authority, at: datetime, enabled: bool
) -> list[Plan]:
    """Do it for several people, whose groups have changed."""
    rows = ProvisionedUser.objects.select_for_update().filter(tenant_id=tenant_id, pk__in=list(ids), deleted_at=None)
    return [settle(row, authority=authority, at=at, enabled=enabled) for row in rows.order_by("pk")]


def _planned(
    row: ProvisionedUser, *, key: Key, address: str, grantable: Collection[str]
) -> tuple[Plan, signing_in.Decision]:
    addresses = (address,) if address else ()
    facts = identities.facts(tenant_id=row.tenant_id, is_accepted=True, key=key, addresses=addresses)
    facts = replace(facts, joining=facts.domains)  # who enables provisioning admits whom the directory names
    decision = signing_in.decide(facts)
    linked = directory.match(key, facts.identities).found
    standing = _standing(linked, decision, row.tenant_id)
    said = Said(
        is_present=row.is_active and row.deleted_at is None,
        has_address=bool(address),
        role=plans.widest(given_roles(row)),
        given_role=row.given_role,
        put_out_at=_put_out_at(row, standing),
    )
    found = plans.plan(said, decision=decision, standing=standing, grantable=grantable)
    is_proven = people.domain_of(address) in facts.domains
    if found.reason is Reason.NOT_PROVEN and is_proven and facts.is_known_elsewhere:
        found = replace(found, reason=Reason.ELSEWHERE)
    return found, decision


def _standing(linked: signing_in.Identity | None, decision: signing_in.Decision, tenant_id: UUID) -> Standing | None:
    named = linked.member_id if linked is not None else decision.member_id
    member = Member.objects.filter(pk=named, tenant_id=tenant_id).first() if named else None
    if member is None:
        return None
    owners = Member.objects.filter(tenant_id=tenant_id, role=TenantRole.OWNER, deactivated_at=None)
    is_last = member.role == TenantRole.OWNER and member.deactivated_at is None and owners.count() == 1
    is_named = enforcement.break_glass(tenant_id=tenant_id).filter(member=member).exists()
    return Standing(member.pk, member.role, linked is not None, member.deactivated_at, is_last, is_named)


def _put_out_at(row: ProvisionedUser, standing: Standing | None) -> datetime | None:
    """Return when the directory put somebody out, also by deleting them before it sent them again."""
    ended = standing.deactivated_at if standing is not None else None
    if ended is None or row.put_out_at == ended:
        return row.put_out_at
    same = Q(name_key=row.name_key)
    if row.external_id:  # with another id, the name has a new owner
        same = Q(external_id=row.external_id) | (same & Q(external_id=""))
    deleted = ProvisionedUser.objects.filter(same, tenant_id=row.tenant_id, deleted_at__isnull=False)
    return ended if deleted.filter(put_out_at=ended).exists() else row.put_out_at


def _carry_out(
    row: ProvisionedUser, plan: Plan, decision: signing_in.Decision, *, key: Key, address: str, name: str, by: Actor,
    at: datetime,
) -> None:  # fmt: skip
    tenant_id = row.tenant_id
    if plan.outcome is Outcome.JOINED:
        SsoConnection.objects.select_for_update().filter(tenant_id=tenant_id).first()  # one newcomer after the other
        joined = members.join(
            tenant_id=tenant_id, address=address, name=name, role=plan.role, why="provisioning", by=by, at=at
        )
        identity_links.link(member=joined, key=key, source=Source.PROVISIONING, by=by, at=at)
        row.given_role = plan.role if plan.role != TenantRole.MEMBER else ""
        return
    if plan.outcome is Outcome.WAITING and plan.member_id:
        identity_links.propose(
            member_id=plan.member_id, reason=decision.reason, tenant_id=tenant_id, key=key, by=by, at=at
        )
    if plan.member_id is None:
        return
    member = Member.objects.select_related("user").get(pk=plan.member_id, tenant_id=tenant_id)
    if plan.links:
        identity_links.link(member=member, key=key, source=Source.PROVISIONING, by=by, at=at)
    elif decision.reason is signing_in.Reason.LINKED:
        identity_links.complete(tenant_id=tenant_id, key=key, by=by, at=at)
    if plan.outcome is Outcome.PUT_OUT:
        members.deactivate(member=member, by=by, at=at, durable=False)
        row.put_out_at = at
    elif plan.outcome is Outcome.CAME_BACK:
        members.reactivate(member=member, by=by, at=at)
        row.put_out_at = None
    elif plan.outcome is Outcome.ROLE:
        members.change_role(member=member, role=plan.role, by=by, at=at, durable=False)
        row.given_role = plan.role if plan.role != TenantRole.MEMBER else ""


def _address(user: DirectoryUser) -> str:
    """Return the address by which somebody is found: the one to use, or a userName that is one."""
    found = first_address(user) or user.user_name or ""
    return found.strip().lower() if people.domain_of(found) and len(found) <= 254 else ""
