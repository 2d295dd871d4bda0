"""What the demo's tenants have done so far: people, domains, windows and signatures, all through the use cases.

JetBlue has done its homework, American has not, Virgin America has signed and moved.
"""

import hashlib
import hmac
import os
from base64 import b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from accounts.queries import domains as claimed
from accounts.queries import staff as staff_queries
from accounts.services import domains, imports
from compliance.queries import obligations as promised
from compliance.services import obligations
from core import tenancy
from core.actor import Actor
from core.permissions import StaffRole, TenantRole
from cutover.domain.phases import Phase
from cutover.services import cutovers, phases
from parity_reports.queries import reliances
from parity_reports.services import workflows
from portal.demo import dns, idp, signon, words
from portal.demo.airlines import AIRLINES, PEOPLE, Airline, Story
from runbooks.queries import exceptions as exception_queries
from runbooks.queries import runbooks as runbook_queries
from runbooks.services import exceptions, runbooks

BY = Actor.system("loader")

STAFF = {
    "cs": ("Carla Sanz", (StaffRole.CS, StaffRole.CS_LEAD)),
    "support": ("Sam Porter", (StaffRole.SUPPORT,)),
    "runbook": ("Ruth Booker", (StaffRole.RUNBOOK_OWNER,)),
    "steering": ("Stella Ring", (StaffRole.STEERING_GROUP, StaffRole.PROGRAMME_MANAGER)),
    "data": ("Dana Field", (StaffRole.DATA_LEAD,)),
    "billing": ("Bill Ledger", (StaffRole.IDENTITY_BILLING_LEAD,)),
    "staff-auditor": ("Audrey Torres", (StaffRole.AUDITOR,)),
    "legal": ("Lena Galt", (StaffRole.LEGAL_PRIVACY_LEAD,)),
}
UNSIGNED_OF_AMERICAN = {"billing-reconciled", "rollback-plan", "customer-tests", "parity-reviewed", "rollback-proof"}
RESIDENCY: dict[str, str] = {
    "key": "data-in-the-us",
    "kind": "residency",
    "title": "Data stay in the United States",
    "promise": "Your data and their copies are kept in the United States only.",
    "source": "Master agreement, clause 9.2",
    "owner": "legal-privacy",
}
"""What American's contract promises and nothing keeps yet."""
RELIED_ON = {
    Story.READY: ("log_delay", "load_schedule", "on_time_report"),
    Story.BLOCKED: ("log_delay", "swap_crew"),
    Story.MOVED: ("log_delay", "month_end_report"),
}
"""Workflows that the airlines say they cannot do without; each was tried, except what is not there yet."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Someone to sign in as, with the secret of their authenticator app where they have one."""

    email: str
    totp_secret: str = ""


def password() -> str:
    """Return the one password of every persona, drawn when the state folder was made."""
    return os.environ["CROSSING_DEMO_PASSWORD"]


def totp_secret(email: str) -> str:
    """Return the secret of a persona's authenticator app: the same at every start of this checkout."""
    digest = hmac.new(settings.SECRET_KEY.encode(), f"demo totp {email}".encode(), hashlib.sha256).digest()
    return b32encode(digest[:20]).decode()


def people(airline: Airline) -> list[Persona]:
    """Return the personas of an airline; its owner has an authenticator app."""
    owner = f"owner@{airline.domain}"
    others = [Persona(f"{role.value}@{airline.domain}") for role in TenantRole if role is not TenantRole.OWNER]
    return [Persona(owner, totp_secret(owner)), *others]


def staff() -> list[Persona]:
    """Return the vendor's personas, who all have an authenticator app."""
    return [Persona(email, totp_secret(email)) for email in (f"{name}@crossing.example" for name in STAFF)]


def with_codes() -> list[Persona]:
    """Return everyone who is asked for a code."""
    everyone = [person for airline in AIRLINES if airline.story is not Story.WAITING for person in people(airline)]
    return [person for person in [*everyone, *staff()] if person.totp_secret]


def prepare(*, report: Callable[[str], None]) -> None:
    """Register the tenants, bring in their people and tell the stories up to the first preflight. Safe to repeat."""
    at = timezone.now()
    with _as_the_house("demo: register the airlines"):
        for name, (full_name, roles) in STAFF.items():
            person = imports.staff(
                email=f"{name}@crossing.example", name=full_name, roles=roles, password=password(), by=BY, at=at
            )
            _second_factor(person)
        for airline in AIRLINES:
            tenant_id = imports.tenant(
                slug=airline.slug,
                name=airline.name,
                segment=airline.segment,
                legacy_ref=airline.code,
                time_zone=airline.time_zone,
                by=BY,
                at=at,
            ).pk
            cutovers.open_cutover(tenant_id=tenant_id, by=BY, at=at)
            obligations.adopt_standard(tenant_id=tenant_id, by=BY, at=at)
            if airline.story is not Story.WAITING:
                _begin(airline, tenant_id, at=at)
    report(
        f"{len(AIRLINES)} airlines are registered, three of them with people, a runbook, a domain and single sign-on."
    )


