"""A tenant whose people sign in by their company: connected, tested, with two break-glass owners."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import (
    BreakGlassOwner,
    Cutback,
    Domain,
    Enforcement,
    Member,
    PasswordRemoval,
    SsoConnection,
    SsoTest,
    Tenant,
)
from accounts.queries import enforcement as known
from accounts.queries import lockouts
from accounts.services import break_glass, enforcement
from core import tenancy
from core.actor import Actor
from core.models import ToggleSetting
from core.permissions import TenantRole
from tests import make
from tests.customers import Customer

DAY = timedelta(days=1)


@dataclass
class Company:
    """The tenant with its owners; what is done is done by the first."""

    tenant: Tenant
    owners: list[Member]
    codes: list[list[str]]

    @property
    def by(self) -> Actor:
        return make.actor(self.owners[0])

    @property
    def tenant_id(self) -> Any:
        return self.tenant.pk

    @property
    def connection_id(self) -> Any:
        return SsoConnection.objects.get(tenant=self.tenant).pk

    def seats(self) -> list[BreakGlassOwner]:
        return list(BreakGlassOwner.objects.filter(tenant=self.tenant, ended_at=None).order_by("seat"))


def company(*, password: str | None = None, domain: str = "airline.example") -> Company:
    """Make one, inside a scope of its own; the test of its connection passed."""
    tenant = make.tenant()
    owners = [
        make.member(tenant, TenantRole.OWNER, person=make.user(email=f"owner{n}@{domain}", password=password))
        for n in (1, 2)
    ]
    at = timezone.now()
    with make.arranging():
        Domain.objects.create(
            tenant=tenant, name=domain, text=domain, token="t", claimed_by=owners[0].user_id, verified_at=at,
            verified_by=owners[0].user_id, proven_at=at,
        )  # fmt: skip
    return Company(tenant, owners, [])


def prepare(found: Company) -> Company:
    """Connect and test, and let both owners make their codes; inside the tenant's scope."""
    connection = connected(found)
    SsoTest.objects.create(
        tenant=found.tenant, connection=connection, fingerprint=connection.fingerprint, request_id=f"_{uuid4()}",
        started_at=timezone.now(), started_by=found.by.known_id, expires_at=timezone.now(), answered_at=timezone.now(),
        outcome="passed", verdicts={"signature": "pass"},
    )  # fmt: skip
    for seat, owner in enumerate(found.owners, start=1):
        at = timezone.now()
        named = break_glass.name(tenant_id=found.tenant_id, member=owner, seat=seat, by=found.by, at=at)
        found.codes.append(break_glass.issue(owner=named, by=make.actor(owner), at=at))
    return found


def connected(found: Company) -> SsoConnection:
    """Return a connection by rows alone: reading metadata takes longer than all the rest."""
    by = found.by.known_id
    return SsoConnection.objects.create(
        tenant=found.tenant, entity_id="https://idp.airline.example/", sso_url="https://idp.airline.example/sso",
        fingerprint="f" * 64, begun_by=by, connected_at=timezone.now(), connected_by=by,
    )  # fmt: skip


def enforce(found: Company, *, at: datetime | None = None, **more: Any) -> Enforcement:
    """Announce it a day and a week ago, so that it holds since a day and for a month."""
    now = at or timezone.now()
    return enforcement.announce(
        tenant_id=found.tenant_id,
        **{
            "takes_effect_at": now - DAY, "expires_at": now + 30 * DAY, "reason": "As agreed.",
            "accepted_list": accepted(found), "by": found.by, "at": now - 8 * DAY, **more,
        },
    )  # fmt: skip


def accepted(found: Company) -> str:
    """Return the digest of the list of who is stuck, as somebody has seen it."""
    return lockouts.forecast(tenant_id=found.tenant_id).digest


def cut_back(found: Company) -> Cutback:
    """Let a cutback run since now, for an hour, as a row alone."""
    at, by = timezone.now(), found.owners[0].user_id
    with make.arranging():
        return Cutback.objects.create(
            tenant=found.tenant, reason="Down.", hours=1, requested_at=at, requested_by=by, lapses_at=at + DAY,
            customer_approved_at=at, customer_approved_by=by, vendor_approved_at=at, vendor_approved_by=make.user().pk,
            starts_at=at, ends_at=at + DAY / 24,
        )  # fmt: skip


def show(ready: Customer, blocked: Customer) -> None:
    """Let one have announced its company's sign-in; of the other an owner is to make codes, and a cutback waits."""
    at, by = timezone.now(), ready.by_owner
    with tenancy.scope(tenant_id=ready.tenant.pk):
        toggle = ToggleSetting.objects.create(
            tenant=ready.tenant, name=known.TOGGLE.name, reason="Our security policy asks for it.",
            switched_on_at=at, switched_on_by=by.known_id, expires_at=at + 90 * DAY,
        )  # fmt: skip
        Enforcement.objects.create(tenant=ready.tenant, toggle=toggle, takes_effect_at=at + 6 * DAY)
    with tenancy.scope(tenant_id=blocked.tenant.pk):
        break_glass.name(tenant_id=blocked.tenant.pk, member=blocked.owner, seat=1, by=blocked.by_owner, at=at)
        Cutback.objects.create(
            tenant=blocked.tenant, reason="Our provider does not answer since eight o'clock.", hours=4, requested_at=at,
            requested_by=blocked.by_owner.known_id, lapses_at=at + DAY,
        )  # fmt: skip
    without_passwords()


def without_passwords() -> PasswordRemoval:
    """Let an account of its own have no passwords any more; its pages take none, so nobody else's tour meets it."""
    owner = make.member(make.tenant("Without Air", slug="without"))
    with tenancy.scope(tenant_id=owner.tenant_id):
        return removed(Company(owner.tenant, [owner], []))


def removed(found: Company) -> PasswordRemoval:
    """Have the passwords taken away, as a row alone."""
    at = timezone.now()
    return PasswordRemoval.objects.create(
        tenant=found.tenant, reason="The move is over.", removed_at=at, removed_by=found.owners[0].user_id,
        reversible_until=at + 30 * DAY, sealed=3,
    )  # fmt: skip
