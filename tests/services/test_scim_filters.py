"""A filter in the database finds what the same filter finds by looking at each resource in memory."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import ScimFilter

from accounts.domain.provisioning.resources import MODELS, Kind
from accounts.models import ProvisionedGroup, ProvisionedUser
from accounts.queries.provisioning import filters, resources
from accounts.services.provisioning import resources as provisioning
from core import tenancy
from core.permissions import TenantRole
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEXTS = ("", "a", "A", "ann", "Ann%", "a_n", "Ä", "a\u0308", "İ", "ß", "z\\", 'q"uote', "zoë", "work", "user", "x" * 40)
PEOPLE: tuple[dict[str, Any], ...] = (
    {"userName": "ann", "displayName": "Ann%", "active": True, "externalId": "a"},
    {"userName": "Ä", "displayName": "", "active": False, "externalId": "A", "name": {"familyName": "zoë"}},
    {"userName": "a_n", "name": {"formatted": "", "givenName": "a"}, "emails": [{"value": "ann", "type": "Work"}]},
    {"userName": "İ", "active": False, "emails": [{"type": "work"}, {"value": "A", "primary": True}, {"value": "ß"}]},
    {"userName": 'q"uote', "displayName": "z\\", "emails": [{"value": "a", "type": "a", "primary": False}]},
    {"userName": "ßx", "displayName": "a\u0308", "externalId": "a\u0308", "name": {"familyName": "ANN"}},
)
GROUPS: tuple[tuple[str, tuple[int, ...]], ...] = (("A", (0, 1)), ("ann%", ()), ("Ä", (0, 3, 4)))


@pytest.fixture(scope="module")
def stored(module_db: None) -> Any:
    """A tenant's directory, as rows and as resources."""
    owner = make.member(make.tenant(), TenantRole.OWNER)
    with tenancy.scope(tenant_id=owner.tenant_id):
        more = {"tenant_id": owner.tenant_id, "by": make.actor(owner)}
        ids = [
            provisioning.create(kind="User", body=body, at=AT + timedelta(minutes=number), **more).row.pk
            for number, body in enumerate(PEOPLE)
        ]
        for name, members in GROUPS:
            body = {"displayName": name, "members": [{"value": str(ids[number])} for number in members]}
            provisioning.create(kind="Group", body=body, at=AT, **more)
    return owner.tenant_id, ids


def quoted(value: Any) -> str:
    return json.dumps(value)


MOMENTS = (*((AT + timedelta(minutes=number)).isoformat() for number in range(4)), "2026-11-22T12:01:00")
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "User": {
        "text": ("userName", "displayName", "externalId", "name.formatted", "name.familyName", "name.givenName", "id"),
        "entries": ("emails", "emails.value", "emails.type", "groups", "groups.display", "groups.value"),
        "flag": ("active", "emails.primary"),
        "moment": ("meta.created", "meta.lastModified"),
        "whole": ("name", "emails", "groups", "meta"),
        "inner": ("emails", "value", "type"),
    },
    "Group": {
        "text": ("displayName", "externalId", "id"),
        "entries": ("members", "members.value", "members.type"),
        "flag": (),
        "moment": ("meta.created",),
        "whole": ("members", "meta"),
        "inner": ("members", "value", "type"),
    },
}
ORDERS, TEXTUAL = ("gt", "ge", "lt", "le"), ("co", "sw", "ew")


def comparisons(names: tuple[str, ...], operators: tuple[str, ...], values: st.SearchStrategy[str]) -> Any:
    parts = st.tuples(st.sampled_from(names), st.sampled_from(operators), values)
    return parts.map(" ".join)


def leaves(kind: str) -> Any:
    names = KINDS[kind]
    texts, null = st.sampled_from(TEXTS).map(quoted), st.just("null")
    head, value, type_ = names["inner"]
    inside = st.one_of(
        comparisons((value, type_), ("eq", "ne", *TEXTUAL, *ORDERS), texts | null),
        st.sampled_from((f"{value} pr", f"{type_} pr")),
        st.just("primary eq true" if kind == "User" else f"{value} pr"),
    )
    found = [
        comparisons(names["text"] + names["entries"], ("eq", "ne", *TEXTUAL, *ORDERS), texts | null),
        comparisons(names["moment"], ("eq", "ne", *ORDERS, "co"), st.sampled_from(MOMENTS).map(quoted)),
        st.sampled_from([name for names_ in names.values() for name in names_ if name not in (value, type_)]).map(
            lambda name: f"{name} pr"
        ),
        st.one_of(inside, st.tuples(inside, inside).map(" and ".join), inside.map(lambda text: f"not ({text})")).map(
            lambda text: f"{head}[{text}]"
        ),
    ]
    if names["flag"]:
        found.append(comparisons(names["flag"], ("eq", "ne"), st.sampled_from(("true", "false", '"True"', "null"))))
    return st.one_of(found)


def expressions(kind: str) -> Any:
    return st.recursive(
        leaves(kind),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from((" and ", " or ")), inner).map(lambda found: f"({''.join(found)})"),
            inner.map(lambda text: f"not ({text})"),
        ),
        max_leaves=5,
    )


def both(kind: Kind, tenant_id: Any, text: str) -> tuple[set[str], set[str]]:
    """Return the ids that the database finds, and those that looking at each resource finds."""
    model: Any = ProvisionedUser if kind == "User" else ProvisionedGroup
    with tenancy.scope(tenant_id=tenant_id):
        rows = list(model.objects.filter(tenant_id=tenant_id))
        found = model.objects.filter(tenant_id=tenant_id).filter(filters.condition(kind, text))
        by_database = {str(pk) for pk in found.values_list("pk", flat=True)}
        told = resources.told(rows)
    bound: Any = ScimFilter.__class_getitem__(MODELS[kind])(text)
    return by_database, {each.id for each in told if bound.match(each)}


@pytest.mark.parametrize("kind", ["User", "Group"])
@pytest.mark.parametrize("examples", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_a_filter_finds_what_looking_finds(stored, kind, examples):
    tenant_id, _ = stored

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(expressions(kind))
    def holds(text):
        by_database, by_looking = both(kind, tenant_id, text)
        assert by_database == by_looking

    holds()


def test_a_filter_by_an_id_of_somebody_finds_them(stored):
    tenant_id, ids = stored
    for text in (f'id eq "{ids[0]}"', f'groups.value pr and id sw "{str(ids[0])[:8]}"', f'not (id ne "{ids[0]}")'):
        assert both("User", tenant_id, text) == ({str(ids[0])}, {str(ids[0])})
    by_database, by_looking = both("Group", tenant_id, f'members[value eq "{ids[3]}" and type eq "user"]')
    assert by_database == by_looking != set()


def test_what_has_no_value_differs_from_every_value(stored):
    tenant_id, _ = stored
    for text in (
        'displayName ne "a"', 'not (displayName eq "a")', 'not (displayName co "a" and active eq true)',
        "not (active eq false)", 'emails.type ne "work"', 'not (emails[type eq "work"])', "not (emails pr)",
        'emails[not (type eq "work")]', "externalId eq null", "emails.value eq null", 'not (externalId gt "A")',
    ):  # fmt: skip
        by_database, by_looking = both("User", tenant_id, text)
        assert by_database == by_looking != set(), text
