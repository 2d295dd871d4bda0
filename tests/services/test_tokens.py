"""Tokens: issued once, scoped, rotated, revoked, and never worth more than their issuer."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Member, User
from core import tenancy, tokens
from core.actor import Actor
from core.errors import PermissionRefused
from core.models import LedgerEntry, Token
from core.permissions import Permission, TenantRole
from core.tokens import SCOPES, Bearer, TokenScope
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOT_FOR_MACHINES = {
    Permission.MANAGE_TOKENS,
    Permission.MANAGE_MEMBERS,
    Permission.APPROVE_CUTOVER,
    Permission.VETO_CUTOVER,
    Permission.REQUEST_APPROVAL,
}


def test_no_scope_lets_a_machine_sign_or_manage_people_and_tokens() -> None:
    import_module("portal.urls")  # all scopes there are, whatever was loaded before
    assert [name for name, scope in SCOPES.items() if scope.permission in NOT_FOR_MACHINES] == []


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know two scopes."""
    monkeypatch.setattr(SCOPES, "_items", {})
    SCOPES.add("read", TokenScope("read", "Read", Permission.VIEW_TENANT))
    SCOPES.add("domains", TokenScope("domains", "Manage domains", Permission.MANAGE_DOMAINS))


@pytest.fixture
def owner(known: None, db: None):
    """An owner, with their tenant's scope open."""
    made = make.member(make.tenant())
    with tenancy.scope(tenant_id=made.tenant_id):
        yield made


def issue(
    owner: Member, *, scopes: list[str] | None = None, by: Actor | None = None, until: datetime = AT + DAY
) -> tuple[Token, str]:
    return tokens.issue(
        tenant_id=owner.tenant_id,
        name="Nightly",
        scopes=scopes or ["read"],
        expires_at=until,
        by=by or make.actor(owner),
        at=AT,
    )


def bearer(secret: str, *, at: datetime = AT) -> Bearer | None:
    with tenancy.empty_scope():
        return tokens.authenticate(secret, at=at)


def events() -> list[str]:
    return list(LedgerEntry.objects.order_by("seq").values_list("event", flat=True))


def test_a_token_speaks_for_its_tenant_before_any_is_known(owner: Member) -> None:
    token, secret = issue(owner)
    assert bearer(secret) == Bearer(owner.tenant_id, token.id, frozenset({"read"}), "owner")
    for wrong in (secret + "x", secret[:-1], "", "crossing_", "crossing_ü", secret.upper()):
        assert bearer(wrong) is None
    assert bearer(secret, at=AT + DAY) is None
    with tenancy.empty_scope():
        assert Token.objects.count() == 0


def test_a_tokens_secret_is_kept_nowhere(owner: Member) -> None:
    token, secret = issue(owner)
    new, second = tokens.rotate(token, overlap=DAY, by=make.actor(owner), at=AT)
    rows = [getattr(row, field.name) for row in Token.objects.all() for field in row._meta.fields]
    kept = str(rows) + str(list(LedgerEntry.objects.values_list("body", flat=True)))
    for row, told in ((token, secret), (new, second)):
        assert told.startswith(row.prefix)
        assert told.removeprefix(row.prefix + "_") not in kept


def test_a_revoked_token_is_void_at_once(owner: Member) -> None:
    token, secret = issue(owner)
    assert [tokens.revoke(token, by=make.actor(owner), at=AT) for _ in range(2)] == [True, False]
    assert bearer(secret) is None
    assert events() == ["core.token.issued", "core.token.revoked"]


