"""A PATCH, whatever it says, leaves a resource as the schema has it, or is refused and leaves all as it was."""

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scim2_models import SCIMException

from accounts.domain.provisioning import membership, patching, resources, wording
from core.api import scim

SCHEMAS = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
USER = resources.created(
    "User",
    {
        "userName": "bjensen",
        "externalId": "1",
        "name": {"familyName": "Jensen"},
        "active": True,
        "emails": [{"value": "a@hawaiian.example", "type": "work", "primary": True}, {"value": "b@hawaiian.example"}],
    },
)
GROUP = resources.created("Group", {"displayName": "Pilots", "members": [{"value": "1"}, {"value": "2"}]})

PATHS = st.sampled_from(
    (
        *("userName", "externalId", "displayName", "active", "name", "name.familyName", "NAME.givenname", "emails"),
        *(
            "emails.value",
            "emails.primary",
            'emails[type eq "work"]',
            'emails[type eq "home"].value',
            "emails[primary]",
        ),
        *('emails[type eq "work" and value co "a"].primary', "emails[type ne null].type", "groups", "groups.value"),
        *("id", "meta", "meta.version", "schemas", "members", 'members[value eq "1"]', "members.value", "title", ""),
        *("urn:ietf:params:scim:schemas:core:2.0:User:userName", "urn:ietf:params:scim:schemas:core:2.0:User", "a b"),
        *("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "$ref", "emails[", "😀"),
    )
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(("True", "false", "work", "1", " ", "x" * 400)),
)  # fmt: skip
ENTRIES = st.dictionaries(
    st.sampled_from(("value", "type", "primary", "display", "$ref", "Value", "familyName", "other")),
    SCALARS,
    max_size=3,
)
VALUES = st.recursive(SCALARS | ENTRIES, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(("add", "Replace", "remove", "Remove", "move", None))},
    optional={"path": PATHS | SCALARS, "value": VALUES | st.dictionaries(PATHS, VALUES, max_size=3)},
)
BODIES = st.fixed_dictionaries(
    {"Operations": st.lists(OPERATIONS, min_size=1, max_size=4)}, optional={"schemas": st.just(SCHEMAS)}
)


@settings(max_examples=80)
@given(st.sampled_from((USER, GROUP)), BODIES | VALUES)
def test_a_patch_leaves_a_valid_resource_or_is_refused(stands: Any, body: Any) -> None:
    before = stands.model_dump()
    try:
        patched = patching.patched(stands, body)
    except (SCIMException, ValidationError) as refusal:
        status, scim_type, detail = scim.of_error(refusal) or (0, "", "")
        assert status == 400
        assert scim_type
        assert detail
    else:
        kind = type(stands).__name__
        resources.check(patched)
        kept = resources.kept(patched)
        assert resources.kept(resources.created(kind, kept)) == kept
        resources.facts(patched)
        assert patched.id == stands.id
        primary = [each for each in getattr(patched, "emails", None) or () if each.primary]
        assert len(primary) <= 1
    assert stands.model_dump() == before
    wording.of_body(body)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "emails[" + " or ".join(['value eq "a"'] * 200) + "].value", "value": "x"},
        {"op": "add", "value": {"emails[" + " or ".join(['value eq "a"'] * 200) + "].value": "x"}},
        {"op": "add", "value": {f"a{number}": [{}] for number in range(101)}},
    ],
)
def test_what_would_take_long_to_read_is_refused_before(operation: Any) -> None:
    with pytest.raises(SCIMException, match="at most"):
        patching.patched(USER, {"schemas": SCHEMAS, "Operations": [operation]})


def test_a_quotation_without_an_end_is_told_to_nobody() -> None:
    assert wording.impersonal("No such path “ann@airline.example") == "No such path “…”"
    assert "ann@" not in wording.impersonal("No such path “" + "ann@airline.example " * 500 + "”")


