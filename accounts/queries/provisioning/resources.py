"""Provisioned users and groups as SCIM resources: found, and told with their address, version and memberships."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet
from scim2_models import Meta, Reference

from accounts.domain.provisioning.resources import MODELS, POLICY, Group, GroupMember, Kind, User, UserGroup
from accounts.models import ProvisionedGroup, ProvisionedMembership, ProvisionedUser

type Row = ProvisionedUser | ProvisionedGroup


def service(*parts: object) -> str:
    """Return the address that a directory is given for all of SCIM, or of a part of it."""
    return "/".join([settings.PUBLIC_URL.rstrip("/"), "scim/v2", *map(str, parts)])


def address(kind: Kind, ident: UUID) -> str:
    """Return where a resource is found."""
    return service(f"{kind}s", ident)


def version_of(row: Row) -> str:
    """Return the entity tag of a row: weak, for the names of groups and members that it shows may change."""
    return f'W/"{row.version}"'


def users(*, tenant_id: UUID) -> QuerySet[ProvisionedUser]:
    """Return the users that the directory keeps."""
    return ProvisionedUser.objects.filter(tenant_id=tenant_id, deleted_at=None)


def groups(*, tenant_id: UUID) -> QuerySet[ProvisionedGroup]:
    """Return the groups that the directory keeps."""
    return ProvisionedGroup.objects.filter(tenant_id=tenant_id, deleted_at=None)


def find(kind: Kind, *, tenant_id: UUID, ident: UUID) -> Row | None:
    """Return a resource's row, unless it was deleted or never was."""
    rows: QuerySet[ProvisionedUser] | QuerySet[ProvisionedGroup]
    rows = users(tenant_id=tenant_id) if kind == "User" else groups(tenant_id=tenant_id)
    return rows.filter(pk=ident).first()


def told(rows: Sequence[Row], *, with_members: bool = True) -> list[User | Group]:
    """Return rows of one tenant as resources, with two queries at most; `with_members` tells who is in what."""
    members = _members([row.pk for row in rows if isinstance(row, ProvisionedGroup)]) if with_members else {}
    memberships = _groups([row.pk for row in rows if isinstance(row, ProvisionedUser)]) if with_members else {}
    return [
        _user(row, memberships.get(row.pk)) if isinstance(row, ProvisionedUser) else _group(row, members.get(row.pk))
        for row in rows
    ]


def sizes(rows: Sequence[Row]) -> dict[UUID, int]:
    """Return in how many groups each user is, and how many users are in each group; nothing for none."""
    found: dict[UUID, int] = {}
    for name, kind in (("group_id", ProvisionedGroup), ("user_id", ProvisionedUser)):
        if ids := [row.pk for row in rows if isinstance(row, kind)]:
            counted = ProvisionedMembership.objects.filter(**{f"{name}__in": ids}).values_list(name)
            found |= dict(counted.annotate(size=Count("pk")))
    return found


def _user(row: ProvisionedUser, memberships: list[UserGroup] | None) -> User:
    user = MODELS["User"].model_validate(row.resource, scim_ctx=None, scim_policy=POLICY)
    assert isinstance(user, User)
    user.id, user.meta, user.groups = str(row.pk), _meta(row, "User"), memberships
    return user


def _group(row: ProvisionedGroup, members: list[GroupMember] | None) -> Group:
    group = MODELS["Group"].model_validate(row.resource, scim_ctx=None, scim_policy=POLICY)
    assert isinstance(group, Group)
    group.id, group.meta, group.members = str(row.pk), _meta(row, "Group"), members
    return group


def _meta(row: Row, kind: Kind) -> Meta:
    return Meta(
        resource_type=kind,
        created=row.created_at,
        last_modified=row.modified_at,
        location=address(kind, row.pk),
        version=version_of(row),
    )


def people_in(group_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return the users in each of these groups of one tenant, in the order in which they came; nothing for none.

    Asked in two steps, each by a key: joined, a database that has not counted new rows yet compares each with each.
    """
    pairs = list(ProvisionedMembership.objects.filter(group_id__in=group_ids).values_list("group_id", "user_id"))
    there = ProvisionedUser.objects.filter(pk__in={user_id for _, user_id in pairs}, deleted_at=None)
    order = {
        ident: number for number, ident in enumerate(there.order_by("created_at", "pk").values_list("pk", flat=True))
    }
    found: dict[UUID, list[UUID]] = {}
    for group_id, user_id in sorted((pair for pair in pairs if pair[1] in order), key=lambda pair: order[pair[1]]):
        found.setdefault(group_id, []).append(user_id)
    return found


def _members(ids: Collection[UUID]) -> dict[UUID, list[GroupMember]]:
    return {
        group_id: [
            GroupMember.model_construct(value=str(each), ref=Reference(address("User", each)), type="User")
            for each in inside
        ]
        for group_id, inside in people_in(ids).items()
    }


def _groups(ids: Collection[UUID]) -> dict[UUID, list[UserGroup]]:
    found: dict[UUID, list[UserGroup]] = {}
    rows = ProvisionedMembership.objects.filter(user_id__in=ids, group__deleted_at=None).select_related("group")
    for row in rows.order_by("group__created_at", "group_id"):
        entry = UserGroup.model_construct(
            value=str(row.group_id), ref=Reference(address("Group", row.group_id)), display=str(row.group)
        )
        found.setdefault(row.user_id, []).append(entry)
    return found
