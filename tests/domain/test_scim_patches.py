"""A PATCH, whatever it says, leaves a resource as the schema has it, or is refused and leaves all as it was."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scim2_models import SCIMException

from accounts.domain.provisioning import patching, resources, wording
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
