"""Links for whoever edits a customer's DNS and has no account: made, opened, looked through, taken back.

A link shows what to publish for one domain and how it stands, and changes nothing: not even a look through it proves
the domain, which the next check of the cadence does.
"""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from accounts.domain.diagnosis import Diagnosis
from accounts.domain.invitations import TOKEN_BYTES, digest
from accounts.models import Domain, DomainLink
from accounts.services import lookups
from core import ledger, limits
from core.actor import Actor
from core.errors import UseCaseError
from core.permissions import Permission

VALID_FOR = timedelta(days=7)
MOST_OPEN = 5
LOOKS_A_MINUTE = 3
OPENINGS_A_MINUTE = 60
VISITOR = Actor.system("domain link")


class UnableToMake(UseCaseError):
    """No link can be made now."""


class UnableToOpen(UseCaseError):
    """The link opens nothing any more."""

    status = 410


class UnableToLook(UseCaseError):
    """The domain cannot be looked up through the link now."""

    status = 429


def make(*, domain: Domain, by: Actor, at: datetime) -> tuple[DomainLink, str]:
    """Make a link for seven days, and return it with the secret of its address, which is told this once."""
    by.require(Permission.MANAGE_DOMAINS, tenant_id=domain.tenant_id)
    if is_open(DomainLink.objects.filter(domain=domain), at=at).count() >= MOST_OPEN:
        raise UnableToMake(f"{MOST_OPEN} links for this domain are open already.", fix="Take one back first.")
    secret = secrets.token_urlsafe(TOKEN_BYTES)
    link = DomainLink(
        tenant_id=domain.tenant_id,
        domain=domain,
        token_digest=digest(secret),
        made_at=at,
        made_by=by.known_id,
        expires_at=at + VALID_FOR,
    )
    with transaction.atomic(durable=True):
        link.save(force_insert=True)
        _record("made", link, by=by, at=at)
    return link, secret


def address(secret: str) -> str:
    """Return the address that a link's secret opens."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('domain_links:show', args=[secret])}"


def revoke(*, link: DomainLink, by: Actor, at: datetime) -> None:
    """Take a link back; it opens nothing from now on. Safe to repeat."""
    by.require(Permission.MANAGE_DOMAINS, tenant_id=link.tenant_id)
    with transaction.atomic(durable=True):
        open_ones = DomainLink.objects.filter(pk=link.pk, tenant_id=link.tenant_id, revoked_at=None)
        if open_ones.update(revoked_at=at, revoked_by=by.known_id):
            _record("revoked", link, by=by, at=at)


def visit(*, link: DomainLink, at: datetime) -> None:
    """Let somebody in who has the link, and record the first time; raises UnableToOpen, saying why and what to do."""
    if link.revoked_at is not None:
        raise UnableToOpen("This link was taken back.", fix="Ask whoever sent it to you for a new one.")
    if at >= link.expires_at:
        raise UnableToOpen("This link has expired.", fix="Ask whoever sent it to you for a new one.")
    _count(link, "opened", OPENINGS_A_MINUTE, at=at)
    if link.opened_at is None:
        with transaction.atomic(durable=True):
            if DomainLink.objects.filter(pk=link.pk, opened_at=None).update(opened_at=at):
                _record("opened", link, by=VISITOR, at=at)


def look(*, link: DomainLink, at: datetime) -> Diagnosis:
    """Look the link's domain up now and change nothing; a few times a minute, and one domain of a tenant at a time."""
    _count(link, "looked", LOOKS_A_MINUTE, at=at)
    with lookups.alone(link.tenant_id):
        found, _ = lookups.look(link.domain, at=at)
    return found


def is_open(links: QuerySet[DomainLink], *, at: datetime) -> QuerySet[DomainLink]:
    """Return those that still open something."""
    return links.filter(revoked_at=None, expires_at__gt=at)


def _count(link: DomainLink, what: str, quota: int, *, at: datetime) -> None:
    usage = limits.count(f"domain_links:{what}:{link.pk}", quota=quota, at=at)
    if usage is not None and usage.exceeded:
        raise UnableToLook("This was asked for very often.", fix=f"Try again in {usage.seconds} seconds.")


def _record(what: str, link: DomainLink, *, by: Actor, at: datetime) -> None:
    ledger.record(
        f"accounts.domain_link.{what}",
        by=by,
        at=at,
        tenant_id=link.tenant_id,
        subject=link,
        data={"domain": link.domain.name},
    )
