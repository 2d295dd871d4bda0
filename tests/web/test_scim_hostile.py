"""SCIM attacked: wrong types in every place, names twice, depth, size, cunning filters; never an answer of 500."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from accounts.domain.provisioning.membership import MOST
from core.permissions import TenantRole
from tests import api, make
from tests.scim import BASE, GROUP, PATCH, SCIM, SEARCH, USER, Directory, error

pytestmark = pytest.mark.django_db
UNREADABLE = (
    b'{"userName": "a", "userName": "b"}',
    b'{"userName": "a", "USERNAME": "b"}',
    b'{"userName": "a", "name": {"givenName": "a", "givenname": "b"}}',
    b'{"userName": "a", "x": ' + b"[" * 40 + b"]" * 40 + b"}",
    b'{"userName": "a", "x": ' + b'{"y":' * 40 + b"1" + b"}" * 40 + b"}",
    b'{"userName": "a", "active": tru}',
    b'{"userName": "a"} {}',
    b'{"userName": "a\\u0000"}',
    b'{"userName": "a", "externalId": "\\ud800"}',
    b'{"userName": "a", "n": Infinity}',
    b'{"userName": "a", "n": -NaN}',
    b'{"userName": "a", "n": 1e999999}'.replace(b"1e999999", b"1" * 5_000),
    b'\xef\xbb\xbf{"userName": "a"}',
    b"{'userName': 'a'}",
    b'"' + b"a" * 100_000 + b'"',
)


@pytest.fixture
def directory(db: None, settings: Any) -> Directory:
    settings.SCIM_QUOTA = 1_000_000
    return Directory(make.member(make.tenant(), TenantRole.OWNER))


def test_what_can_be_read_in_two_ways_or_not_at_all_is_refused(directory: Directory) -> None:
    for body in UNREADABLE:
        told = error(
            api.call("POST", BASE + "Users", secret=directory.secret, raw=body, key=None, content_type=SCIM), 400
        )
        assert told["scimType"] in ("invalidSyntax", "invalidValue"), body[:60]
    assert directory.found() == []


WEIRD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**400, "", " ", "x" * 400, "\u202e", "a\tb\n", [], [None], [[]], [{}], {}, {"value": {}},
    {"value": [{"value": "x"}]}, [{"value": None}], [{"value": 7, "type": [], "primary": "x"}], "urn:x", "%", "'; --",
)  # fmt: skip
ATTRIBUTES = (
    "schemas", "id", "externalId", "meta", "userName", "name", "name.givenName", "displayName", "active", "emails",
    "groups", "members", f"{USER}:userName", USER, GROUP, f"{GROUP}:members", "$ref", "", "Operations", "a.b.c",
)  # fmt: skip
PATHS = (
    *ATTRIBUTES, "members[", "members]", "members[value]", "members[value eq]", 'members[value eq "a"].x.y',
    'emails[type eq "work" and].value', "emails[emails[type pr]].value", "emails..value", ".", "[]", "😀",
    'members[not (value eq "a") or type pr]', 'members["' + "\\" * 50, "userName\x00", " members ",
    "members[value pr].value",
)  # fmt: skip
FILTERS = (
    "(" * 900 + "userName pr" + ")" * 900, "not (" * 300 + "userName pr" + ")" * 300,
    " or ".join(['userName eq "a"'] * 110), 'userName co "' + "a" * 1900 + '"', 'userName eq "' + "\\" * 501 + '"',
    'userName sw "%" and userName ew "_" and userName co "\\\\"', "userName eq true", "active co true",
    'meta.created gt "yesterday"', 'meta.created gt "2026-02-30T00:00:00Z"',
    'meta.created gt "9999-12-31T23:59:59+24:00"',
    'id eq "x"', "emails pr and emails.value pr", 'emails[value eq "a" or (type eq "b" and not (primary eq true))]',
    'members eq "x"', 'groups.display eq "x"', "a" * 1990, "1 eq 1", 'userName eq "a" --', "' or 1=1", "\ud7ff", "\t\n",
)  # fmt: skip


def operations() -> Iterator[Any]:
    op: Any
    for op, path in product(("add", "Replace", "remove", "copy", None, 5, []), PATHS):
        yield {"op": op, "path": path, "value": "x"}
    for path, value in product(PATHS, WEIRD):
        yield {"op": "replace", "path": path, "value": value}
    for value in (*WEIRD, *({attribute: each} for attribute in ATTRIBUTES for each in WEIRD[:12])):
        yield {"op": "add", "value": value}
    yield from WEIRD


@pytest.mark.slow
def test_nothing_that_is_sent_is_a_fault_of_ours(directory: Directory) -> None:
    user, group = directory.user("ann", externalId="1"), directory.group("Pilots")
    where = {"Users": f"Users/{user['id']}", "Groups": f"Groups/{group['id']}"}

    def attack(method: str, address: str, body: Any) -> None:
        response = directory.call(method, address, body)
        assert response.status_code < 500, (method, address, body, response.content[:300])
        if response.status_code >= 400:
            error(response)

    for number, (kind, attribute, value) in enumerate(product(where, ATTRIBUTES, WEIRD)):
        body = {"userName": "bob", "displayName": "B", attribute: value}
        attack(*(("POST", kind) if number % 2 else ("PUT", where[kind])), body)
    for number, operation in enumerate(operations()):
        attack("PATCH", where["Users" if number % 2 else "Groups"], {"schemas": [PATCH], "Operations": [operation]})
    for value in WEIRD:
        for address in where.values():
            attack("PATCH", address, {"schemas": [PATCH], "Operations": value})
            attack("PATCH", address, value)
        for name in (
            "filter",
            "sortBy",
            "sortOrder",
            "startIndex",
            "count",
            "attributes",
            "excludedAttributes",
            "schemas",
        ):
            attack("POST", "Users/.search", {"schemas": [SEARCH], name: value})
    for text in FILTERS:
        for address in ("Users", "Groups", ""):
            if address:
                attack("GET", f"{address}?filter={quote(text)}", None)
            attack("POST", f"{address}/.search".lstrip("/"), {"schemas": [SEARCH], "filter": text})
    assert json.loads(directory.call("GET", "ServiceProviderConfig").content)["bulk"] == {
        "supported": False, "maxOperations": 0, "maxPayloadSize": 0,
    }  # fmt: skip


def test_a_list_of_members_as_long_as_a_body_may_be_is_refused_by_number(directory: Directory) -> None:
    body = {"displayName": "A", "members": [{"value": "x"}] * (MOST + 1)}
    assert "at most" in directory.told("POST", "Groups", body, status=400)["detail"]
    raw = b'{"displayName": "A", "members": [' + b" " * 2_500_000 + b"]}"
    error(api.call("POST", BASE + "Groups", secret=directory.secret, raw=raw, key=None, content_type=SCIM), 413)
