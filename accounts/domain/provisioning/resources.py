"""People and groups as a directory sends them by SCIM 2.0 (RFC 7643): what of them is kept, and how it is read.

A directory may send more (titles, addresses, telephones, managers): it is accepted, and nothing of it is kept. What is
kept is what finds a member, names them, and says whether they still belong to the organisation.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    Context,
    ETag,
    Filter,
    InvalidValueException,
    Mutability,
    Patch,
    Path,
    Reference,
    Required,
    Resource,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from accounts.domain.provisioning import membership

type Kind = Literal["User", "Group"]

LONGEST = 320
"""Characters of a key: `userName`, `externalId`, the name of a group, an address."""
LONGEST_NAME = 200
MOST_EMAILS = 10
MOST_MEMBERS = membership.MOST
MOST_RESULTS = 200
"""Resources on a page of a list."""


class Name(ComplexAttribute):
    """The components of the user's name."""

    formatted: str | None = None
    """The full name, formatted for display."""

    family_name: str | None = None
    """The family name."""

    given_name: str | None = None
    """The given name."""


class Email(ComplexAttribute):
    """An e-mail address of the user."""

    value: str | None = None
    """The address."""

    type: str | None = Field(None, examples=["work", "home", "other"])
    """What the address is for."""

    primary: bool | None = None
    """Whether it is the one to use."""


class UserGroup(ComplexAttribute):
    """A group that the user is in."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The id of the group."""

    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the group."""

    display: Annotated[str | None, Mutability.read_only] = None
    """The name of the group."""


class User(Resource[Any]):
    """A person of the organisation."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name by which the person signs in, unique in the organisation."""

    name: Name | None = None
    """The components of the person's name."""

    display_name: str | None = None
    """The name to show."""

    active: bool | None = None
    """Whether the person may still sign in. Where nothing is said, they may, until something else is."""

    emails: list[Email] | None = None
    """The person's e-mail addresses."""

    groups: Annotated[list[UserGroup] | None, Mutability.read_only] = None
    """The groups that the person is in; they change by the groups."""


class GroupMember(ComplexAttribute):
    """A person in the group."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    """The id of the user."""

    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of the user."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """What the member is: always a user."""


class Group(Resource[Any]):
    """A group of people of the organisation. Groups are not nested."""

    __schema__ = URN(membership.SCHEMA)

    display_name: Annotated[str | None, Required.true] = None
    """The name of the group."""

    members: list[GroupMember] | None = None
    """Who is in the group."""


MODELS: dict[Kind, type[User] | type[Group]] = {"User": User, "Group": Group}

POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What is tolerated: more attributes than we keep, and what Entra ID does otherwise than RFC 7644 says."""


def provider(*, documentation: str) -> ScimProvider:
    """Return the description of this service; `documentation` is the address of the guide."""
    return ScimProvider(
        models=[User, Group],
        policy=POLICY,
        config=ServiceProviderConfig(
            documentation_uri=Reference(documentation),
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=MOST_RESULTS),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=True),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="Bearer token",
                    description="A token of the account with the scope “scim”.",
                    spec_uri=Reference("https://www.rfc-editor.org/info/rfc6750"),
                    primary=True,
                )
            ],
        ),
    )


def comparable(text: str) -> str:
    """Return the form in which texts are compared whose case does not count (RFC 7643 2.1)."""
    return POLICY.comparison_key(_NAME, text)


def exact(text: str) -> str:
    """Return the form in which texts are compared whose case counts: accents written one way."""
    return POLICY.comparison_key(_EXTERNAL_ID, text)


_NAME = Path[User]("userName").resolve()
_EXTERNAL_ID = Path[User]("externalId").resolve()


def kept(resource: User | Group) -> dict[str, Any]:
    """Return what is stored of a resource as it was sent: neither ids nor what other tables know."""
    plain = resource.model_dump(scim_ctx=None, exclude_none=True, by_alias=True, mode="json")
    return {name: value for name, value in plain.items() if name not in _ELSEWHERE}


_ELSEWHERE = frozenset({"id", "meta", "schemas", "groups", "members"})


