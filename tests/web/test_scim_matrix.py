"""Who may call what of SCIM: address × method, by a token with its scope alone; written by hand."""

from typing import Any

import pytest
from django.urls import reverse

from core.permissions import TenantRole
from core.tokens import SCOPES
from tests import addresses, api, make
from tests.scim import Directory, error

pytestmark = pytest.mark.django_db

TABLE = {
    "scim:config": {"GET": 200},
    "scim:resource_types": {"GET": 200},
    "scim:resource_type": {"GET": 404},
    "scim:schemas": {"GET": 200},
    "scim:schema": {"GET": 404},
    "scim:users": {"GET": 200, "POST": 400},
    "scim:search_users": {"POST": 200},
    "scim:user": {"GET": 200, "PUT": 400, "PATCH": 400, "DELETE": 204},
    "scim:groups": {"GET": 200, "POST": 400},
    "scim:search_groups": {"POST": 200},
    "scim:group": {"GET": 200, "PUT": 400, "PATCH": 400, "DELETE": 204},
    "scim:search": {"POST": 200},
    "scim:not_served": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), 501),
    "scim:no_such_address": dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), 404),
}
"""What an otherwise empty call answers; every other method is not served."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
ELSEWHERE = {"scim:not_served": 501, "scim:no_such_address": 404}


def test_every_address_is_in_the_matrix() -> None:
    assert {address.name for address in addresses.every() if address.name.startswith("scim:")} == set(TABLE)


def test_an_address_answers_only_a_token_with_the_scope(db: None, settings: Any) -> None:
    settings.SCIM_QUOTA = 100_000
    owner = make.member(make.tenant(), TenantRole.OWNER)
    directory = Directory(owner)
    others = api.token(owner, *(scope for scope in SCOPES if scope != "scim"))
    for name, methods in TABLE.items():
        for method in METHODS:
            ids = {"user": directory.user, "group": directory.group}
            made = ids[name[5:]](f"{name} {method}")["id"] if name[5:] in ids else None
            args = [made] if made else ["none"] if name in ("scim:resource_type", "scim:schema") else []
            kwargs = {"part": "Me"} if name == "scim:not_served" else {}
            where = reverse(name, args=args, kwargs=kwargs)
            told = {}
            for secret in (None, others, directory.secret):
                response = api.call(method, where, secret=secret, body={} if method != "GET" else None, key=None)
                told[secret] = response.status_code
                if response.status_code >= 400:
                    error(response)
                assert "RateLimit" in response.headers
                assert response.headers["Cache-Control"] == "no-store"
            if method in methods:
                assert list(told.values()) == [401, 403, methods[method]], (name, method)
            else:
                refused = ELSEWHERE.get(name, 405)
                assert list(told.values()) == [refused] * 3, (name, method)