def _begin(airline: Airline, tenant_id: UUID, *, at: datetime) -> None:
    for role in TenantRole:
        member = imports.member(
            tenant_id=tenant_id,
            email=f"{role.value}@{airline.domain}",
            name=PEOPLE[role.value],
            role=role,
            password=password(),
            by=BY,
            at=at,
        )
        if role is TenantRole.OWNER:
            _second_factor(member.user)
    _plan(airline, tenant_id, at=at)
    if airline.story is not Story.BLOCKED:
        words.announce(tenant_id, at=at - timedelta(days=2) if airline.story is Story.MOVED else at)
    _sign_steps(airline, tenant_id, at=at)
    _claim_domain(airline, tenant_id, at=at)
    provider = idp.of_checkout(
        address=settings.DEMO_IDENTITY_PROVIDER, portals=lambda: (settings.PUBLIC_URL, settings.FAILOVER_URL)
    )
    signon.connect(airline, tenant_id, provider=provider, by=BY, at=at)
    _rely(airline, tenant_id, at=at)
    if airline.story is Story.BLOCKED:
        _except(tenant_id, at=at)
        if RESIDENCY["key"] not in promised.current(tenant_id=tenant_id).values_list("key", flat=True):
            obligations.record(**RESIDENCY, tenant_id=tenant_id, by=BY, at=at)


def _plan(airline: Airline, tenant_id: UUID, *, at: datetime) -> None:
    """Open the runbook and set the window: a Saturday night in the airline's own time, two weeks ahead.

    Virgin America's was set the day before and is open now, because it moves while the demo is loaded.
    """
    if runbook_queries.of_tenant(tenant_id=tenant_id) is not None:
        return
    day = _saturday_after(at.date() + timedelta(days=7))
    opens = datetime.combine(day, time(22), tzinfo=ZoneInfo(airline.time_zone))
    if airline.story is Story.MOVED:
        at, opens = at - timedelta(days=2), at - timedelta(minutes=30)
        day = opens.astimezone(ZoneInfo(airline.time_zone)).date()
    runbooks.open(tenant_id=tenant_id, cutover_on=day, by=BY, at=at)
    owner = _colleague("runbook")
    cutovers.assign_runbook_owner(tenant_id=tenant_id, user_id=owner.pk, by=BY, at=at)
    cutovers.put_in_wave(tenant_id=tenant_id, wave="Canaries", by=BY, at=at)
    if airline.story is not Story.BLOCKED:  # American has not chosen its window yet
        cutovers.set_window(tenant_id=tenant_id, starts_at=opens, ends_at=opens + timedelta(minutes=90), by=BY, at=at)
    for phase in (Phase.PREPARE, Phase.PREFLIGHT):
        phases.advance(tenant_id=tenant_id, target=phase, by=BY, at=at)


def _sign_steps(airline: Airline, tenant_id: UUID, *, at: datetime) -> None:
    for step in runbook_queries.steps(tenant_id=tenant_id).filter(gates=True, signed_at=None):
        if airline.story is Story.BLOCKED and step.key in UNSIGNED_OF_AMERICAN:
            continue
        signer = _colleague("runbook")
        by = Actor.staff(user_id=signer.pk, roles={StaffRole.RUNBOOK_OWNER.value}, name=str(signer))
        runbooks.sign(step=step, by=by, at=at)


def _claim_domain(airline: Airline, tenant_id: UUID, *, at: datetime) -> None:
    """Claim the airline's domain and publish its record; American's still carries the token of its first try."""
    dns.register(airline.domain)
    domain = claimed.listed(tenant_id=tenant_id).filter(name=airline.domain).first()
    if domain is None:
        domain = domains.claim(tenant_id=tenant_id, typed=airline.domain, by=BY, at=at - timedelta(days=3))
        record = domains.challenge_of(domain).txt
        dns.publish(record.host, record.value)
        if airline.story is Story.BLOCKED:
            domains.renew(domain=domain, by=BY, at=at - timedelta(days=1))
    if not domain.is_verified:
        domains.check(domain=domain, by=BY, at=at)


def _rely(airline: Airline, tenant_id: UUID, *, at: datetime) -> None:
    """Mark what the airline relies on, and confirm what it could try. American cannot swap crew on the new platform."""
    if reliances.of_tenant(tenant_id=tenant_id, at=at):
        return
    for name in RELIED_ON[airline.story]:
        workflows.rely(tenant_id=tenant_id, workflow_id=name, by=BY, at=at)
        with suppress(workflows.UnableToDecide):  # it is planned: nobody can have tried it
            workflows.confirm(tenant_id=tenant_id, workflow_id=name, by=BY, at=at)


def _except(tenant_id: UUID, *, at: datetime) -> None:
    """American's exception for its unsigned steps has ended, so the check blocks again."""
    if exception_queries.of_tenant(tenant_id=tenant_id).exists():
        return
    asker, approver = _colleague("cs"), _colleague("steering")
    asked = at - timedelta(days=9)
    row = exceptions.request(
        tenant_id=tenant_id,
        check_id="runbooks.steps_signed",
        reason="The customer's own tests were moved to the following week.",
        compensating_controls="Daily review with the customer; no date stands before the tests are signed.",
        owner_id=asker.pk,
        expires_at=at - timedelta(days=2),
        by=Actor.staff(user_id=asker.pk, roles={StaffRole.CS.value}),
        at=asked,
    )
    by = Actor.staff(user_id=approver.pk, roles={StaffRole.STEERING_GROUP.value})
    exceptions.approve(exception=row, by=by, at=asked + timedelta(hours=3))


def _colleague(name: str) -> AbstractBaseUser:
    return staff_queries.people().get(email=f"{name}@crossing.example")


def _second_factor(person: AbstractBaseUser) -> None:
    if not Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(person, totp_secret(person.get_username()))


def _saturday_after(day: date) -> date:
    return day + timedelta(days=(5 - day.weekday()) % 7)


@contextmanager
def _as_the_house(reason: str) -> Iterator[None]:
    with tenancy.staff_scope(by=BY, reason=reason):
        yield
