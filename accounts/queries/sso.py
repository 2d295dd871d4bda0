"""Connections to identity providers and their tests, for pages, checks and other apps."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db.models import QuerySet
from django.urls import reverse

from accounts.domain import connections
from accounts.domain.verdicts import FOUNDATION, Check, Code, Verdict
from accounts.models import Member, SsoConnection, SsoSignIn, SsoTest
from accounts.queries import members
from core import sealing
from core.saml import ProviderMetadata, ServiceProvider, SigningCertificate


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
    assertion: dict[str, Any] | None = None
    addresses: tuple[str, ...] = ()

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


def provider(connection: SsoConnection) -> ProviderMetadata:
    """Return the tenant's side of a connection."""
    certificates = tuple(
        SigningCertificate(
            der=each["der"],
            fingerprint=each["fingerprint"],
            subject=each["subject"],
            not_before=datetime.fromisoformat(each["not_before"]),
            not_after=datetime.fromisoformat(each["not_after"]),
        )
        for each in connection.certificates
    )
    return ProviderMetadata(connection.entity_id, connection.sso_url, certificates)


def tests(*, tenant_id: UUID) -> QuerySet[SsoTest]:
    """Return the tenant's tests, the newest first."""
    return SsoTest.objects.filter(tenant_id=tenant_id).order_by("-started_at")


def sign_ins(*, tenant_id: UUID) -> QuerySet[SsoSignIn]:
    """Return the tenant's answered sign-ins with whom they meant, the newest first."""
    answered = SsoSignIn.objects.filter(tenant_id=tenant_id, answered_at__isnull=False)
    return answered.select_related("member__user").order_by("-answered_at")


def latest_answered(*, connection: SsoConnection) -> SsoTest | None:
    """Return the last test of the connection as it now is that something came back for."""
    answered = SsoTest.objects.filter(
        tenant_id=connection.tenant_id,
        connection=connection,
        fingerprint=connection.fingerprint,
        answered_at__isnull=False,
    )
    return answered.order_by("-answered_at").first()


def opened(test: SsoTest | SsoSignIn) -> Opened:
    """Return what was kept of an answer."""
    if not test.sealed:
        return Opened(tuple(Check(Code(code), Verdict(verdict)) for code, verdict in test.verdicts.items()))
    kept = json.loads(sealing.unseal(test.sealed))
    checks = tuple(
        Check(Code(code), Verdict(verdict), expected, got, fix, is_trusted)
        for code, verdict, expected, got, fix, is_trusted in kept["checks"]
    )
    return Opened(checks, kept["message"], kept["assertion"], tuple(kept["addresses"]))


def member_named(*, tenant_id: UUID, addresses: tuple[str, ...]) -> Member | None:
    """Return the active member whom one asserted address proposes."""
    if len(addresses) != 1:
        return None
    return members.active(tenant_id=tenant_id).filter(user__email=addresses[0]).first()
