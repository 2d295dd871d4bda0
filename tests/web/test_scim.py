"""SCIM as the standard has it, as Entra ID and Okta speak it, and as nobody should."""

import json
from typing import Any

import pytest

from accounts.models import ProvisionedUser, ProvisioningCall
from core.permissions import TenantRole
from tests import api, make
from tests.scim import BASE, PATCH, SCIM, SEARCH, USER, Directory, error

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> Any:
    return make.member(make.tenant(), TenantRole.OWNER)


@pytest.fixture
def directory(owner: Any) -> Directory:
    return Directory(owner)


BARBARA = {
    "externalId": "bj-1",
    "name": {"givenName": "Barbara", "familyName": "Jensen"},
    "emails": [{"value": "Barbara@Hawaiian.example", "type": "work", "primary": True}],
}


def test_it_says_what_it_can(directory):
    config = directory.told("GET", "ServiceProviderConfig")
    assert {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag")} == {
        "patch": True, "bulk": False, "filter": True, "sort": True, "etag": True,
    }  # fmt: skip
    types = directory.told("GET", "ResourceTypes")
    assert [each["endpoint"] for each in types["Resources"]] == ["/Users", "/Groups"]
    assert directory.told("GET", "ResourceTypes/User")["schema"] == USER
    schema = directory.told("GET", f"Schemas/{USER}")
    assert [each["name"] for each in schema["attributes"]] == [
        "userName", "name", "displayName", "active", "emails", "groups",
    ]  # fmt: skip
    assert schema["meta"]["location"].endswith(f"/scim/v2/Schemas/{USER}")
    for missing in ("ResourceTypes/Device", "Schemas/urn:nothing", "Nothing", "Users/no-uuid", f"Users/{owner_id()}"):
        directory.told("GET", missing, status=404)
    directory.told("GET", "ResourceTypes?filter=name pr", status=403)
    for optional in ("Me", "Bulk"):
        directory.told("POST", optional, {}, status=501)


def owner_id() -> str:
    return "00000000-0000-4000-8000-000000000000"


def test_a_user_is_created_read_replaced_and_deleted(directory):
    response = directory.call("POST", "Users", {"schemas": [USER], "userName": "Bjensen", "title": "Vice", **BARBARA})
    made = json.loads(response.content)
    assert response.status_code == 201
    assert response.headers["Content-Type"] == SCIM
    assert response.headers["Location"] == made["meta"]["location"]
    assert response.headers["ETag"] == made["meta"]["version"] == 'W/"1"'
    assert "title" not in made, "what is not kept is not told"
    assert made["active"] is True
    where = f"Users/{made['id']}"
    assert directory.told("GET", where) == made
    replaced = directory.told("PUT", where, {"schemas": [USER], "userName": "bjensen", "active": False})
    assert (replaced["active"], replaced["meta"]["version"], "emails" in replaced) == (False, 'W/"2"', False)
    again = directory.told("PUT", where, {"schemas": [USER], "userName": "bjensen", "active": False})
    assert again["meta"]["version"] == 'W/"2"', "nothing changed"
    directory.told("DELETE", where, status=204)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": True}]}
        directory.told(method, where, body if method == "PATCH" else made, status=404)
    assert directory.found() == []
    with make.arranging():
        assert ProvisionedUser.objects.get(pk=made["id"]).deleted_at, "the row stays"
    assert directory.user("bjensen", externalId="bj-1")["id"] != made["id"], "its keys are free again"


def test_keys_are_unique_and_the_refusal_says_which(directory):
    made = directory.user("Ann", externalId="a")
    other = directory.user("Bob", externalId="b")
    for name, external, taken in (("ANN", "c", "userName"), ("Carl", "a", "externalId")):
        body = {"schemas": [USER], "userName": name, "externalId": external}
        told = directory.told("POST", "Users", body, status=409)
        assert told["scimType"] == "uniqueness"
        assert taken in told["detail"]
    told = directory.patch(f"Users/{other['id']}", {"op": "replace", "path": "userName", "value": "ann"}, status=409)
    assert told["scimType"] == "uniqueness"
    assert directory.told("GET", f"Users/{other['id']}") == other
    directory.patch(f"Users/{made['id']}", {"op": "replace", "path": "userName", "value": "ANN"})


def test_what_nobody_says_of_active_changes_nobodys_access(directory):
    made = directory.user("ann")
    where = f"Users/{made['id']}"
    directory.patch(where, {"op": "replace", "path": "active", "value": False})
    directory.told("PUT", where, {"schemas": [USER], "userName": "ann"})
    directory.patch(where, {"op": "remove", "path": "active"})
    with make.arranging():
        assert ProvisionedUser.objects.get(pk=made["id"]).is_active is False


