"""Which of a provider's attributes says what of a person: a tenant's own mapping, for the test and for sign-in alike.

Without one, the usual names are tried. A mapping does not add to them but takes their place: whoever says which
attribute is the address has said that no other is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from accounts.domain import directory, people
from core.permissions import TenantRole
from core.saml import Assertion, Attribute

NAME_ID = "NameID"
LONGEST_NAME = 300
MOST_GROUPS = 100
GRANTABLE = (TenantRole.ADMIN, TenantRole.AUDITOR, TenantRole.MEMBER)
"""What a group may make of a person, the most powerful first; never an owner, who signs for the customer."""

LABELS = {
    "email": "E-mail address",
    "first_name": "First name",
    "last_name": "Last name",
    "external_id": "Lasting id",
    "groups": "Groups",
}
USUAL = {
    "email": people.EMAIL_ATTRIBUTES,
    "first_name": frozenset({
        "firstname", "first_name", "givenname", "given_name", "urn:oid:2.5.4.42",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
    }),
    "last_name": frozenset({
        "lastname", "last_name", "surname", "sn", "familyname", "family_name", "urn:oid:2.5.4.4",
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
    }),
    "external_id": directory.EXTERNAL_ID_ATTRIBUTES,
    "groups": frozenset({
        "groups", "group", "memberof", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
        "http://schemas.xmlsoap.org/claims/group",
    }),
}  # fmt: skip
"""How providers call them where nothing is chosen, in lower case."""

CANONICAL = {"email": "email", "first_name": "firstName", "last_name": "lastName", "external_id": "externalId",
             "groups": "groups"}  # fmt: skip


class NotMappableError(ValueError):
    """The mapping cannot be; the message says why."""


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """The name of the attribute for each thing we want to know; empty where the usual names are tried.

    `roles` says which group makes what of a person who joins.
    """

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    external_id: str = ""
    groups: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> dict[str, Any]:
        """The mapping as JSON; nothing for the usual names alone."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class Person:
    """What an assertion says of a person, by a mapping."""

    addresses: tuple[str, ...] = ()
    first_name: str = ""
    last_name: str = ""
    external_id: str = ""
    groups: tuple[str, ...] = ()
    role: TenantRole = TenantRole.MEMBER


def parse(values: Mapping[str, str], *, roles: str | Mapping[str, str]) -> AttributeMapping:
    """Read a mapping as it was given; raises NotMappableError.

    `roles` says of each group which role it gives: as it is typed, a line `group = role` each, or as a mapping.
    """
    chosen = {name: values.get(name, "").strip() for name in LABELS}
    for name, value in chosen.items():
        if len(value) > LONGEST_NAME or not value.isprintable():
            raise NotMappableError(f"The attribute for “{LABELS[name]}” has no name that an attribute may have.")
    twice = [value for value in chosen.values() if value and list(chosen.values()).count(value) > 1]
    if twice:
        raise NotMappableError(f"“{twice[0]}” is chosen for two things. Choose another attribute for one of them.")
    for name in ("first_name", "last_name", "groups"):
        if chosen[name] == NAME_ID:
            raise NotMappableError(f"The NameID is no {LABELS[name].lower()}.")
    return AttributeMapping(**chosen, roles=_roles(roles))


def stored(plain: Mapping[str, Any]) -> AttributeMapping:
    """Return a mapping from its JSON; names of another version are left out."""
    known = {name: plain[name] for name in (*LABELS, "roles") if name in plain}
    return AttributeMapping(**known)


def applied(assertion: Assertion, mapping: AttributeMapping) -> Assertion:
    """Return the assertion with the chosen attributes under their usual names, and none beside them under those names.

    Everything that reads an assertion then reads what the mapping says. Nothing else in it changes.
    """
    chosen = {name: value for name in LABELS if (value := getattr(mapping, name))}
    if not chosen:
        return assertion
    kept = [
        each
        for each in assertion.attributes
        if each.name not in chosen.values() and not any(_is_usual(each, name) for name in chosen)
    ]
    told = [Attribute(CANONICAL[name], values) for name, value in chosen.items() for values in _said(assertion, value)]
    if "email" in chosen and not any(each.name == CANONICAL["email"] for each in told):
        told.append(Attribute(CANONICAL["email"], ("",)))  # or the NameID would be taken for the address after all
    return replace(assertion, attributes=(*kept, *told))


def person(assertion: Assertion, mapping: AttributeMapping) -> Person:
    """Return what an assertion says of a person."""
    found = applied(assertion, mapping)
    groups = _values(found, "groups")
    return Person(
        addresses=tuple(filter(None, people.addresses(found))),
        first_name=_one(found, "first_name"),
        last_name=_one(found, "last_name"),
        external_id=_one(found, "external_id"),
        groups=groups,
        role=role_of(groups, mapping.roles),
    )


def role_of(groups: Iterable[str], roles: Mapping[str, str]) -> TenantRole:
    """Return the most powerful role that one of the groups gives; a member's where none gives any."""
    given = {roles[group] for group in groups if group in roles}
    return next((role for role in GRANTABLE if role.value in given), TenantRole.MEMBER)


def names(assertion: Assertion) -> tuple[str, ...]:
    """Return the names of the attributes that an assertion has, each once."""
    return tuple(dict.fromkeys(attribute.name for attribute in assertion.attributes if attribute.name))


def _roles(given: str | Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    allowed = {role.value for role in GRANTABLE}
    for group, role in _pairs(given):
        if not group or role.lower() not in allowed or len(group) > LONGEST_NAME or not group.isprintable():
            listed = ", ".join(sorted(allowed))
            typed = "Write one group and its role per line, as “Pilots = member”."
            named = f"The name of a group has 1 to {LONGEST_NAME} visible characters."
            raise NotMappableError(f"{typed if isinstance(given, str) else named} Roles are {listed}.")
        if found.setdefault(group, role.lower()) != role.lower():
            raise NotMappableError(f"The group “{group}” has two roles.")
    if len(found) > MOST_GROUPS:
        raise NotMappableError(f"More than {MOST_GROUPS} groups.")
    return found


def _pairs(given: str | Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if not isinstance(given, str):
        yield from ((group.strip(), role) for group, role in given.items())
        return
    for line in filter(None, map(str.strip, given.splitlines())):
        group, _, role = line.rpartition("=")  # without a sign there is no group
        yield group.strip(), role.strip()


def _said(assertion: Assertion, chosen: str) -> tuple[tuple[str, ...], ...]:
    """Return the values of each attribute with this name; more than one is for the rules to refuse."""
    if chosen == NAME_ID:
        return ((assertion.name_id,),) if assertion.name_id else ()
    return tuple(each.values for each in assertion.attributes if each.name == chosen)


def _is_usual(attribute: Attribute, name: str) -> bool:
    if attribute.name.lower() in USUAL[name]:
        return True
    return name == "email" and attribute.friendly.lower() in people.FRIENDLY_EMAIL


def _values(assertion: Assertion, name: str) -> tuple[str, ...]:
    found = (value for each in assertion.attributes if each.name.lower() in USUAL[name] for value in each.values)
    return tuple(dict.fromkeys(filter(None, map(str.strip, found))))


def _one(assertion: Assertion, name: str) -> str:
    found = _values(assertion, name)
    return found[0] if len(found) == 1 else ""
