"""What Entra ID, Okta, OneLogin and JumpCloud send in a person's and a group's life, after their public documentation.

Each line is one call: what is sent, what has to be answered, and what of the answer the client goes on with.
"""

from typing import Any

import pytest

from core.permissions import TenantRole
from tests import make
from tests.scim import GROUP, PATCH, USER, Directory

pytestmark = pytest.mark.django_db
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
OKTA_GROUP = {"schemas": [GROUP], "displayName": "Pilots", "members": []}
type Call = tuple[str, str, Any, int, dict[str, Any]]


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def person(**more: Any) -> dict[str, Any]:
    return {
        "schemas": [USER],
        "userName": "jyoung@hawaiian.example",
        "externalId": "0a21f0f2-8d2a-4f8e",
        "active": True,
        "displayName": "Joy Young",
        "emails": [{"primary": True, "type": "work", "value": "jyoung@hawaiian.example"}],
        "name": {"familyName": "Young", "givenName": "Joy", "formatted": "Joy Young"},
        **more,
    }


ENTRA: tuple[Call, ...] = (
    # Test Connection asks for somebody who cannot be there.
    ("GET", 'Users?filter=userName eq "1f1d3b4a-9a1c-4b0e-8d9a-5b7d0e8c9f00"', None, 200, {"totalResults": 0}),
    ("GET", 'Users?filter=externalId eq "0a21f0f2-8d2a-4f8e"', None, 200, {"totalResults": 0}),
    ("GET", 'Users?filter=emails[type eq "work"].value eq "jyoung@hawaiian.example"', None, 200, {"totalResults": 0}),
    (
        "POST", "Users",
        person(
            schemas=[USER, ENTERPRISE], meta={"resourceType": "User"}, roles=[],
            **{ENTERPRISE: {"department": "Crew", "manager": {"value": "m"}}},
        ),
        201, {"userName": "jyoung@hawaiian.example", "active": True},
    ),
    ("GET", "Users/{user}", None, 200, {"externalId": "0a21f0f2-8d2a-4f8e"}),
    ("GET", 'Users?filter=userName eq "JYOUNG@hawaiian.example"', None, 200, {"totalResults": 1}),
    (
        "PATCH", "Users/{user}",
        patch(
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "joy@hawaiian.example"},
            {"op": "Replace", "path": "name.familyName", "value": "Old"},
            {"op": "Add", "path": "title", "value": "Captain"},
            {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "1"},
            {"op": "Add", "path": 'roles[primary eq "True"].value', "value": "Crew"},
            {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "m2"},
        ),
        200, {"name": {"familyName": "Old", "givenName": "Joy", "formatted": "Joy Young"}},
    ),
    ("PATCH", "Users/{user}", patch({"op": "Replace", "path": "active", "value": "False"}), 200, {"active": False}),
    ("PATCH", "Users/{user}", patch({"op": "Replace", "path": "active", "value": "True"}), 200, {"active": True}),
    ("PATCH", "Users/{user}", patch({"op": "Replace", "value": {"active": False}}), 200, {"active": False}),
    ("GET", 'Groups?excludedAttributes=members&filter=displayName eq "Pilots"', None, 200, {"totalResults": 0}),
    (
        "POST", "Groups",
        {
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "8aa1a0c0", "displayName": "Pilots", "meta": {"resourceType": "Group"},
        },
        201, {"externalId": "8aa1a0c0"},
    ),
    ("GET", "Groups/{group}?excludedAttributes=members", None, 200, {"displayName": "Pilots"}),
    ("PATCH", "Groups/{group}", patch({"op": "Replace", "path": "displayName", "value": "Crew"}), 204, {}),
    ("PATCH", "Groups/{group}", patch({"op": "Add", "path": "members", "value": [{"value": "{user}"}]}), 204, {}),
    ("GET", 'Groups?filter=id eq "{group}" and members eq "{user}"', None, 200, {"totalResults": 1}),
    (
        "PATCH", "Groups/{group}",
        patch({"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "{user}"}]}),
        204, {},
    ),
    ("GET", 'Groups?filter=id eq "{group}" and members eq "{user}"', None, 200, {"totalResults": 0}),
    ("DELETE", "Groups/{group}", None, 204, {}),
    ("DELETE", "Users/{user}", None, 204, {}),
    ("GET", "Users/{user}", None, 404, {"status": "404"}),
)  # fmt: skip
OKTA: tuple[Call, ...] = (
    ("GET", "Users?startIndex=1&count=2", None, 200, {"startIndex": 1, "itemsPerPage": 0}),
    ("GET", "Groups?startIndex=1&count=100", None, 200, {"totalResults": 0}),
    ("GET", 'Users?filter=userName eq "jyoung@hawaiian.example"&startIndex=1&count=100', None, 200, {"Resources": []}),
    ("POST", "Users", person(locale="en-US", groups=[], password="1mz050nq"), 201, {"displayName": "Joy Young"}),
    ("POST", "Users", person(), 409, {"scimType": "uniqueness"}),
    (
        "PUT", "Users/{user}",
        person(id="{user}", displayName="Joy", groups=[], meta={"resourceType": "User"}),
        200, {"displayName": "Joy", "active": True},
    ),
    ("PATCH", "Users/{user}", patch({"op": "replace", "value": {"active": False}}), 200, {"active": False}),
    ("PUT", "Users/{user}", person(active=True), 200, {"active": True}),
    ("POST", "Groups", OKTA_GROUP, 201, {"displayName": "Pilots"}),
    ("GET", 'Groups?filter=displayName eq "Pilots"&startIndex=1&count=100', None, 200, {"totalResults": 1}),
    ("PATCH", "Groups/{group}", patch({"op": "replace", "value": {"id": "{group}", "displayName": "Crew"}}), 204, {}),
    (
        "PATCH", "Groups/{group}",
        patch(
            {"op": "remove", "path": 'members[value eq "{user}"]'},
            {"op": "add", "path": "members", "value": [{"value": "{user}", "display": "jyoung@hawaiian.example"}]},
        ),
        204, {},
    ),
    ("GET", "Groups/{group}", None, 200, {"displayName": "Crew"}),
    (
        "PUT", "Groups/{group}",
        {**OKTA_GROUP, "id": "{group}", "members": [{"value": "{user}", "display": "Joy", "$ref": "x"}]},
        200, {"displayName": "Pilots"},
    ),
    ("DELETE", "Groups/{group}", None, 204, {}),
    ("GET", "Users?startIndex=1&count=100", None, 200, {"totalResults": 1}),
)  # fmt: skip
ONELOGIN: tuple[Call, ...] = (
    ("GET", 'Users?filter=userName eq "jyoung@hawaiian.example"', None, 200, {"totalResults": 0}),
    ("POST", "Users", person(id=None, active="true", meta={"resourceType": "User"}), 201, {"active": True}),
    ("GET", "Groups", None, 200, {"totalResults": 0}),
    ("POST", "Groups", {"schemas": [GROUP], "displayName": "Pilots"}, 201, {}),
    ("PATCH", "Groups/{group}", patch({"op": "add", "value": {"members": [{"value": "{user}"}]}}), 204, {}),
    ("PATCH", "Users/{user}", patch({"op": "replace", "path": "active", "value": False}), 200, {"active": False}),
)
JUMPCLOUD: tuple[Call, ...] = (
    ("GET", "Users?count=1&startIndex=1", None, 200, {}),
    ("POST", "Users", person(), 201, {}),
    ("PATCH", "Users/{user}", patch({"op": "replace", "value": {"name": {"givenName": "J"}}}), 200, {}),
    ("POST", "Groups", {**OKTA_GROUP, "members": [{"value": "{user}"}]}, 201, {}),
    ("PATCH", "Groups/{group}", patch({"op": "remove", "path": "members", "value": [{"value": "{user}"}]}), 204, {}),
    ("DELETE", "Groups/{group}", None, 204, {}),
    ("DELETE", "Users/{user}", None, 204, {}),
)


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Put the ids into what is sent."""
    if isinstance(value, dict):
        return {name: filled(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, ids) for inner in value]
    for name, ident in ids.items():
        value = value.replace(f"{{{name}}}", ident) if isinstance(value, str) else value
    return value


@pytest.mark.parametrize("calls", [ENTRA, OKTA, ONELOGIN, JUMPCLOUD], ids=["entra", "okta", "onelogin", "jumpcloud"])
def test_a_life_as_a_directory_tells_it(db: None, calls: tuple[Call, ...]) -> None:
    directory = Directory(make.member(make.tenant(), TenantRole.OWNER))
    ids: dict[str, str] = {}
    for method, where, body, status, expected in calls:
        told = directory.told(method, filled(where, ids), filled(body, ids), status=status)
        assert {name: told.get(name) for name in expected} == expected, (method, where)
        if status == 201:
            ids["user" if where == "Users" else "group"] = told["id"]