SENT = (
        # Entra ID
        ([{"op": "Replace", "path": "active", "value": "False"}], {"active": False}),
        ([{"op": "Replace", "path": "active", "value": [{"$ref": None, "value": "False"}]}], {"active": False}),
        (
            [{"op": "Add", "path": 'emails[type eq "home"].value', "value": "b@home.example"}],
            {"emails": [*BARBARA["emails"], {"type": "home", "value": "b@home.example"}]},
        ),
        (
            [{"op": "Replace", "path": 'emails[type eq "work"].value', "value": "new@hawaiian.example"}],
            {"emails": [{"value": "new@hawaiian.example", "type": "work", "primary": True}]},
        ),
        (
            [{"op": "Replace", "value": {'emails[type eq "work"].value': "x@y.example", "name.familyName": "Jones"}}],
            {
                "emails": [{"value": "x@y.example", "type": "work", "primary": True}],
                "name": {"givenName": "Barbara", "familyName": "Jones"},
            },
        ),
        (
            [
                {"op": "Add", "path": 'addresses[type eq "work"].formatted', "value": "Hilo"},
                {
                    "op": "Add",
                    "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                    "value": "Tour",
                },
                {"op": "Add", "path": "displayName", "value": "Babs"},
            ],
            {"displayName": "Babs"},
        ),
        # Okta
        ([{"op": "replace", "value": {"active": False}}], {"active": False}),
        ([{"op": "replace", "value": {"id": "theirs", "displayName": "Babs"}}], {"displayName": "Babs"}),
        # The standard's own
        ([{"op": "remove", "path": "emails"}], {"emails": None}),
        ([{"op": "add", "path": f"{USER}:displayName", "value": "Babs"}], {"displayName": "Babs"}),
        (
            [{"op": "replace", "path": "NAME.FAMILYNAME", "value": "Jones"}],
            {"name": {"givenName": "Barbara", "familyName": "Jones"}},
        ),
)  # fmt: skip


def test_patches_as_directories_send_them(directory):
    for number, (operations, expected) in enumerate(SENT):
        made = directory.user(f"bjensen{number}", **{**BARBARA, "externalId": str(number)})
        patched = directory.patch(f"Users/{made['id']}", *operations)
        assert {name: patched.get(name) for name in expected} == expected, operations
        others = set(made) - set(expected) - {"meta"}
        assert {name: patched.get(name) for name in others} == {name: made[name] for name in others}, operations


REFUSED: tuple[tuple[list[Any], str], ...] = (
    ([], "invalidValue"),
    ([{"op": "move", "path": "active", "value": True}], "invalidValue"),
    ([{"op": "replace", "path": "active", "value": "perhaps"}], "invalidValue"),
    ([{"op": "replace", "path": "emails[", "value": "x"}], "invalidPath"),
    ([{"op": "remove"}], "noTarget"),
    ([{"op": "remove", "path": "userName"}], "mutability"),
    ([{"op": "replace", "path": "id", "value": "x"}], "mutability"),
    ([{"op": "replace", "path": "groups", "value": []}], "mutability"),
    ([{"op": "replace", "path": "userName", "value": "x" * 321}], "invalidValue"),
    ([{"op": "replace", "path": "userName", "value": "İ" * 200}], "invalidValue"),
    ([{"op": "add", "path": "emails", "value": [{"value": str(n)} for n in range(11)]}], "invalidValue"),
    ([{"op": "add", "path": "displayName", "value": "a"}] * 101, "invalidValue"),
    ([{"op": "replace", "path": 7, "value": "x"}, None], "invalidValue"),
)


def test_a_patch_that_cannot_be_changes_nothing(directory):
    made = directory.user("bjensen", **BARBARA)
    first = {"op": "replace", "path": "displayName", "value": "Changed"}
    for operations, scim_type in REFUSED:
        told = directory.patch(f"Users/{made['id']}", *([first] * bool(operations)), *operations, status=400)
        assert told["scimType"] == scim_type, operations
    assert directory.told("GET", f"Users/{made['id']}") == made