def test_a_tokens_use_is_noted_at_most_once_a_minute(owner: Member) -> None:
    token, secret = issue(owner)
    found = tokens.authenticate(secret, at=AT)
    assert found is not None
    for seconds in (0, 30, 61):
        tokens.note_use(found, at=AT + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used_at == AT + timedelta(seconds=61 if seconds == 61 else 0)


def test_a_token_needs_known_scopes_a_name_and_an_end(owner: Member) -> None:
    with pytest.raises(tokens.UnableToIssue, match="scope"):
        issue(owner, scopes=["everything"])
    with pytest.raises(tokens.UnableToIssue, match="365 days"):
        issue(owner, until=AT + 366 * DAY)
    for name, scopes, words in (("x", [], "at least one"), (" ", ["read"], "name"), ("a\nb", ["read"], "visible")):
        with pytest.raises(tokens.UnableToIssue, match=words):
            tokens.issue(
                tenant_id=owner.tenant_id, name=name, scopes=scopes, expires_at=AT + DAY, by=make.actor(owner), at=AT
            )


def test_only_who_manages_tokens_issues_and_only_what_they_may(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    member = make.actor(make.member(owner.tenant, TenantRole.AUDITOR))
    admin = make.actor(make.member(owner.tenant, TenantRole.ADMIN))
    SCOPES.add("veto", TokenScope("veto", "Veto", Permission.VETO_CUTOVER))
    with pytest.raises(PermissionRefused):
        issue(owner, by=member)
    with pytest.raises(PermissionRefused):
        issue(owner, by=admin, scopes=["read", "veto"])
    token, _ = issue(owner, scopes=["veto"])
    for refused in (
        lambda: tokens.rotate(token, overlap=DAY, by=admin, at=AT),
        lambda: tokens.revoke(token, by=member, at=AT),
    ):
        with pytest.raises(PermissionRefused):
            refused()
    assert tokens.revoke(token, by=admin, at=AT)  # to end a thing one need not be able to do it


def test_a_token_does_no_more_than_its_issuer_may_now(owner: Member) -> None:
    admin = make.member(owner.tenant, TenantRole.ADMIN)
    _, secret = issue(owner, by=make.actor(admin), scopes=["read", "domains"])

    def may(permission: Permission) -> bool:
        found = bearer(secret)
        return found is not None and found.actor.can(permission, tenant_id=owner.tenant_id)

    assert may(Permission.MANAGE_DOMAINS)
    assert not may(Permission.MANAGE_TOKENS)
    Member.objects.filter(pk=admin.pk).update(role=TenantRole.AUDITOR)
    assert (may(Permission.VIEW_TENANT), may(Permission.MANAGE_DOMAINS)) == (True, False)


def test_a_token_stops_with_its_issuers_membership_or_account(owner: Member) -> None:
    admin = make.member(owner.tenant, TenantRole.ADMIN)
    _, secret = issue(owner, by=make.actor(admin))
    rows, people = Member.objects.filter(pk=admin.pk), User.objects.filter(pk=admin.user_id)
    assert bearer(secret)
    rows.update(deactivated_at=AT, deactivated_by=owner.user_id)
    assert bearer(secret) is None
    rows.update(deactivated_at=None, deactivated_by=None)
    assert bearer(secret)
    people.update(is_active=False)
    assert bearer(secret) is None


def test_a_tokens_actor_is_bound_to_its_tenant(owner: Member) -> None:
    _, secret = issue(owner)
    found = bearer(secret)
    assert found is not None
    other = make.tenant()
    assert not found.actor.can(Permission.VIEW_TENANT, tenant_id=other.id)
    assert not found.actor.can(Permission.VIEW_TENANT)
    with pytest.raises(PermissionError), tenancy.staff_scope(by=found.actor, reason="a test"):
        pass


@pytest.mark.parametrize("hours", [0, 1, 24, 168])
def test_the_old_secret_of_a_rotated_token_works_for_the_overlap_only(owner: Member, hours: int) -> None:
    token, old = issue(owner, until=AT + 90 * DAY, scopes=["read", "domains"])
    at, overlap = AT + DAY, timedelta(hours=hours)
    made, new = tokens.rotate(token, overlap=overlap, by=make.actor(owner), at=at)
    assert (made.name, made.scopes) == (token.name, token.scopes)
    assert made.expires_at - made.created_at == 90 * DAY
    assert bool(bearer(old, at=at)) is bool(hours)
    assert bearer(old, at=at + overlap) is None
    assert bearer(new, at=at + overlap)
    entry = LedgerEntry.objects.get(event="core.token.rotated")
    assert (entry.subject_id, entry.data["replaces"]) == (str(made.pk), str(token.pk))


def test_an_overlap_is_short_and_never_outlives_the_token(owner: Member) -> None:
    token, old = issue(owner, until=AT + timedelta(hours=1))
    for wrong in (8 * DAY, -DAY):
        with pytest.raises(tokens.UnableToRotate, match="7 days"):
            tokens.rotate(token, overlap=wrong, by=make.actor(owner), at=AT)
    tokens.rotate(token, overlap=7 * DAY, by=make.actor(owner), at=AT)
    assert bearer(old, at=AT + timedelta(hours=1)) is None


def test_a_token_is_replaced_once_and_only_while_in_force(owner: Member) -> None:
    for end in (
        lambda token: tokens.rotate(token, overlap=DAY, by=make.actor(owner), at=AT),
        lambda token: tokens.revoke(token, by=make.actor(owner), at=AT),
        lambda token: Token.objects.filter(pk=token.pk).update(expires_at=AT + timedelta(seconds=1)),
    ):
        token, _ = issue(owner)
        end(token)
        with pytest.raises(tokens.UnableToRotate, match="ended or was replaced"):
            tokens.rotate(token, overlap=DAY, by=make.actor(owner), at=AT + timedelta(minutes=1))


def test_rotating_hands_a_token_over_to_whoever_rotates(owner: Member) -> None:
    admin = make.member(owner.tenant, TenantRole.ADMIN)
    token, old = issue(owner, by=make.actor(admin))
    Member.objects.filter(pk=admin.pk).update(deactivated_at=AT, deactivated_by=owner.user_id)
    _, new = tokens.rotate(token, overlap=DAY, by=make.actor(owner), at=AT)
    assert (bearer(old), bool(bearer(new))) == (None, True)


def test_an_account_keeps_its_tokens_few(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_IN_FORCE", 1)
    token, _ = issue(owner)
    with pytest.raises(tokens.UnableToIssue, match="in force"):
        issue(owner)
    with pytest.raises(tokens.UnableToRotate, match="in force"):
        tokens.rotate(token, overlap=DAY, by=make.actor(owner), at=AT)
    assert Token.objects.get(pk=token.pk).replaced_at is None
    tokens.rotate(token, overlap=timedelta(0), by=make.actor(owner), at=AT)


def test_the_database_refuses_half_a_replacement(owner: Member) -> None:
    token, _ = issue(owner)
    with pytest.raises(IntegrityError, match="replaced_pair"), transaction.atomic():
        Token.objects.filter(pk=token.pk).update(replaced_at=AT)
