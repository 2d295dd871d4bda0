"""Two acts on an account's tokens at the same moment: one after the other, and neither is told to come again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from core import tenancy, tokens
from core.models import Token
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope
from tests import make
from tests.races import await_waiter, beside

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed_db")]
AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("whose", ["a person's", "that very token's"])
def test_a_token_is_rotated_while_the_one_that_issued_it_is_revoked_with_what_it_issued(
    monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """Either holds rows that the other needs: each a token's, or one a token's and the other the end of the ledger."""
    monkeypatch.setattr(SCOPES, "_items", {})
    SCOPES.add("keep", TokenScope("keep", "Keep", Permission.MANAGE_DIRECTORY_TOKENS))
    SCOPES.add(
        "read", TokenScope("read", "Read", Permission.VIEW_TENANT, managed_by=Permission.MANAGE_DIRECTORY_TOKENS)
    )
    member = make.member(make.tenant())
    owner, tenant_id = make.actor(member), member.tenant_id
    common: dict[str, Any] = {"tenant_id": tenant_id, "name": "Nightly", "expires_at": AT + 9 * DAY, "at": AT}
    with tenancy.scope(tenant_id=tenant_id):
        keeper, secret = tokens.issue(**common, scopes=["keep"], by=owner)
    bearer = tokens.authenticate(secret, at=AT)
    assert bearer
    by = owner if whose == "a person's" else bearer.actor
    with tenancy.scope(tenant_id=tenant_id):
        kept, _ = tokens.issue(**common, scopes=["read"], by=bearer.actor)

    under_way, go_on, make_one = Event(), Event(), tokens._make

    def slowly(**given: Any) -> Any:
        under_way.set()
        assert go_on.wait(timeout=30)
        return make_one(**given)

    monkeypatch.setattr(tokens, "_make", slowly)
    with ThreadPoolExecutor(2) as pool:
        rotated = beside(pool, tenant_id, lambda: tokens.rotate(kept, overlap=DAY, by=by, at=AT))
        try:
            assert under_way.wait(timeout=30)
            revoked = beside(pool, tenant_id, lambda: tokens.revoke(keeper, by=owner, at=AT, and_issued=True))
            await_waiter()
        finally:
            go_on.set()
        made: Any = rotated.result(timeout=30)
        assert revoked.result(timeout=30) is True
    with tenancy.scope(tenant_id=tenant_id):
        left = [*Token.objects.filter(revoked_at=None)]
    assert left == ([made[0]] if whose == "a person's" else [])
