"""Calling the API as a tool of a customer would: with a token, without cookies."""

import json
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Member
from core import tenancy, tokens
from tests import make

PROBLEM = "application/problem+json"
_numbers = count(1)


def token(member: Member, *scopes: str) -> str:
    """Issue a token in a member's name and return its secret; without scopes it has all they may give."""
    with tenancy.scope(tenant_id=member.tenant_id):
        by = make.actor(member)
        wanted = scopes or tuple(scope.name for scope in tokens.scopes_of(by, tenant_id=member.tenant_id))
        _, secret = tokens.issue(
            tenant_id=member.tenant_id,
            name=f"Tool {next(_numbers)}",
            scopes=wanted,
            expires_at=timezone.now() + timedelta(days=1),
            by=by,
            at=timezone.now(),
        )
    return secret


def call(
    method: str,
    address: str,
    *,
    secret: str | None = None,
    body: Any = None,
    raw: bytes | None = None,
    key: str | None = "",
    content_type: str = "application/json",
    **headers: str,
) -> HttpResponse:
    """Call the API; `key` is the Idempotency-Key: a new one by itself for a write, None for none."""
    sent = raw if raw is not None else (b"" if body is None else json.dumps(body, default=str).encode())
    if secret is not None:
        headers["Authorization"] = f"Bearer {secret}"
    if key == "" and method not in ("GET", "HEAD"):
        key = str(uuid4())
    if key:
        headers["Idempotency-Key"] = key
    client = Client(raise_request_exception=False)
    if not sent:
        return client.generic(method, address, headers=headers)  # type: ignore[return-value]
    return client.generic(method, address, sent, content_type=content_type, headers=headers)  # type: ignore[return-value]


def problem(response: HttpResponse, status: int | None = None) -> dict[str, Any]:
    """Return the problem that an answer holds, which keeps the contract of every problem."""
    assert response.headers["Content-Type"] == PROBLEM, (response.status_code, response.content[:500])
    told: dict[str, Any] = json.loads(response.content)
    assert told["status"] == response.status_code
    assert status is None or response.status_code == status, told
    assert {"type", "title", "status", "detail", "instance", "fix"} <= set(told)
    assert all(told[name] for name in ("type", "title", "detail", "instance", "fix")), told
    assert "Traceback" not in response.content.decode()
    assert ("WWW-Authenticate" in response.headers) == (response.status_code == 401)
    assert ("Allow" in response.headers) == (response.status_code == 405)
    assert response.status_code != 429 or int(response.headers["Retry-After"]) > 0
    return told