HOSTILE = (
    (b"", 400),
    (b"nonsense", 400),
    (b"\xff\xfe", 400),
    (b"[]", 400),
    (b"5", 400),
    (b'{"userName": NaN}', 400),
    (b'{"userName": "\\u0000"}', 400),
    (b'{"userName": "\\ud800"}', 400),
    (b'{"userName": "a", "\\udfff": 1}', 400),
    (b'{"userName": "  "}', 400),
    (b'{"userName": null}', 400),
    (b'{"userName": ["a"]}', 400),
    (b'{"userName": "a", "emails": {"value": "x"}}', 400),
    (b'{"userName": "a", "emails": [[]]}', 400),
    (b'{"userName": "a", "name": "Ann"}', 400),
    (b'{"userName": "a", "schemas": ["urn:other"]}', 400),
    (b'{"userName": "a", "schemas": 5}', 400),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
    (b'{"userName": ' + b"1" * 5_000 + b"}", 400),
    (b" " * (1024 * 1024 + 1), 413),
)


def test_a_hostile_body_is_refused_with_a_reason(directory):
    for body, status in HOSTILE:
        response = api.call("POST", BASE + "Users", secret=directory.secret, raw=body, key=None, content_type=SCIM)
        told = error(response, status)
        assert status == 413 or told["scimType"] in ("invalidSyntax", "invalidValue")
    assert directory.found() == []


def test_forms_and_methods_that_are_not_served(directory, owner):
    assert error(directory.call("POST", "Users", {"userName": "a"}, content_type="text/plain"), 415)
    assert error(directory.call("GET", "Users", Accept="text/html"), 406)
    plain = directory.call("GET", "Users", Accept="application/json")
    assert plain.headers["Content-Type"] == "application/json"
    told = directory.call("PUT", "Users", {})
    assert error(told, 405)
    assert told.headers["Allow"].startswith("GET, POST, HEAD")
    for secret in (None, "nonsense", directory.secret + "x"):
        error(api.call("GET", BASE + "Users", secret=secret), 401)
    error(api.call("GET", BASE + "Users", secret=api.token(owner, "readiness:read")), 403)
    cookies = api.call("GET", BASE + "Users", secret=directory.secret, Cookie="sessionid=1")
    assert cookies.status_code == 200
    assert not cookies.cookies


def test_a_directory_that_asks_too_often_is_told_to_wait(directory, settings):
    settings.SCIM_QUOTA = 1
    assert directory.call("GET", "Users").status_code == 200
    response = directory.call("GET", "Users")
    error(response, 429)
    assert int(response.headers["Retry-After"]) > 0