def facts(resource: User | Group) -> dict[str, str | bool]:
    """Return the comparable form of each attribute with one value, by its path: what filters and sorting look at."""
    found: dict[str, str | bool] = {}
    if isinstance(resource, User):
        name = resource.name or Name()
        texts = {
            "displayName": resource.display_name,
            "name.formatted": name.formatted,
            "name.familyName": name.family_name,
            "name.givenName": name.given_name,
        }
        found |= {path: comparable(text) for path, text in texts.items() if text is not None}
        if resource.active is not None:
            found["active"] = resource.active
        if entries := resource.emails:
            sorted_by = next((entry for entry in entries if entry.primary), entries[0])
            found |= {"emails": comparable(sorted_by.value)} if sorted_by.value is not None else {}
    return found


def first_address(user: User) -> str:
    """Return the address to use: the primary one, or the work one, or the first."""
    entries = [entry for entry in user.emails or () if entry.value]
    ranked = sorted(entries, key=lambda entry: (not entry.primary, (entry.type or "").lower() != "work"))
    return (ranked[0].value or "") if ranked else ""


def full_name(user: User) -> str:
    """Return the name by which to show somebody; empty where the directory told none."""
    name = user.name or Name()
    parts = " ".join(filter(None, (name.given_name, name.family_name)))
    return (user.display_name or name.formatted or parts).strip()[:LONGEST_NAME]


def check(resource: User | Group) -> None:
    """Refuse what cannot be kept, naming the attribute: texts too long, blank keys, too many entries."""
    for path, text, most in _texts(resource):
        length = max(len(text), len(comparable(text)))
        if length > most:
            raise InvalidValueException(detail=f"{path} has {length} characters; at most {most} are kept.")
    if isinstance(resource, User):
        _require("userName", resource.user_name)
        _count("emails", resource.emails, MOST_EMAILS)
    else:
        _require("displayName", resource.display_name)
        _count("members", resource.members, MOST_MEMBERS)


def _require(name: str, text: str | None) -> None:
    if not (text or "").strip():
        raise InvalidValueException(detail=f"{name} is required and must not be blank.")


def _count(name: str, entries: Sequence[object] | None, most: int) -> None:
    if len(entries or ()) > most:
        raise InvalidValueException(detail=f"{name} has {len(entries or ()):,} entries; at most {most:,} are kept.")


def _texts(resource: User | Group) -> Iterator[tuple[str, str, int]]:
    """Yield every text that would be kept: its path, itself, and how long it may be."""
    found: list[tuple[str, str | None, int]] = [
        ("externalId", resource.external_id, LONGEST),
        ("displayName", resource.display_name, LONGEST),
    ]
    if isinstance(resource, User):
        name = resource.name or Name()
        found += [
            ("userName", resource.user_name, LONGEST),
            ("name.formatted", name.formatted, LONGEST_NAME),
            ("name.familyName", name.family_name, LONGEST_NAME),
            ("name.givenName", name.given_name, LONGEST_NAME),
        ]
        for entry in resource.emails or ():
            found += [("emails.value", entry.value, LONGEST), ("emails.type", entry.type, LONGEST_NAME)]
    yield from ((path, text, most) for path, text, most in found if text is not None)


def member_ids(group: Group) -> set[str]:
    """Return the ids of who is in a group."""
    return {entry.value or "" for entry in group.members or ()}


def with_members(group: Group, ids: Iterable[str]) -> Group:
    """Return a copy of a group with these people in it; its own parts are the same objects."""
    entries = [GroupMember.model_construct(value=ident, type="User") for ident in dict.fromkeys(ids)]
    return group.model_copy(update={"members": entries or None})


def created(kind: Kind, body: Any) -> User | Group:
    """Read the body of a POST; raises what `scim2_models` raises for a body that is none."""
    return _read(kind, body, Context.RESOURCE_CREATION_REQUEST)


def replaced(kind: Kind, body: Any, original: User | Group) -> User | Group:
    """Read the body of a PUT over what stands."""
    resource: Any = _read(kind, body, Context.RESOURCE_REPLACEMENT_REQUEST)
    if isinstance(resource, User):
        with POLICY:
            resource.replace(cast("User", original))
        return resource
    bare = with_members(resource, ())
    with POLICY:
        bare.replace(with_members(cast("Group", original), ()))
    return with_members(bare, sorted(member_ids(resource)))


def _read(kind: Kind, body: Any, context: Context) -> User | Group:
    ids: list[str] = []
    if kind == "Group":
        body, ids = membership.taken_out(body)
    resource = MODELS[kind].model_validate(body, scim_ctx=context, scim_policy=POLICY)
    if isinstance(resource, Group):
        resource = with_members(resource, ids)
    check(resource)
    return resource
