"""Tokens from before the house wrote down through which token one was issued: the ledger says it of them."""

import os
from datetime import UTC, datetime, timedelta
from importlib import import_module

import psycopg
import pytest
from django.conf import settings

from core import tenancy, tokens
from core.models import Token
from core.permissions import Permission
from core.tokens import SCOPES, TokenScope
from tests import databases, make

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("committed_db")]
AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def test_the_ledger_says_through_which_token_each_was_issued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SCOPES, "_items", {})
    SCOPES.add("keep", TokenScope("keep", "Keep", Permission.MANAGE_DIRECTORY_TOKENS))
    SCOPES.add(
        "read", TokenScope("read", "Read", Permission.VIEW_TENANT, managed_by=Permission.MANAGE_DIRECTORY_TOKENS)
    )
    for member in (make.member(make.tenant()), make.member(make.tenant())):
        owner, tenant_id = make.actor(member), member.tenant_id

        def issue(scope, by, tenant_id=tenant_id):
            return tokens.issue(tenant_id=tenant_id, name="x", scopes=[scope], expires_at=AT + 9 * DAY, by=by, at=AT)

        def bearer(secret):
            with tenancy.empty_scope():
                return tokens.authenticate(secret, at=AT).actor

        with tenancy.scope(tenant_id=tenant_id):
            keeper, secret = issue("keep", owner)
            before, _ = issue("read", bearer(secret))
            other, _ = issue("read", bearer(secret))
            by_owner, _ = tokens.rotate(other, overlap=DAY, by=owner, at=AT)
            newer, _ = tokens.rotate(keeper, overlap=DAY, by=owner, at=AT)
            after, _ = issue("read", bearer(secret))  # the old secret works still
            by_token, _ = tokens.rotate(before, overlap=DAY, by=bearer(secret), at=AT)
            newest, _ = tokens.rotate(newer, overlap=DAY, by=owner, at=AT)
    with make.arranging():
        said = dict(Token.objects.values_list("pk", "issued_through"))
        Token.objects.update(issued_through=None)
    names = {row.pk: name for name, row in locals().items() if isinstance(row, Token)}
    assert {names[pk]: names.get(through) for pk, through in said.items() if pk in names} == {
        "keeper": None, "newer": None, "newest": None, "by_owner": None,
        "before": "newest", "other": "newest", "after": "keeper", "by_token": "keeper",
    }  # fmt: skip
    statements = import_module("core.migrations.0012_tokens_of_old").BY_THE_LEDGER
    owner_url = databases.with_database(os.environ["DATABASE_OWNER_URL"], settings.DATABASES["default"]["NAME"])
    with psycopg.connect(owner_url) as owning:
        for statement in statements:
            owning.execute(statement)
    with make.arranging():
        assert dict(Token.objects.values_list("pk", "issued_through")) == said
