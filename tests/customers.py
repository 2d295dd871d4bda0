"""A real airline as a customer before its cutover: its people, its runbook, and what it has done so far."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.mfa.totp.internal import auth as totp
from django.utils import timezone

from accounts.models import Member, Tenant, User
from accounts.services import imports
from compliance.services import obligations
from core.actor import Actor
from core.permissions import StaffRole, TenantRole
from cutover.domain.phases import Phase
from cutover.services import cutovers, phases
from portal.demo.airlines import AIRLINES, Airline
from portal.demo.legacy import TELEX
from portal.demo.stories import RESIDENCY
from runbooks.queries import runbooks as listed
from runbooks.services import runbooks
from tests import airline as rows
from tests import make
from tests.databases import Platforms

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""Of every authenticator app here."""


@dataclass(frozen=True)
class Customer:
    """A tenant with its owner and the vendor's runbook owner, who both have an authenticator app."""

    airline: Airline
    tenant: Tenant
    owner: Member
    runbook_owner: User

    @property
    def by_owner(self) -> Actor:
        return make.actor(self.owner)

    @property
    def by_runbook_owner(self) -> Actor:
        return make.staff_actor(self.runbook_owner)


def airline(code: str) -> Airline:
    """Return one of the demo's airlines."""
    return next(each for each in AIRLINES if each.code == code)


def code(*, later: int = 0) -> str:
    """Return what the authenticator app shows now, or some half minutes later."""
    return totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30 + later))


def arrange(which: Airline, *, prepared: bool) -> Customer:
    """Bring an airline to its preflight through the use cases; `prepared`: with its window set and its steps signed."""
    at = timezone.now()
    with make.arranging():
        tenant = imports.tenant(
            slug=which.slug, name=which.name, segment=which.segment, legacy_ref=which.code,
            time_zone=which.time_zone, by=make.SYSTEM, at=at,
        )  # fmt: skip
        cutovers.open_cutover(tenant_id=tenant.pk, by=make.SYSTEM, at=at)
        obligations.adopt_standard(tenant_id=tenant.pk, by=make.SYSTEM, at=at)
        if not prepared:
            obligations.record(**RESIDENCY, tenant_id=tenant.pk, by=make.SYSTEM, at=at)
        owner = imports.member(
            tenant_id=tenant.pk, email=f"owner@{which.domain}", name="Olivia Owen", role=TenantRole.OWNER,
            password=make.PASSWORD, by=make.SYSTEM, at=at,
        )  # fmt: skip
        totp.TOTP.activate(owner.user, SECRET)
        customer = Customer(
            which, tenant, owner, colleague("runbook@crossing.example", "Ruth Booker", StaffRole.RUNBOOK_OWNER)
        )
        _plan(customer, prepared=prepared, at=at)
    return customer


def colleague(email: str, name: str, *roles: StaffRole) -> User:
    """Return one of the vendor's people, who can sign in."""
    person = imports.staff(
        email=email, name=name, roles=list(roles), password=make.PASSWORD, by=make.SYSTEM, at=timezone.now()
    )
    if not person.authenticator_set.exists():
        totp.TOTP.activate(person, SECRET)
    return person


def _plan(customer: Customer, *, prepared: bool, at: datetime) -> None:
    tenant_id = customer.tenant.pk
    opens = (at + timedelta(days=9)).replace(second=0, microsecond=0)
    runbooks.open(tenant_id=tenant_id, cutover_on=opens.date(), by=make.SYSTEM, at=at)
    cutovers.assign_runbook_owner(tenant_id=tenant_id, user_id=customer.runbook_owner.pk, by=make.SYSTEM, at=at)
    for phase in (Phase.PREPARE, Phase.PREFLIGHT):
        phases.advance(tenant_id=tenant_id, target=phase, by=make.SYSTEM, at=at)
    if prepared:
        closes = opens + timedelta(hours=4)
        cutovers.set_window(tenant_id=tenant_id, starts_at=opens, ends_at=closes, by=customer.by_owner, at=at)
        for step in listed.steps(tenant_id=tenant_id).filter(gates=True):
            runbooks.sign(step=step, by=customer.by_runbook_owner, at=at)


def sell_telex(platforms: Platforms, which: Airline) -> None:
    """Give an airline in legacy the add-on that the new platform does not have."""
    code, name, quantity, price = TELEX
    row = {"carr_cd": which.code, "addon_cd": code, "addon_nm": name, "qty": quantity, "price_cents": price}
    rows.insert(platforms, "plan_addon", [row])