def test_versions_keep_two_writers_apart(directory):
    made = directory.user("ann")
    where, tag = f"Users/{made['id']}", made["meta"]["version"]
    unchanged = directory.call("GET", where, **{"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", tag)
    change = {"op": "replace", "path": "displayName", "value": "Ann"}
    directory.patch(where, change, **{"If-Match": f'W/"7", {tag}'})
    for method, body in (("PATCH", {"schemas": [PATCH], "Operations": [change]}), ("PUT", made), ("DELETE", None)):
        directory.told(method, where, body, status=412, **{"If-Match": tag})
    assert directory.call("GET", where, **{"If-None-Match": tag}).status_code == 200
    directory.told("DELETE", where, status=204, **{"If-Match": "*"})


def test_groups_know_their_people_and_people_their_groups(directory):
    ann, bob = (directory.user(name)["id"] for name in ("ann", "bob"))
    pilots = directory.group("Pilots", ann)
    assert [(each["value"], each["type"]) for each in pilots["members"]] == [(ann, "User")]
    where = f"Groups/{pilots['id']}"
    both = directory.patch(where, {"op": "Add", "path": "members", "value": [{"value": ann}, {"value": bob}]})
    assert {each["value"] for each in both["members"]} == {ann, bob}
    shown = directory.told("GET", f"Users/{bob}")["groups"]
    assert [(each["value"], each["display"]) for each in shown] == [(pilots["id"], "Pilots")]
    left = directory.patch(where, {"op": "Remove", "path": "members", "value": [{"value": ann}]})
    assert {each["value"] for each in left["members"]} == {bob}
    none = directory.patch(where, {"op": "remove", "path": f'members[value eq "{bob}"]'})
    assert "members" not in none
    directory.patch(where, {"op": "replace", "value": {"id": pilots["id"], "members": [{"value": ann}]}})
    directory.told("DELETE", f"Users/{ann}", status=204)
    assert "members" not in directory.told("GET", where)
    for stranger in (ann, pilots["id"], owner_id(), "nobody"):
        told = directory.patch(where, {"op": "add", "path": "members", "value": [{"value": stranger}]}, status=400)
        assert told["scimType"] == "invalidValue"
    assert "members" not in directory.told("GET", f"{where}?excludedAttributes=members")


def test_lists_are_found_ordered_and_paged(directory):
    for number, name in enumerate(("Carl", "ann", "Bob")):
        directory.user(name, externalId=f"X{number}", active=name != "Bob", displayName=name[:1] * 2)
    directory.group("Pilots")
    assert directory.found() == ["Carl", "ann", "Bob"]
    assert directory.found(sortBy="userName") == ["ann", "Bob", "Carl"]
    assert directory.found(sortBy="displayName", sortOrder="descending") == ["Carl", "Bob", "ann"]
    assert directory.found(filter='userName eq "ANN"') == ["ann"]
    assert directory.found(filter='externalId eq "x0"') == []
    assert directory.found(filter='active eq "False"') == ["Bob"]
    assert directory.found(filter='userName sw "b" or (active eq true and not (displayName co "a"))') == ["Carl", "Bob"]
    told = directory.told("GET", "Users?startIndex=2&count=1&attributes=userName")
    assert (told["totalResults"], told["startIndex"], told["itemsPerPage"]) == (3, 2, 1)
    assert set(told["Resources"][0]) == {"schemas", "id", "userName"}
    assert directory.told("GET", "Users?count=0")["Resources"] == []
    assert directory.told("GET", f"Users?startIndex={10**30}")["itemsPerPage"] == 0
    body = {"schemas": [SEARCH], "filter": 'displayName eq "pilots"', "excludedAttributes": ["members"]}
    for where in (".search", "Groups/.search"):
        assert [each["displayName"] for each in directory.told("POST", where, body)["Resources"]] == ["Pilots"]
    assert directory.told("POST", ".search", {"schemas": [SEARCH], "startIndex": 3, "count": 2})["itemsPerPage"] == 2


QUERIES = (
        "filter=", "filter=userName", 'filter=userName eq "a', "filter=nothing pr", "filter=active gt true",
        "filter=userName eq 5", 'filter=meta.location eq "x"', "filter=groups.$ref pr", "filter=userName[value pr]",
        'filter=userName eq "%5Cu0000"', 'filter=userName eq "%5Cud800"',
        "filter=" + "(" * 900 + "active pr" + ")" * 900 + " or not (name pr) and",
        "filter=" + "not (" * 40 + "active pr" + ")" * 40, 'filter=userName eq "' + "x" * 2000 + '"',
        "sortBy=nothing", "sortBy=groups", "sortBy=name", "sortOrder=sideways", "count=many", "startIndex=1.5",
        "attributes=userName&excludedAttributes=name", "attributes=emails[type pr]", "%00=1&filter=%00",
)  # fmt: skip


def test_a_hostile_query_is_refused_with_a_reason(directory):
    for query in QUERIES:
        directory.told("GET", f"Users?{query}", status=400)
    assert directory.call("GET", "Users?unknown=1&cursor=!").status_code == 200, "what is unknown is ignored"


def test_nothing_of_another_account_is_found(directory):
    theirs = Directory(make.member(make.tenant(), TenantRole.OWNER))
    made, group = theirs.user("ann", externalId="1"), theirs.group("Pilots")
    assert directory.found() == []
    for where in (f"Users/{made['id']}", f"Groups/{group['id']}"):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            body = {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "externalId"}]}
            directory.told(
                method, where, body if method == "PATCH" else {"userName": "a", "displayName": "a"}, status=404
            )
    ours = directory.user("ann", externalId="1")
    directory.told("PATCH", f"Groups/{group['id']}", {}, status=404)
    assert theirs.told("GET", f"Users/{made['id']}") == made
    theirs.patch(
        f"Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": ours["id"]}]}, status=400
    )


def test_each_call_is_written_down_without_what_it_says_of_people(directory, owner):
    made = directory.user("ann.secret", displayName="Ann Secret", nickName="Annie")
    directory.found(filter='userName eq "ann.secret"')
    directory.patch(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": "secret"}, status=400)
    directory.told("POST", "Users", {"schemas": [USER], "userName": "ann.secret"}, status=409)
    with make.arranging():
        calls = list(ProvisioningCall.objects.filter(tenant_id=owner.tenant_id).order_by("called_at"))
    assert [(call.method, call.kind, call.status, call.scim_type, call.about) for call in calls] == [
        ("POST", "User", 201, "", "userName, displayName, more"),
        ("GET", "User", 200, "", "userName"),
        ("PATCH", "User", 400, "invalidValue", "active"),
        ("POST", "User", 409, "uniqueness", "userName"),
    ]
    assert str(calls[0].resource_id) == made["id"]
    assert all(call.was_trial for call in calls)
    assert "secret" not in " ".join(f"{call.refusal} {call.about}" for call in calls).lower()
