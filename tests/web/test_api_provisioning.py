"""A tool of the account looks after its directory's access: never more than its own issuer may, nor for longer."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from core import ledger, tenancy, tokens
from core.models import KeptAnswer, Token
from core.permissions import TenantRole
from tests import api, make
from tests.scim import Directory

pytestmark = pytest.mark.django_db
BASE = "/api/v1/provisioning"


@pytest.fixture
def owner(db: None) -> Any:
    return make.member(make.tenant(), TenantRole.OWNER)


@pytest.fixture
def keeper(owner: Any) -> str:
    """The secret of a token that looks after the directory's."""
    return api.token(owner, "provisioning:tokens")


def issue(keeper: str, *, status: int = 201, key: str = "", **body: Any) -> dict[str, Any]:
    response = api.call("POST", f"{BASE}/tokens", secret=keeper, body={"name": "Entra ID", **body}, key=key)
    assert response.status_code == status, response.content
    return response.json()


def test_it_tells_how_provisioning_stands_and_what_the_directory_called(owner):
    reader = api.token(owner, "provisioning:read")
    assert api.call("GET", BASE, secret=reader).json()["state"] == "not_connected"
    directory = Directory(owner)
    made = directory.user("ann.secret", displayName="Ann Secret")
    directory.told("POST", "Users", {"userName": "ANN.SECRET"}, status=409)
    told = api.call("GET", BASE, secret=reader).json()
    assert (told["state"], told["people"], told["active"], told["waiting"], told["tokens"]) == ("on_trial", 1, 1, 1, 1)
    assert told["last_used_at"]
    page = api.call("GET", f"{BASE}/calls?limit=1", secret=reader).json()
    rest = api.call("GET", f"{BASE}/calls?cursor={page['next_cursor']}", secret=reader).json()
    assert [(each["status"], each["scim_type"]) for each in page["items"] + rest["items"]] == [
        (409, "uniqueness"),
        (201, ""),
    ]
    assert rest["items"][0]["resource_id"] == made["id"]
    assert "secret" not in str(page["items"] + rest["items"]).lower()


def test_a_token_of_the_directory_is_issued_rotated_and_revoked_and_stands_in_a_persons_name(owner, keeper):
    made = issue(keeper)
    directory = Directory(owner, secret=made["secret"])
    assert directory.call("GET", "Users").status_code == 200
    rotated = api.call("POST", f"{BASE}/tokens/{made['id']}/rotate", secret=keeper, body={"overlap_hours": 1})
    assert rotated.status_code == 201
    assert directory.call("GET", "Users").status_code == 200, "until the overlap is over"
    newer = Directory(owner, secret=rotated.json()["secret"])
    assert newer.call("GET", "Users").status_code == 200
    assert api.call("DELETE", f"{BASE}/tokens/{made['id']}", secret=keeper).status_code == 204
    assert directory.call("GET", "Users").status_code == 401
    listed = api.call("GET", f"{BASE}/tokens", secret=api.token(owner, "provisioning:read")).json()["tokens"]
    assert [each["counts"] for each in listed] == [True, False]
    assert rotated.json()["secret"] not in str(listed)
    with make.arranging():
        rows = Token.objects.filter(scopes=["scim"])
        assert {(row.created_by, row.tenant_id) for row in rows} == {(owner.user_id, owner.tenant_id)}
    with tenancy.scope(tenant_id=owner.tenant_id):
        events = [entry.event for entry in ledger.recent(tenant_id=owner.tenant_id, limit=10)]
    assert {"core.token.issued", "core.token.rotated", "core.token.revoked"} <= set(events)


def test_it_lives_no_longer_than_the_token_that_asked_for_it(owner, keeper):
    with make.arranging():
        (ends,) = Token.objects.values_list("expires_at", flat=True)
    made = issue(keeper, days=365)
    with make.arranging():
        assert Token.objects.get(pk=made["id"]).expires_at == ends
    rotated = api.call("POST", f"{BASE}/tokens/{made['id']}/rotate", secret=keeper, body={}).json()
    with make.arranging():
        assert Token.objects.get(pk=rotated["id"]).expires_at <= ends


def test_the_secret_is_in_one_answer_alone_and_kept_nowhere(keeper):
    key = str(uuid4())
    made = issue(keeper, key=key)
    again = issue(keeper, key=key)
    assert (again["id"], again["secret"]) == (made["id"], None)
    with make.arranging():
        assert not any(made["secret"].encode() in bytes(row.body or b"") for row in KeptAnswer.objects.all())
        assert Token.objects.filter(scopes=["scim"]).count() == 1


def test_it_touches_no_token_that_may_do_anything_else(owner, keeper):
    with tenancy.scope(tenant_id=owner.tenant_id):
        at = timezone.now()
        more, _ = tokens.issue(
            tenant_id=owner.tenant_id, name="Both", scopes=["scim", "domains:read"], expires_at=at + timedelta(days=9),
            by=make.actor(owner), at=at,
        )  # fmt: skip
        other, _ = tokens.issue(
            tenant_id=owner.tenant_id, name="Other", scopes=["domains:read"], expires_at=at + timedelta(days=9),
            by=make.actor(owner), at=at,
        )  # fmt: skip
        gone, _ = tokens.issue(
            tenant_id=owner.tenant_id, name="Gone", scopes=["scim"], expires_at=at + timedelta(days=9),
            by=make.actor(owner), at=at,
        )  # fmt: skip
        Token.objects.filter(pk=gone.pk).update(scopes=["a scope of old", "scim"])
    assert api.call("DELETE", f"{BASE}/tokens/{gone.pk}", secret=keeper).status_code == 403
    for token, status in ((more, 403), (other, 404)):
        assert api.call("DELETE", f"{BASE}/tokens/{token.pk}", secret=keeper).status_code == status
        assert api.call("POST", f"{BASE}/tokens/{token.pk}/rotate", secret=keeper, body={}).status_code == status
    with make.arranging():
        assert not Token.objects.exclude(revoked_at=None, replaced_at=None).exists()


def test_a_token_that_is_revoked_while_it_asks_leaves_no_other_behind(owner, keeper):
    at = timezone.now()
    with tenancy.empty_scope():
        bearer = tokens.authenticate(keeper, at=at)
    assert bearer
    ask = {"tenant_id": owner.tenant_id, "name": "Entra ID", "scopes": ["scim"], "expires_at": at + timedelta(days=1)}
    with tenancy.scope(tenant_id=owner.tenant_id):
        made, _ = tokens.issue(**ask, by=bearer.actor, at=at)
        tokens.revoke(Token.objects.get(pk=bearer.token_id), by=make.actor(owner), at=at)
        with pytest.raises(tokens.UnableToIssue, match="has ended"):
            tokens.issue(**ask, by=bearer.actor, at=at)
        with pytest.raises(tokens.UnableToIssue, match="has ended"):
            tokens.rotate(made, overlap=timedelta(0), by=bearer.actor, at=at)
        assert Token.objects.get(scopes=["scim"]).replaced_at is None


def test_a_directory_s_token_manages_no_token(owner):
    assert issue(api.token(owner, "scim"), status=403)["status"] == 403
