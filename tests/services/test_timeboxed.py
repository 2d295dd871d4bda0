"""Toggles, holds and tokens: each for a time, with a reason, in the ledger."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Tenant
from core import holds, tenancy, toggles, tokens
from core.actor import Actor
from core.errors import PermissionRefused
from core.holds import KINDS, HoldKind
from core.models import Hold, LedgerEntry, ToggleSetting, Token
from core.permissions import Permission, TenantRole
from core.toggles import TOGGLES, Toggle
from core.tokens import SCOPES, TokenScope
from tests import make

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BY = Actor.system("tests")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know one toggle, one kind of hold and two scopes."""
    for registry in (TOGGLES, KINDS, SCOPES):
        monkeypatch.setattr(registry, "_items", {})
    TOGGLES.add("compat", Toggle("compat", "Compatibility", Permission.MANAGE_DOMAINS, 14 * DAY))
    KINDS.add("legal", HoldKind("legal", "Legal hold", Permission.MANAGE_DOMAINS, 365 * DAY))
    SCOPES.add("read", TokenScope("read", "Read", Permission.VIEW_TENANT))
    SCOPES.add("domains", TokenScope("domains", "Manage domains", Permission.MANAGE_DOMAINS))


@pytest.fixture
def tenant(db: None) -> Iterator[Tenant]:
    """A tenant, with its scope open."""
    made = make.tenant()
    with tenancy.scope(tenant_id=made.id):
        yield made


def role(tenant: Tenant, role: TenantRole) -> Actor:
    """Make an actor of the tenant."""
    return Actor.member(user_id=BY.known_id, tenant_id=tenant.id, role=role)


def events() -> list[str]:
    """What the ledger says happened."""
    return list(LedgerEntry.objects.order_by("seq").values_list("event", flat=True))


def switch_on(tenant: Tenant, *, at: datetime = AT, by: Actor = BY, until: datetime | None = None) -> ToggleSetting:
    """Switch the toggle on."""
    return toggles.switch_on(
        "compat", tenant_id=tenant.id, expires_at=until or at + DAY, reason="Churn risk", by=by, at=at
    )


def test_a_toggle_is_on_until_it_expires_though_nobody_ends_it(tenant: Tenant) -> None:
    assert not toggles.is_on("compat", tenant_id=tenant.id, at=AT)
    switch_on(tenant)
    assert toggles.is_on("compat", tenant_id=tenant.id, at=AT)
    assert toggles.on(tenant_id=tenant.id, at=AT) == {"compat": AT + DAY}
    assert not toggles.is_on("compat", tenant_id=tenant.id, at=AT + DAY)


def test_a_toggle_is_switched_off_once(tenant: Tenant) -> None:
    switch_on(tenant)
    assert [toggles.switch_off("compat", tenant_id=tenant.id, by=BY, at=AT) for _ in range(2)] == [True, False]
    assert not toggles.is_on("compat", tenant_id=tenant.id, at=AT)
    assert events() == ["core.toggle.switched_on", "core.toggle.switched_off"]


def test_a_toggle_that_is_on_is_not_switched_on_again_until_it_has_expired(tenant: Tenant) -> None:
    switch_on(tenant)
    with pytest.raises(toggles.UnableToSwitch, match="already"):
        switch_on(tenant)
    switch_on(tenant, at=AT + DAY)
    assert events() == ["core.toggle.switched_on", "core.toggle.expired", "core.toggle.switched_on"]


@pytest.mark.parametrize("until", [AT, AT - DAY, AT + 15 * DAY])
def test_a_toggle_needs_an_end_that_is_near(tenant: Tenant, until: datetime) -> None:
    with pytest.raises(toggles.UnableToSwitch, match="14 days"):
        switch_on(tenant, until=until)


def test_the_clock_ends_what_expired_and_leaves_it_in_the_ledger(db: None) -> None:
    for _ in range(2):
        tenant = make.tenant()
        with tenancy.scope(tenant_id=tenant.id):
            switch_on(tenant)
            holds.place("legal", tenant_id=tenant.id, expires_at=AT + DAY, reason="Court", by=BY, at=AT)
    with make.arranging():
        assert (toggles.end_expired(by=BY, at=AT), holds.end_expired(by=BY, at=AT)) == (0, 0)
        assert (toggles.end_expired(by=BY, at=AT + DAY), holds.end_expired(by=BY, at=AT + DAY)) == (2, 2)
        assert (toggles.end_expired(by=BY, at=AT + DAY), holds.end_expired(by=BY, at=AT + DAY)) == (0, 0)
    with tenancy.scope(tenant_id=tenant.id):
        assert events()[-2:] == ["core.toggle.expired", "core.hold.expired"]


def test_holds_stand_side_by_side_and_each_ends_by_itself(tenant: Tenant) -> None:
    def standing(at: datetime = AT) -> list[str]:
        return [hold.subject for hold in holds.standing(tenant_id=tenant.id, at=at)]

    one = holds.place("legal", tenant_id=tenant.id, expires_at=AT + DAY, reason="Court", by=BY, at=AT, subject="a")
    assert (standing(), standing(AT + DAY)) == (["a"], [])
    holds.place("legal", tenant_id=tenant.id, expires_at=AT + 2 * DAY, reason="Court", by=BY, at=AT)
    assert standing() == ["a", ""]
    assert [holds.release(one, by=BY, at=AT) for _ in range(2)] == [True, False]
    assert (standing(), standing(AT + DAY)) == ([""], [""])


def test_a_hold_needs_a_reason_and_an_end(tenant: Tenant) -> None:
    with pytest.raises(holds.UnableToHold, match="why"):
        holds.place("legal", tenant_id=tenant.id, expires_at=AT + DAY, reason=" ", by=BY, at=AT)
    with pytest.raises(holds.UnableToHold, match="365 days"):
        holds.place("legal", tenant_id=tenant.id, expires_at=AT + 366 * DAY, reason="Court", by=BY, at=AT)


def test_only_who_may_switches_and_holds(tenant: Tenant) -> None:
    member = role(tenant, TenantRole.MEMBER)
    with pytest.raises(PermissionRefused):
        switch_on(tenant, by=member)
    with pytest.raises(PermissionRefused):
        holds.place("legal", tenant_id=tenant.id, expires_at=AT + DAY, reason="Court", by=member, at=AT)


def test_the_database_refuses_half_an_end_and_an_end_before_the_beginning(tenant: Tenant) -> None:
    setting = switch_on(tenant)
    hold = holds.place("legal", tenant_id=tenant.id, expires_at=AT + DAY, reason="Court", by=BY, at=AT)
    token, _ = tokens.issue(tenant_id=tenant.id, name="Nightly", scopes=["read"], expires_at=AT + DAY, by=BY, at=AT)
    halves = [
        ToggleSetting.objects.filter(pk=setting.pk).update,
        Hold.objects.filter(pk=hold.pk).update,
        Token.objects.filter(pk=token.pk).update,
    ]
    ends = ["ended_at", "ended_at", "revoked_at"]
    for update, column in zip(halves, ends, strict=True):
        with pytest.raises(IntegrityError, match="pair"), transaction.atomic():
            update(**{column: AT})
        with pytest.raises(IntegrityError, match="expires"), transaction.atomic():
            update(expires_at=AT - DAY)
