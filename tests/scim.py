"""Calling SCIM as a customer's directory would: in process, or over a real socket by a client of somebody else's."""

import json
from typing import Any, cast

import httpx
from django.http import HttpResponse
from scim2_client import BaseSyncSCIMClient
from scim2_models import URN

from accounts.models import Member
from portal import urls as _  # noqa: F401 - every endpoint declares its scope
from tests import api

BASE = "/scim/v2/"
SCIM = "application/scim+json"
PATCH = str(URN("urn:ietf:params:scim:api:messages:2.0:PatchOp"))
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


class Directory:
    """A customer's directory, with its token."""

    def __init__(self, member: Member, *, secret: str = "") -> None:
        self.secret = secret or api.token(member, "scim")

    def call(self, method: str, address: str, body: Any = None, **more: Any) -> HttpResponse:
        """Call an address below the base."""
        more.setdefault("content_type", SCIM)
        return api.call(method, BASE + address, secret=self.secret, body=body, key=None, **more)

    def told(self, method: str, address: str, body: Any = None, *, status: int = 200, **more: Any) -> dict[str, Any]:
        """Call an address and return what it answers, which has this status."""
        response = self.call(method, address, body, **more)
        assert response.status_code == status, (response.status_code, response.content[:500])
        if status >= 400:
            return error(response, status)
        return cast("dict[str, Any]", json.loads(response.content)) if response.content else {}

    def user(self, user_name: str, /, **more: Any) -> dict[str, Any]:
        """Create a user."""
        return self.told("POST", "Users", {"schemas": [USER], "userName": user_name, **more}, status=201)

    def group(self, name: str, /, *members: str, **more: Any) -> dict[str, Any]:
        """Create a group of users."""
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": ident} for ident in members], **more}
        return self.told("POST", "Groups", body, status=201)

    def patch(self, address: str, *operations: Any, status: int = 200, **more: Any) -> dict[str, Any]:
        """Patch a resource and return it; of a group nothing is told back, so it is read."""
        body, is_quiet = {"schemas": [PATCH], "Operations": operations}, status == 200 and address.startswith("Groups/")
        told = self.told("PATCH", address, body, status=204 if is_quiet else status, **more)
        return self.told("GET", address) if is_quiet else told

    def found(self, address: str = "Users", **query: Any) -> list[str]:
        """Return the names that a list holds."""
        response = api.call("GET", f"{BASE}{address}?{httpx.QueryParams(query)}", secret=self.secret)
        assert response.status_code == 200, response.content[:500]
        return [each.get("userName") or each.get("displayName") for each in json.loads(response.content)["Resources"]]


def error(response: HttpResponse, status: int | None = None) -> dict[str, Any]:
    """Return the SCIM error that an answer holds, which keeps the contract of every error."""
    assert response.headers["Content-Type"] == SCIM, (response.status_code, response.content[:500])
    told: dict[str, Any] = json.loads(response.content)
    assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert told["status"] == str(response.status_code)
    assert status is None or response.status_code == status, told
    assert told["detail"], told
    assert "Traceback" not in told["detail"]
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)
    return told


class Client(BaseSyncSCIMClient):
    """The client of scim2-client, over httpx."""

    def __init__(self, client: httpx.Client, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = client

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return str(self.client.build_request("GET", endpoint).url).startswith(str(self.client.base_url))

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        return self.client.request(method, url, **kwargs)
