"""Connections to identity providers and their tests, for pages, checks and other apps."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db.models import F, QuerySet
from django.urls import reverse

from accounts.domain import attributes, connections, metadata_changes, setup_guides, sharing
from accounts.domain.attributes import AttributeMapping
from accounts.domain.certificates import Reason
from accounts.domain.metadata_changes import Line
from accounts.domain.setup_guides import Ours
from accounts.domain.verdicts import FOUNDATION, Check, Code, Verdict
from accounts.models import Member, SsoCertificate, SsoConnection, SsoSignIn, SsoSource, SsoTest
from accounts.queries import members
from core import sealing
from core.saml import Assertion, Attribute, ProviderMetadata, SamlResponse, ServiceProvider, SigningCertificate


@dataclass(frozen=True, slots=True)
class Found:
    """Whose connection an address names, before any tenant's rows may be read."""

    tenant_id: UUID
    connection_id: UUID


@dataclass(frozen=True, slots=True)
class Opened:
    """What was kept of an answered test; without `message` only the verdicts are left of it."""

    checks: tuple[Check, ...]
    message: str = ""
    assertion: Assertion | None = None
    addresses: tuple[str, ...] = ()
    """The addresses as they were read then."""

    @property
    def is_trusted(self) -> bool:
        """Whether the message was what the provider signed."""
        return all(check.verdict is not Verdict.FAIL for check in self.checks if check.code in FOUNDATION)


def find(*, provider_id: str) -> Found | None:
    """Return whose connection an address names, or None."""
    with database.cursor() as cursor:
        cursor.execute("SELECT tenant_id, connection_id FROM crossing.sso_connection(%s)", [provider_id])
        row = cursor.fetchone()
    return Found(*row) if row else None


def find_provider(*, domain: str) -> str | None:
    """Return the id of the connection by which people of a proven domain sign in, or None."""
    if not domain:
        return None
    with database.cursor() as cursor:
        cursor.execute("SELECT provider_id FROM crossing.sso_of_domain(%s)", [domain])
        row = cursor.fetchone()
    return row[0] if row else None


def of_tenant(*, tenant_id: UUID) -> SsoConnection | None:
    """Return the tenant's connection, if it has begun with one or has declined it."""
    return SsoConnection.objects.filter(tenant_id=tenant_id).first()


def service_provider(connection: SsoConnection, *, failover: bool = False) -> ServiceProvider:
    """Return our side of a connection, at the portal's address or at its second one."""
    url = settings.FAILOVER_URL if failover else settings.PUBLIC_URL
    return connections.service_provider(public_url=url, provider_id=connection.provider_id)


def is_failover(host: str) -> bool:
    """Say whether a request came by the portal's second address; both are configured, the host only says which."""
    return bool(settings.FAILOVER_URL) and urlsplit(settings.FAILOVER_URL).netloc == host


def start_url(connection: SsoConnection) -> str:
    """Return the address at which the tenant's people begin to sign in."""
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('sso:start', args=[connection.provider_id])}"


def our_values(connection: SsoConnection, *, failover: bool = False) -> dict[Ours, str]:
    """Return what a provider is told of us: at the portal's address, or at its second one."""
    sp = service_provider(connection, failover=failover)
    return setup_guides.values(sp, metadata_url=sp.entity_id)  # our entity ID is where our metadata stand


def provider(connection: SsoConnection) -> ProviderMetadata:
    """Return the tenant's side of a connection, with the certificates that are trusted."""
    trusted = SsoCertificate.objects.filter(connection=connection, retired_at=None).order_by("-not_after", "pk")
    certificates = tuple(
        SigningCertificate(row.der, row.fingerprint, row.subject, row.not_before, row.not_after) for row in trusted
    )
    return ProviderMetadata(
        connection.entity_id,
        connection.sso_url,
        certificates,
        wants_signed_requests=connection.wants_signed_requests,
    )


def known_by(connection: SsoConnection) -> tuple[set[str], set[str]]:
    """Return the fingerprints of the certificates that are trusted, and of those that a person retired."""
    rows = SsoCertificate.objects.filter(connection=connection)
    told = dict(rows.values_list("fingerprint", "retired_because"))
    trusted = {fingerprint for fingerprint, because in told.items() if not because}
    return trusted, {fingerprint for fingerprint, because in told.items() if because == Reason.PERSON}


def changes(connection: SsoConnection, metadata: ProviderMetadata, *, at: datetime) -> list[Line]:
    """Return what metadata would change, line by line."""
    held = [row.held for row in SsoCertificate.objects.filter(connection=connection)]
    return metadata_changes.lines(provider(connection), metadata, held=held, at=at)


def certificates(connection: SsoConnection) -> QuerySet[SsoCertificate]:
    """Return a connection's certificates: the trusted ones first, those that last longest before others."""
    rows = SsoCertificate.objects.filter(connection=connection)
    return rows.order_by(F("retired_at").desc(nulls_first=True), "-not_after", "pk")