MEMBERS: tuple[tuple[Any, list[str] | str], ...] = (
    ({"op": "add", "path": "members", "value": [{"value": "3"}, {"value": "1"}]}, ["1", "2", "3"]),
    ({"op": "Add", "path": "members", "value": {"value": "3"}}, ["1", "2", "3"]),
    ({"op": "Add", "value": {"members": [{"Value": "3"}]}}, ["1", "2", "3"]),
    ({"op": "add", "path": f"{membership.SCHEMA}:members", "value": [{"value": "3"}]}, ["1", "2", "3"]),
    ({"op": "add", "path": 'members[value eq "3"]', "value": {"value": "3"}}, ["1", "2", "3"]),
    ({"op": "Remove", "path": "members", "value": [{"value": "1"}]}, ["2"]),
    ({"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "1"}]}, ["2"]),
    ({"op": "remove", "path": 'members[value eq "1"]'}, ["2"]),
    ({"op": "remove", "path": 'MEMBERS [ Value EQ "1" ]'}, ["2"]),
    ({"op": "remove", "path": 'members[value eq "9"]'}, ["1", "2"]),
    ({"op": "remove", "path": 'members[value eq "1" or value eq "2"]'}, []),
    ({"op": "remove", "path": 'members[type eq "user" and not (value eq "1")]'}, ["1"]),
    ({"op": "remove", "path": 'members[value sw "2" or value ge "9"]'}, ["1"]),
    ({"op": "remove", "path": "members[value pr]"}, []),
    ({"op": "remove", "path": 'members[type ne "User"]'}, ["1", "2"]),
    ({"op": "remove", "path": "members[value eq 1]"}, ["1", "2"]),
    ({"op": "remove", "path": "members"}, []),
    ({"op": "replace", "path": "members", "value": [{"value": "3"}]}, ["3"]),
    ({"op": "replace", "path": "members", "value": []}, []),
    ({"op": "replace", "path": "members", "value": None}, []),
    ({"op": "replace", "path": 'members[value eq "1"]', "value": {"value": "1"}}, ["1", "2"]),
    ({"op": "replace", "path": 'members[value eq "1"]', "value": {"value": "3"}}, "mutability"),
    ({"op": "replace", "path": 'members[value eq "9"]', "value": {"value": "9"}}, "noTarget"),
    ({"op": "replace", "path": "members[value eq]", "value": {"value": "9"}}, "invalidPath"),
    ({"op": "replace", "path": "members.value", "value": "9"}, "mutability"),
    ({"op": "remove", "path": 'members[value eq "1"].display'}, "mutability"),
    ({"op": "remove", "path": 'members[display eq "Ann"]'}, "invalidPath"),
    ({"op": "remove", "path": 'members[$ref eq "x"]'}, "invalidPath"),
    ({"op": "add", "path": "members"}, "invalidValue"),
    ({"op": "replace", "path": "members"}, "invalidValue"),
    ({"op": "Add", "path": "members", "value": "3"}, ["1", "2", "3"]),
    ({"op": "Add", "path": "members", "value": ["3"]}, ["1", "2", "3"]),
    ({"op": "add", "path": "members", "value": [7]}, "invalidValue"),
    ({"op": "add", "path": "members", "value": [["3"]]}, "invalidValue"),
    ({"op": "add", "path": "members", "value": [{"display": "Ann"}]}, "invalidValue"),
    ({"op": "add", "path": "members", "value": [{"value": "3", "type": "Group"}]}, "invalidValue"),
    ({"op": "move", "path": "members", "value": [{"value": "3"}]}, "invalidValue"),
)


@pytest.mark.parametrize(("operation", "expected"), MEMBERS, ids=lambda each: str(each)[:70])
def test_who_is_in_a_group_after_an_operation(operation: Any, expected: list[str] | str) -> None:
    body = {"schemas": SCHEMAS, "Operations": [operation]}
    if isinstance(expected, list):
        after = patching.patched(GROUP, body)
        assert isinstance(after, resources.Group)
        assert sorted(resources.member_ids(after)) == expected
        return
    with pytest.raises((SCIMException, ValidationError)) as refusal:
        patching.patched(GROUP, body)
    told = scim.of_error(refusal.value)
    assert told is not None
    assert told[:2] == (400, expected)


def test_an_operation_on_members_costs_what_it_names_and_not_its_square() -> None:
    def calls(count: int) -> int:
        ids = [f"{number:04}" for number in range(count)]
        group = resources.created("Group", {"displayName": "All", "members": [{"value": each} for each in ids]})
        operations = [
            {"op": "remove", "path": "members", "value": [{"value": each} for each in ids[: count // 2]]},
            *({"op": "remove", "path": f'members[value eq "{each}"]'} for each in ids[count // 2 :]),
        ]
        made = 0

        def count_one(*_: Any) -> None:
            nonlocal made
            made += 1

        sys.setprofile(count_one)
        try:
            patching.patched(group, {"schemas": SCHEMAS, "Operations": operations})
        finally:
            sys.setprofile(None)
        return made

    calls(10)  # what is read once
    assert calls(400) < 3 * calls(200)


def test_filters_that_look_at_everybody_are_few() -> None:
    search = {"op": "remove", "path": 'members[value co "x"]'}
    allowed = {"schemas": SCHEMAS, "Operations": [search] * membership.MOST_SEARCHES}
    patching.patched(GROUP, allowed)
    with pytest.raises(SCIMException, match="at most"):
        patching.patched(GROUP, {**allowed, "Operations": [search] * (membership.MOST_SEARCHES + 1)})