def certificates_of(*, tenant_id: UUID) -> QuerySet[SsoCertificate]:
    """Return the certificates of the tenant's provider, trusted or not."""
    return SsoCertificate.objects.filter(tenant_id=tenant_id)


def is_trusted(connection: SsoConnection, fingerprint: str) -> bool:
    """Say whether a certificate is one of those that are trusted now."""
    return SsoCertificate.objects.filter(connection=connection, retired_at=None, fingerprint=fingerprint).exists()


def source(*, tenant_id: UUID) -> SsoSource | None:
    """Return the address that the tenant's metadata are read from, if one is followed."""
    return SsoSource.objects.filter(tenant_id=tenant_id).select_related("connection").first()


def due_sources(*, at: datetime, limit: int = 200) -> list[UUID]:
    """Return the tenants whose metadata are to be read again, the longest waiting first; needs a staff scope."""
    due = SsoSource.objects.filter(due_at__lte=at).order_by("due_at")
    return list(due.values_list("tenant_id", flat=True)[:limit])


def ending(*, before: datetime, after: datetime) -> list[UUID]:
    """Return the tenants with a trusted certificate that ends between two moments; needs a staff scope."""
    rows = SsoCertificate.objects.filter(retired_at=None, not_after__gt=after, not_after__lte=before)
    return list(rows.order_by("tenant_id").values_list("tenant_id", flat=True).distinct())


def tests(*, tenant_id: UUID) -> QuerySet[SsoTest]:
    """Return the tenant's tests, the newest first."""
    return SsoTest.objects.filter(tenant_id=tenant_id).order_by("-started_at", "-pk")


def sign_ins(*, tenant_id: UUID) -> QuerySet[SsoSignIn]:
    """Return the tenant's answered sign-ins with whom they meant, the newest first."""
    answered = SsoSignIn.objects.filter(tenant_id=tenant_id, answered_at__isnull=False)
    return answered.select_related("member__user").order_by("-answered_at", "-pk")


def latest_answered(*, connection: SsoConnection, failover: bool = False) -> SsoTest | None:
    """Return the last test of the connection as it now is, at the portal's address, that something came back for.

    A rehearsal of our second address (`failover`) says nothing of the first.
    """
    answered = SsoTest.objects.filter(
        tenant_id=connection.tenant_id,
        connection=connection,
        fingerprint=connection.fingerprint,
        is_failover=failover,
        answered_at__isnull=False,
    )
    return answered.order_by("-answered_at", "-pk").first()


def opened(test: SsoTest | SsoSignIn) -> Opened:
    """Return what was kept of an answer."""
    if not test.sealed:
        return Opened(tuple(Check(Code(code), Verdict(verdict)) for code, verdict in test.verdicts.items()))
    kept = json.loads(sealing.unseal(test.sealed))
    checks = tuple(
        Check(Code(code), Verdict(verdict), expected, got, fix, is_trusted)
        for code, verdict, expected, got, fix, is_trusted in kept["checks"]
    )
    assertion = _assertion(kept["assertion"]) if kept["assertion"] else None
    return Opened(checks, kept["message"], assertion, tuple(kept["addresses"]))


def report(test: SsoTest) -> str:
    """Return what an answered test found as a text that may be passed on: nothing in it speaks of a person."""
    assert test.answered_at is not None
    return sharing.report(
        opened(test).checks,
        answered_at=test.answered_at,
        sp=service_provider(test.connection, failover=test.is_failover),
        entity_id=test.connection.entity_id,
    )


def mapping(connection: SsoConnection) -> AttributeMapping:
    """Return which attribute of the tenant's provider says what of a person."""
    return attributes.stored(connection.attributes)


def as_mapped(connection: SsoConnection, response: SamlResponse) -> SamlResponse:
    """Return a response as the tenant's mapping reads it: what the test and sign-in judge and act on."""
    if response.assertion is None:
        return response
    return replace(response, assertion=attributes.applied(response.assertion, mapping(connection)))


def _assertion(kept: dict[str, Any]) -> Assertion:
    """Return what stands of an assertion under seal as far as pages and mappings read it."""
    told = {name: value for name, value in kept.items() if name not in {"signature", "confirmations"}}
    told["attributes"] = tuple(Attribute(**{**each, "values": tuple(each["values"])}) for each in kept["attributes"])
    told["audiences"] = tuple(map(tuple, kept["audiences"]))
    return Assertion(**told)


def member_named(*, tenant_id: UUID, addresses: tuple[str, ...]) -> Member | None:
    """Return the active member whom one asserted address proposes."""
    if len(addresses) != 1:
        return None
    return members.active(tenant_id=tenant_id).filter(user__email=addresses[0]).first()
